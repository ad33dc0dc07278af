//! Doing what the actions of a scenario say.

use super::action::{Cascade, Deletion, Drain, Verb};
use super::eval::selected;
use super::select::{NodeSelector, PodSelector, Target};
use crate::config::QueueKind;
use crate::store::{ApiError, Kind, ObjectKey, Propagation};
use crate::{Applied, Disturbance, PodSelect, World};
use policy_core::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

/// Something that was done, or refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Done {
    /// When.
    pub at: Timestamp,
    /// What, as a `kubectl` command where there is one.
    pub what: String,
    /// What came of it, in the words of `kubectl` or the API server.
    pub answer: String,
    /// The HTTP status code of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// How often in a row.
    pub count: usize,
}

/// What came of an action.
pub(super) type Answer = Result<String, Refusal>;

/// Why an action was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) message: String,
    /// After how long to try again, where the server says so.
    pub(super) retry_after_seconds: Option<u32>,
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Refusal { code: error.code, message: error.message, retry_after_seconds: error.retry_after_seconds }
    }
}

fn not_found(message: String) -> Refusal {
    Refusal { code: 404, message, retry_after_seconds: None }
}

/// Applies one object.
pub(super) fn apply(world: &mut World, object: &Value) -> Answer {
    let name = |key: &ObjectKey| format!("{}/{}", resource(&key.kind), key.name);
    // What has no name of its own can only be created.
    if object["metadata"]["name"].is_null() {
        return Ok(format!("{} created", name(&world.create(object)?)));
    }
    let (key, applied) = world.apply(object)?;
    let how = match applied {
        Applied::Created => "created",
        Applied::Configured => "configured",
        Applied::Unchanged => "unchanged",
    };
    Ok(format!("{} {how}", name(&key)))
}

/// As `kubectl` names a kind.
fn resource(kind: &Kind) -> String {
    match kind {
        Kind::Job => "job.batch".into(),
        Kind::CronJob => "cronjob.batch".into(),
        other => other.as_str().to_lowercase(),
    }
}

