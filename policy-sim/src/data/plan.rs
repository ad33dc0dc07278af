//! What the data plane reads of a Pod's `spec`: once for all Pods of a Job.

use crate::object::{ContainerSpec, Pod, PodBase};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What scheduler and kubelet need to know of a `spec`.
#[derive(Clone, Debug, Default)]
pub(crate) struct PodPlan {
    /// What the scheduler looks at.
    pub(super) needs: Arc<Needs>,
    /// The node that the `spec` names itself.
    pub(super) node_name: Option<String>,
    /// `hostname`.
    pub(super) hostname: Option<String>,
    /// `subdomain`.
    pub(super) subdomain: Option<Arc<str>>,
    /// `activeDeadlineSeconds`.
    pub(super) active_deadline_seconds: Option<i64>,
    /// Containers, in the order of `PodBase::containers`.
    pub(super) containers: Vec<ContainerPlan>,
}

/// What decides where a Pod fits. Pods with equal needs are equals to the scheduler.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Needs {
    /// `priority`.
    pub(super) priority: i64,
    /// Whether it may preempt (`preemptionPolicy` is not `Never`).
    pub(super) preempts: bool,
    /// Millicores.
    pub(super) cpu_millis: u64,
    /// Bytes.
    pub(super) memory_bytes: u64,
    /// `nodeSelector`.
    pub(super) node_selector: BTreeMap<String, String>,
    /// `tolerations`.
    pub(super) tolerations: Vec<Toleration>,
}

/// A toleration.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Toleration {
    /// The taint's key; `None` tolerates every key.
    pub(super) key: Option<String>,
    /// The value that is asked for; `None` with `Exists`.
    pub(super) value: Option<String>,
    /// The effect; `None` is every effect.
    pub(super) effect: Option<String>,
    /// How long a NoExecute taint is borne; `None` is for ever.
    pub(super) seconds: Option<i64>,
}

/// A container of the `spec`.
#[derive(Clone, Debug, Default)]
pub(super) struct ContainerPlan {
    /// `command` and `args`.
    pub(super) command: Vec<String>,
    /// `env`.
    pub(super) env: Vec<(String, EnvValue)>,
    /// `imagePullPolicy`, defaulted from the tag.
    pub(super) pull: Pull,
    /// `restartPolicy` of the container itself.
    pub(super) restart: Option<Restart>,
    /// `restartPolicyRules`: exit codes, whether they are listed as `In`; all of them restart.
    pub(super) restart_rules: Vec<(bool, Vec<i64>)>,
}

/// The value of an environment variable.
#[derive(Clone, Debug)]
pub(super) enum EnvValue {
    /// Written out.
    Text(String),
    /// A field of the Pod.
    Field(String),
}

/// When images are pulled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Pull {
    /// At every start.
    Always,
    /// When the node does not have it.
    #[default]
    IfNotPresent,
    /// Not at all.
    Never,
}

/// When containers are restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Restart {
    /// Whenever they end.
    Always,
    /// When they fail.
    OnFailure,
    /// Not at all.
    Never,
}

impl Restart {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "Always" => Some(Restart::Always),
            "OnFailure" => Some(Restart::OnFailure),
            "Never" => Some(Restart::Never),
            _ => None,
        }
    }
}

/// The plan of a Pod's base, read when first asked for.
pub(super) fn plan_of(pod: &Pod) -> Arc<PodPlan> {
    pod.base.plan.get_or_init(|| Arc::new(PodPlan::read(&pod.base))).clone()
}

impl PodPlan {
    fn read(base: &PodBase) -> Self {
        let spec = &base.spec;
        let text = |key: &str| spec[key].as_str().filter(|s| !s.is_empty()).map(String::from);
        PodPlan {
            needs: Arc::new(Needs::read(spec)),
            node_name: text("nodeName"),
            hostname: text("hostname"),
            subdomain: text("subdomain").map(Arc::from),
            active_deadline_seconds: spec["activeDeadlineSeconds"].as_i64(),
            containers: base.containers.iter().map(|c| ContainerPlan::read(spec, c)).collect(),
        }
    }
}

