//! Services, and the names that they give to Pods.

use super::plan::PodPlan;
use crate::World;
use crate::map::{Map, Set};
use crate::object::{Pod, PodId};
use crate::store::Other;
use policy_core::spec::StringMap;
use std::sync::Arc;

/// A Service, as far as names go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// `spec.selector`; without one it selects nothing.
    pub selector: StringMap,
    /// Whether `spec.clusterIP` is `None`.
    pub headless: bool,
    /// `spec.publishNotReadyAddresses`.
    pub publish_not_ready_addresses: bool,
    /// The first port.
    pub port: Option<u16>,
}

impl Service {
    pub(super) fn of(other: &Other) -> Self {
        let spec = other.body.get("spec").cloned().unwrap_or_default();
        let selector = spec["selector"].as_object().into_iter().flatten();
        let port = &spec["ports"][0]["port"];
        Service {
            name: other.metadata.name.clone(),
            namespace: other.metadata.namespace.clone(),
            selector: selector.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect(),
            headless: spec["clusterIP"] == "None",
            publish_not_ready_addresses: spec["publishNotReadyAddresses"] == true,
            port: port.as_u64().and_then(|port| u16::try_from(port).ok()),
        }
    }
}

/// Names of Pods and Services.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// Pods that have not ended, by namespace, subdomain and hostname.
    pods: Map<(Arc<str>, Arc<str>, String), Set<PodId>>,
    /// Services by namespace and name, with the number of their address.
    services: Map<(String, String), (u32, Service)>,
    addresses: u32,
}

impl World {
    /// Adds a Service, or changes it.
    pub fn put_service(&mut self, service: Service) {
        let names = &mut self.data.names;
        let key = (service.namespace.clone(), service.name.clone());
        let address = names.services.get(&key).map(|(address, _)| *address).unwrap_or_else(|| {
            names.addresses += 1;
            names.addresses
        });
        names.services.insert(key, (address, service));
    }

    /// Takes a Service away.
    pub fn remove_service(&mut self, namespace: &str, name: &str) {
        self.data.names.services.remove(&(namespace.into(), name.into()));
    }
}

/// The Pod's hostname: its `spec`'s, the Job's with the index, or its name.
pub(super) fn hostname(pod: &Pod, plan: &PodPlan) -> String {
    match (&plan.hostname, &pod.base.hostname_stem, pod.index) {
        (Some(hostname), _, _) => hostname.clone(),
        (None, Some(stem), Some(index)) => format!("{stem}{index}"),
        _ => pod.name.to_string(),
    }
}

fn key(pod: &Pod, plan: &PodPlan) -> Option<(Arc<str>, Arc<str>, String)> {
    Some((pod.namespace.clone(), plan.subdomain.clone()?, hostname(pod, plan)))
}

/// Takes note of a new Pod's name.
pub(super) fn add_name(world: &mut World, pod: &Pod, plan: &PodPlan) {
    if let Some(key) = key(pod, plan) {
        world.data.names.pods.get_or_default(key).insert(pod.id);
    }
}

/// Forgets the name of a Pod that has ended.
pub(super) fn remove_name(world: &mut World, pod: &Pod, plan: &PodPlan) {
    let Some(key) = key(pod, plan) else { return };
    if let Some(pods) = world.data.names.pods.get_mut(&key) {
        pods.remove(&pod.id);
        if pods.is_empty() {
            world.data.names.pods.remove(&key);
        }
    }
}

/// Whether a name resolves for a Pod and what it names answers. `host.service` is a Pod behind a headless Service,
/// `service` a Service; both may be followed by the namespace, `svc` and the cluster's domain.
pub(super) fn answers(world: &World, asking: PodId, name: &str) -> bool {
    let Some(from) = world.store.pod(asking) else { return false };
    let name = name.strip_suffix('.').unwrap_or(name);
    let short = name.strip_suffix(".svc.cluster.local").or_else(|| name.strip_suffix(".svc"));
    let parts: Vec<&str> = short.unwrap_or(name).split('.').collect();
    match (parts.as_slice(), short) {
        // The search domains are tried in turn: `<namespace>.svc`, then `svc`.
        ([host, service, namespace], _) => pod_answers(world, namespace, service, host),
        ([service, namespace], Some(_)) => service_answers(world, namespace, service),
        ([first, second], None) => {
            pod_answers(world, &from.namespace, second, first) || service_answers(world, second, first)
        }
        ([service], None) => service_answers(world, &from.namespace, service),
        _ => false,
    }
}