/// The verb as a command line.
pub fn described(verb: &Verb) -> String {
    match verb {
        Verb::Apply(objects) => match objects.as_slice() {
            [one] => format!("kubectl apply ({} {})", text(one, "kind"), text(&one["metadata"], "name")),
            several => format!("kubectl apply ({} objects)", several.len()),
        },
        Verb::Expand(expansion) => format!("kubectl apply ({} objects of a template)", expansion.len()),
        Verb::Delete(delete) => format!("kubectl delete {}{}", target(&delete.target), cascade(delete)),
        Verb::Patch(patch) => {
            let status = if patch.subresource.is_some() { " --subresource=status" } else { "" };
            format!("kubectl patch {}{status} -p '{}'", target(&patch.target), patch.patch)
        }
        Verb::Scale(scale) => format!("kubectl patch job {} -p '{}'", scale.job, sizes(scale)),
        Verb::Suspend(of) => format!("kubectl patch {} -p '{}'", target(of), suspend(true)),
        Verb::Resume(of) => format!("kubectl patch {} -p '{}'", target(of), suspend(false)),
        Verb::Label(label) => {
            let labels = label.set.iter().map(|(key, value)| match value {
                Some(value) => format!(" {key}={value}"),
                None => format!(" {key}-"),
            });
            format!("kubectl label {}{}", target(&label.target), labels.collect::<String>())
        }
        Verb::Drain(drain) => {
            format!("kubectl drain {} --ignore-daemonsets{}", node(&drain.node), grace(drain))
        }
        Verb::Cordon(of) => format!("kubectl cordon {}", node(of)),
        Verb::Uncordon(of) => format!("kubectl uncordon {}", node(of)),
        Verb::CrashNode(of) => format!("{} loses power", node(of)),
        Verb::RecoverNode(of) => format!("{} comes back", node(of)),
        Verb::DeleteNode(of) => format!("kubectl delete node {}", node(of)),
        Verb::ShutdownNode(down) => format!("{} is shut down", node(&down.node)),
        Verb::Taint(taint) => format!("kubectl taint node {} {}", node(&taint.node), taint.taint),
        Verb::Untaint(taint) => format!("kubectl taint node {} {}-", node(&taint.node), taint.taint),
        Verb::Kill(kill) if kill.oom => format!("{} runs out of memory", pods(&kill.pod)),
        Verb::Kill(kill) => format!("{} is killed with exit code {}", pods(&kill.pod), kill.exit_code),
        Verb::Evict(evict) => format!("the kubelet evicts {} for {}", pods(&evict.pod), evict.resource),
        Verb::BreakImage(broken) => format!("the image {} cannot be pulled any more", broken.image),
        Verb::RepairImage(repaired) => format!("the image {} can be pulled again", repaired.image),
        Verb::Push(push) => format!("{} gets {} items", push.queue, push.items.len()),
        Verb::Limit(_) => "the limits of the API server change".into(),
        Verb::Fault(fault) => format!("{fault:?}"),
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn target(target: &Target) -> String {
    let labels: Vec<String> = target.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    match (&target.pod, &target.name) {
        (Some(pod), _) => pods(pod),
        (None, Some(name)) => format!("{} {name}", target.kind.to_lowercase()),
        (None, None) => format!("{} -l {}", target.kind.to_lowercase(), labels.join(",")),
    }
}

fn pods(pod: &PodSelector) -> String {
    let mut parts = Vec::new();
    parts.extend(pod.name.clone());
    parts.extend(pod.job.as_ref().map(|job| format!("of job {job}")));
    parts.extend(pod.index.map(|index| format!("with index {index}")));
    parts.extend(pod.node.as_ref().map(|node| format!("on {node}")));
    parts.extend(pod.phase.as_ref().map(|phase| format!("that is {phase}")));
    match pod.nth {
        Some(nth) => format!("pod number {nth} {}", parts.join(" ")),
        None => format!("pod {}", parts.join(" ")),
    }
}

fn node(node: &NodeSelector) -> String {
    match node {
        NodeSelector::Name(name) => name.clone(),
        NodeSelector::OfPod(pod) => format!("(the node of {})", pods(pod)),
    }
}

fn cascade(delete: &Deletion) -> &'static str {
    match delete.cascade {
        Cascade::Background => "",
        Cascade::Foreground => " --cascade=foreground",
        Cascade::Orphan => " --cascade=orphan",
    }
}

fn grace(drain: &Drain) -> String {
    drain.grace_period.map(|grace| format!(" --grace-period={}", grace.seconds())).unwrap_or_default()
}

fn suspend(suspended: bool) -> Value {
    json!({"spec": {"suspend": suspended}})
}

fn sizes(scale: &super::action::Scale) -> Value {
    let mut spec = serde_json::Map::new();
    for (key, size) in [("parallelism", scale.parallelism), ("completions", scale.completions)] {
        if let Some(size) = size {
            spec.insert(key.to_owned(), size.into());
        }
    }
    json!({ "spec": spec })
}

/// Does what a verb says, apart from applying objects.
pub(super) fn perform(world: &mut World, verb: &Verb) -> Answer {
    match verb {
        // The run applies objects itself, because the server may ask to try again later.
        Verb::Apply(_) | Verb::Expand(_) => Ok(String::new()),
        Verb::Delete(delete) => {
            let propagation = match delete.cascade {
                Cascade::Background => Propagation::Background,
                Cascade::Foreground => Propagation::Foreground,
                Cascade::Orphan => Propagation::Orphan,
            };
            let grace_seconds = delete.grace_period.map(super::Duration::seconds);
            let how = crate::Deletion { propagation: Some(propagation), grace_seconds };
            on_each(world, &delete.target, "deleted", |world, key| world.delete(key, how))
        }
        Verb::Patch(patch) => {
            on_each(world, &patch.target, "patched", |world, key| world.patch(key, &patch.patch))
        }
        Verb::Scale(scale) => {
            let key = only(
                world,
                &Target { kind: "Job".into(), name: Some(scale.job.clone()), ..Target::default() },
            )?;
            world.patch(&key, &sizes(scale))?;
            Ok(format!("job.batch/{} patched", scale.job))
        }
        Verb::Suspend(of) => on_each(world, of, "patched", |world, key| world.patch(key, &suspend(true))),
        Verb::Resume(of) => on_each(world, of, "patched", |world, key| world.patch(key, &suspend(false))),
        Verb::Label(label) => on_each(world, &label.target, "labeled", |world, key| {
            world.label(key, label.set.iter().map(|(name, value)| (name.as_str(), value.as_deref())))
        }),
        Verb::BreakImage(broken) => {
            world.break_image(&broken.image, &broken.error);
            Ok("broken".into())
        }
        Verb::RepairImage(repaired) => {
            world.repair_image(&repaired.image);
            Ok("repaired".into())
        }
        Verb::Push(push) => {
            for item in &push.items {
                world.push_item(&push.queue, QueueKind::Amqp, item);
            }
            Ok(format!("{} items published", push.items.len()))
        }
        Verb::Limit(limits) => {
            world.store.set_limits(limits.clone());
            Ok("changed".into())
        }
        Verb::Fault(fault) => {
            world.inject(fault.fault());
            Ok("injected".into())
        }
        verb => disturb(world, verb),
    }
}

fn disturb(world: &mut World, verb: &Verb) -> Answer {
    let name = |of: &NodeSelector| node_name(world, of);
    let (what, answer) = match verb {
        Verb::Drain(drain) => {
            let grace_period_seconds = drain.grace_period.map(super::Duration::seconds);
            let node = name(&drain.node)?;
            let answer = format!("node/{node} drained");
            (Disturbance::Drain { node, grace_period_seconds, force: false }, answer)
        }
        Verb::Cordon(of) => (Disturbance::Cordon { node: name(of)? }, format!("node/{} cordoned", name(of)?)),
        Verb::Uncordon(of) => {
            (Disturbance::Uncordon { node: name(of)? }, format!("node/{} uncordoned", name(of)?))
        }
        Verb::CrashNode(of) => {
            (Disturbance::NodeLost { node: name(of)? }, format!("{} is silent", name(of)?))
        }
        Verb::RecoverNode(of) => {
            (Disturbance::NodeReturned { node: name(of)? }, format!("{} is back", name(of)?))
        }
        Verb::DeleteNode(of) => {
            (Disturbance::NodeDeleted { node: name(of)? }, format!("node \"{}\" deleted", name(of)?))
        }
        Verb::ShutdownNode(down) => {
            let grace_period_seconds = down.grace_period.map_or(30, super::Duration::seconds);
            let node = name(&down.node)?;
            (Disturbance::NodeShutdown { node, grace_period_seconds }, "shutting down".into())
        }
        Verb::Taint(t) => (
            Disturbance::Taint { node: name(&t.node)?, taint: t.taint.clone() },
            format!("node/{} tainted", name(&t.node)?),
        ),
        Verb::Untaint(t) => (
            Disturbance::Untaint { node: name(&t.node)?, taint: t.taint.clone() },
            format!("node/{} untainted", name(&t.node)?),
        ),
        Verb::Kill(kill) => {
            let pods = pod_select(world, &kill.pod, kill.container.as_deref())?;
            let answer = format!("killed in {}", pods.pod.clone().unwrap_or_default());
            let what = if kill.oom {
                Disturbance::OomKill { pods }
            } else {
                Disturbance::KillContainer { pods, exit_code: kill.exit_code }
            };
            (what, answer)
        }
        Verb::Evict(evict) => {
            let pods = pod_select(world, &evict.pod, None)?;
            let answer = format!("evicted {}", pods.pod.clone().unwrap_or_default());
            (Disturbance::Evict { pods, resource: evict.resource.clone() }, answer)
        }
        _ => return Ok(String::new()),
    };
    match world.disturb(&what) {
        Ok(0) if matches!(what, Disturbance::KillContainer { .. } | Disturbance::OomKill { .. }) => {
            Err(not_found("there is no running container to kill".into()))
        }
        Ok(_) => Ok(answer),
        Err(message) => Err(Refusal { code: 400, message, retry_after_seconds: None }),
    }
}

/// The first Pod that is selected, as the data plane selects Pods.
fn pod_select(world: &World, selector: &PodSelector, container: Option<&str>) -> Result<PodSelect, Refusal> {
    let pod = selected(world, selector).next().ok_or_else(|| not_found("there is no such Pod".into()))?;
    Ok(PodSelect {
        namespace: Some(pod.namespace.to_string()),
        pod: Some(pod.name.to_string()),
        container: container.map(str::to_owned),
        ..PodSelect::default()
    })
}

fn node_name(world: &World, node: &NodeSelector) -> Result<String, Refusal> {
    match node {
        NodeSelector::Name(name) => Ok(name.clone()),
        NodeSelector::OfPod(selector) => {
            let nodes = selected(world, selector).filter_map(|pod| pod.node.as_deref());
            let first = nodes.map(str::to_owned).next();
            first.ok_or_else(|| not_found("there is no such Pod on a node".into()))
        }
    }
}

/// Does something to every object of a target.
fn on_each(
    world: &mut World,
    target: &Target,
    done: &str,
    mut act: impl FnMut(&mut World, &ObjectKey) -> Result<(), ApiError>,
) -> Answer {
    let keys = match &target.name {
        Some(_) => vec![only(world, target)?],
        None => keys(world, target),
    };
    let mut answer = Vec::new();
    for key in &keys {
        act(world, key)?;
        answer.push(format!("{}/{} {done}", resource(&key.kind), key.name));
    }
    Ok(match answer.as_slice() {
        [] => "No resources found".into(),
        [some @ .., last] if some.len() > 3 => {
            format!("{}, … {last} ({} in all)", some[..2].join(", "), keys.len())
        }
        all => all.join(", "),
    })
}

fn only(world: &World, target: &Target) -> Result<ObjectKey, Refusal> {
    let kind = Kind::parse(&target.kind);
    let missing = || {
        let name = target.name.as_deref().unwrap_or_default();
        Refusal::from(ApiError::not_found(&kind.resource(), name))
    };
    keys(world, target).into_iter().next().ok_or_else(missing)
}

/// The objects of a target, in all namespaces.
fn keys(world: &World, target: &Target) -> Vec<ObjectKey> {
    if let Some(selector) = &target.pod {
        let key = |pod: &crate::object::Pod| ObjectKey::new(Kind::Pod, &pod.namespace, &pod.name);
        return selected(world, selector).map(key).collect();
    }
    let kind = Kind::parse(&target.kind);
    if kind == Kind::Pod {
        let pods = PodSelector {
            name: target.name.clone(),
            labels: target.labels.clone(),
            ..PodSelector::default()
        };
        let key = |pod: &crate::object::Pod| ObjectKey::new(Kind::Pod, &pod.namespace, &pod.name);
        return selected(world, &pods).map(key).collect();
    }
    let wanted = |object: &&crate::store::Object| {
        let metadata = object.metadata();
        target.name.as_ref().is_none_or(|name| *name == metadata.name)
            && target.labels.iter().all(|(key, value)| metadata.labels.get(key) == Some(value))
    };
    world
        .store
        .objects()
        .filter(wanted)
        .map(crate::store::Object::key)
        .filter(|key| key.kind == kind)
        .collect()
}