impl Needs {
    fn read(spec: &Value) -> Self {
        let selector = spec["nodeSelector"].as_object();
        let pairs = selector.into_iter().flatten();
        Needs {
            priority: spec["priority"].as_i64().unwrap_or_else(|| class_priority(spec)),
            preempts: spec["preemptionPolicy"] != "Never",
            cpu_millis: requests(spec, "cpu", 1_000),
            memory_bytes: requests(spec, "memory", 1),
            node_selector: pairs.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.into()))).collect(),
            tolerations: list(&spec["tolerations"]).iter().map(Toleration::read).collect(),
        }
    }
}

/// The priority of the built-in classes (`scheduling.SystemPriorityClasses`).
fn class_priority(spec: &Value) -> i64 {
    match spec["priorityClassName"].as_str() {
        Some("system-node-critical") => 2_000_001_000,
        Some("system-cluster-critical") => 2_000_000_000,
        _ => 0,
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// What the containers request together (`resource.PodRequests`): the sum of the running ones, or what an init container
/// needs beside the sidecars before it, whichever is more.
fn requests(spec: &Value, resource: &str, scale: u64) -> u64 {
    let of = |container: &Value| amount(&container["resources"]["requests"][resource], scale);
    let mut sidecars = 0_u64;
    let mut most = 0_u64;
    for init in list(&spec["initContainers"]) {
        if init["restartPolicy"] == "Always" {
            sidecars = sidecars.saturating_add(of(init));
            most = most.max(sidecars);
        } else {
            most = most.max(sidecars.saturating_add(of(init)));
        }
    }
    let running = list(&spec["containers"]).iter().map(of).fold(sidecars, u64::saturating_add);
    let aggregate = match &spec["resources"]["requests"][resource] {
        Value::Null => running.max(most),
        own => amount(own, scale),
    };
    aggregate.saturating_add(amount(&spec["overhead"][resource], scale))
}

/// A quantity times `scale`, rounded up. Manifests have been validated, so what does not parse counts as nothing.
fn amount(value: &Value, scale: u64) -> u64 {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return 0,
    };
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (digits, suffix) = text.split_at(end);
    let factor = match suffix {
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0_f64.powi(3),
        "Ti" => 1024.0_f64.powi(4),
        "Pi" => 1024.0_f64.powi(5),
        "Ei" => 1024.0_f64.powi(6),
        exponent => exponent.trim_start_matches(['e', 'E']).parse().map_or(0.0, |e: i32| 10.0_f64.powi(e)),
    };
    // The product of a short decimal and a power of ten may be off by a last bit; that is no reason to round up.
    let product = digits.parse::<f64>().unwrap_or(0.0) * factor * scale as f64;
    let nearest = product.round();
    if (product - nearest).abs() < 1e-6 { nearest as u64 } else { product.ceil() as u64 }
}

impl Toleration {
    fn read(toleration: &Value) -> Self {
        let text = |key: &str| toleration[key].as_str().filter(|s| !s.is_empty()).map(String::from);
        let exists = toleration["operator"] == "Exists";
        Toleration {
            key: text("key"),
            value: (!exists).then(|| text("value").unwrap_or_default()),
            effect: text("effect"),
            seconds: toleration["tolerationSeconds"].as_i64(),
        }
    }
}

impl ContainerPlan {
    fn read(spec: &Value, container: &ContainerSpec) -> Self {
        let key = if container.init { "initContainers" } else { "containers" };
        let found = list(&spec[key]).iter().find(|c| c["name"] == *container.name);
        let raw = found.unwrap_or(&Value::Null);
        let words = |key: &str| list(&raw[key]).iter().filter_map(|word| word.as_str().map(String::from));
        let given = container.env.iter().map(|(name, value)| (name.clone(), EnvValue::Text(value.clone())));
        ContainerPlan {
            command: words("command").chain(words("args")).collect(),
            env: given.chain(list(&raw["env"]).iter().filter_map(env_entry)).collect(),
            pull: pull_policy(&raw["imagePullPolicy"], &container.image),
            restart: raw["restartPolicy"].as_str().and_then(Restart::parse),
            restart_rules: list(&raw["restartPolicyRules"]).iter().filter_map(restart_rule).collect(),
        }
    }
}

fn env_entry(entry: &Value) -> Option<(String, EnvValue)> {
    let name = entry["name"].as_str()?.into();
    let field = entry["valueFrom"]["fieldRef"]["fieldPath"].as_str();
    let value = match field {
        Some(path) => EnvValue::Field(path.into()),
        None => EnvValue::Text(entry["value"].as_str().unwrap_or_default().into()),
    };
    Some((name, value))
}

fn restart_rule(rule: &Value) -> Option<(bool, Vec<i64>)> {
    if rule["action"] != "Restart" {
        return None;
    }
    let codes = &rule["exitCodes"];
    Some((codes["operator"] == "In", list(&codes["values"]).iter().filter_map(Value::as_i64).collect()))
}

/// The policy, or its default: `Always` for `:latest` and for no tag (`SetDefaults_Container`).
fn pull_policy(given: &Value, image: &str) -> Pull {
    match given.as_str() {
        Some("Always") => Pull::Always,
        Some("Never") => Pull::Never,
        Some("IfNotPresent") => Pull::IfNotPresent,
        _ => {
            let name = image.rsplit('/').next().unwrap_or(image);
            let latest = !name.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest");
            if latest { Pull::Always } else { Pull::IfNotPresent }
        }
    }
}

/// When a container of the Pod is restarted: by its own policy, else the Pod's; sidecars always
/// (`podutil.ContainerShouldRestart`).
pub(super) fn should_restart(base: &PodBase, plan: &PodPlan, index: usize, exit_code: i32) -> bool {
    let spec = base.containers.get(index);
    let container = plan.containers.get(index);
    if spec.is_some_and(|c| c.sidecar) {
        return true;
    }
    let rules = container.map_or(&[][..], |c| &c.restart_rules);
    if rules.iter().any(|(within, codes)| codes.contains(&exit_code.into()) == *within) {
        return true;
    }
    let policy = container.and_then(|c| c.restart).or_else(|| Restart::parse(&base.restart_policy));
    let init = spec.is_some_and(|c| c.init);
    match policy {
        Some(Restart::Never) => false,
        Some(Restart::OnFailure) => exit_code != 0,
        // An init container that has succeeded is done, whatever the policy.
        _ => exit_code != 0 || !init,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quantities_are_scaled_and_rounded_up() {
        let cpu = |text: &str| amount(&json!(text), 1_000);
        assert_eq!((cpu("100m"), cpu("1.5"), cpu("2"), cpu("1u"), cpu("0.29")), (100, 1_500, 2_000, 1, 290));
        let memory = |text: &str| amount(&json!(text), 1);
        assert_eq!((memory("1Gi"), memory("1500k"), memory("2e3")), (1 << 30, 1_500_000, 2_000));
    }

    #[test]
    fn requests_take_the_larger_of_init_and_running() {
        let with = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu}}});
        let mut sidecar = with("2");
        sidecar["restartPolicy"] = json!("Always");
        let spec =
            json!({"initContainers": [with("3"), sidecar, with("4")], "containers": [with("1"), with("1")]});
        assert_eq!(requests(&spec, "cpu", 1_000), 6_000);
        let spec = json!({"initContainers": [with("3")], "containers": [with("1"), with("1")]});
        assert_eq!(requests(&spec, "cpu", 1_000), 3_000);
    }

    #[test]
    fn latest_is_pulled_always() {
        let policy = |image: &str| pull_policy(&Value::Null, image);
        assert_eq!(policy("busybox"), Pull::Always);
        assert_eq!(policy("host:5000/busybox:latest"), Pull::Always);
        assert_eq!(policy("busybox:1.28"), Pull::IfNotPresent);
        assert_eq!(policy("busybox@sha256:00"), Pull::IfNotPresent);
    }
}