/// Why `host.service` does not answer, for people; `None` when nothing is known to be wrong with the Service.
pub(super) fn why_silent(world: &World, asking: PodId, name: &str) -> Option<String> {
    let from = world.store.pod(asking)?;
    let mut parts = name.split('.');
    let (host, second) = (parts.next()?, parts.next());
    let name = second.unwrap_or(host);
    let Some(service) = service(world, &from.namespace, name) else {
        return Some(format!("there is no Service `{name}`"));
    };
    let host = second.map(|_| host)?;
    if !service.headless {
        return Some(format!("the Service `{name}` is not headless, so it gives no names to Pods"));
    }
    let key = (from.namespace.clone(), name.into(), host.into());
    let Some(pod) = world.data.names.pods.get(&key).and_then(|pods| pods.first()) else {
        return Some(format!("no Pod has the hostname `{host}` and the subdomain `{name}`"));
    };
    let labels = world.store.pod(*pod)?.labels();
    let unmatched = service.selector.iter().find(|(key, value)| labels.get(*key) != Some(value));
    unmatched
        .map(|(key, value)| format!("the Service `{name}` selects `{key}={value}`, which no such Pod has"))
}

fn service<'w>(world: &'w World, namespace: &str, name: &str) -> Option<&'w Service> {
    world.data.names.services.get(&(namespace.into(), name.into())).map(|(_, service)| service)
}

/// A Pod has a name where a headless Service of its subdomain's name selects it and it is ready.
fn pod_answers(world: &World, namespace: &str, subdomain: &str, host: &str) -> bool {
    let Some(service) = service(world, namespace, subdomain).filter(|service| service.headless) else {
        return false;
    };
    let key = (namespace.into(), subdomain.into(), host.into());
    let pods = world.data.names.pods.get(&key);
    pods.into_iter().flat_map(Set::iter).any(|pod| selected(world, service, *pod))
}

/// A Service answers when a Pod behind it does. (Pods are looked through one by one: few scripts ask.)
fn service_answers(world: &World, namespace: &str, name: &str) -> bool {
    let Some(service) = service(world, namespace, name) else { return false };
    world.data.runs.keys().any(|pod| selected(world, service, *pod))
}

/// Whether a Service selects a Pod that answers, and publishes it.
fn selected(world: &World, service: &Service, pod: PodId) -> bool {
    let Some(pod) = world.store.pod(pod).filter(|pod| *pod.namespace == *service.namespace) else {
        return false;
    };
    let labels = pod.labels();
    let matches = !service.selector.is_empty()
        && service.selector.iter().all(|(key, value)| labels.get(key) == Some(value));
    // Answers are cached: a Pod that has done its work resolves a little longer, and its sandbox answers while it is
    // there. One that failed may never have been ready, and does not.
    let ready_or_done = |c: &crate::object::Condition| c.status == "True" || &*c.reason == "PodCompleted";
    let ready = pod.condition("Ready").is_some_and(ready_or_done);
    let runs =
        world.data.run(pod.id).is_some_and(|run| run.sandbox && run.containers.iter().any(|c| c.starts > 0));
    matches && runs && (ready || service.publish_not_ready_addresses)
}

/// `<SERVICE>_SERVICE_HOST` and `<SERVICE>_SERVICE_PORT` of the Services with an address in the namespace. (They are
/// read when they are used; a real container gets those that exist when it starts.)
pub(super) fn service_variable(world: &World, namespace: &str, name: &str) -> Option<String> {
    let (prefix, is_host) = match name.strip_suffix("_SERVICE_HOST") {
        Some(prefix) => (prefix, true),
        None => (name.strip_suffix("_SERVICE_PORT")?, false),
    };
    let wanted = |service: &Service| {
        !service.headless
            && service.namespace == namespace
            && service.name.to_uppercase().replace('-', "_") == prefix
    };
    let (address, service) = world.data.names.services.values().find(|(_, service)| wanted(service))?;
    match (is_host, service.port) {
        (true, _) => Some(format!("10.96.{}.{}", address / 250, address % 250 + 1)),
        (false, port) => port.map(|port| port.to_string()),
    }
}
