//! What of a Job's spec decides its bounds, and what its Pods' failures lead to.

use super::environment::Environment;
use crate::data::stop::SHORTEST_GRACE_SECONDS;
use policy_core::job::{Action, Intervals, match_pod_failure_policy, matched_success_rule};
use policy_core::seconds_to_nanos;
use policy_core::spec::{
    ContainerState, ContainerStateTerminated, ContainerStatus, Job, PodCondition, PodStatus,
};
use serde_json::Value;

/// The exit codes of containers that are asked to stop, or killed.
const STOPPED: [i32; 2] = [137, 143];

/// The parts of a Job that matter.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) indexed: bool,
    /// Unset for a work queue.
    pub(super) completions: Option<u128>,
    pub(super) parallelism: u128,
    /// Unset when it is so large that it is never exceeded.
    pub(super) backoff_limit: Option<u128>,
    pub(super) per_index: Option<u128>,
    pub(super) max_failed_indexes: Option<u128>,
    pub(super) only_replaces_failed: bool,
    pub(super) deadline_seconds: Option<i64>,
    pub(super) suspended: bool,
    /// Whether a rule of the success policy is met once all indexes have succeeded; unset without a policy.
    pub(super) success_policy: Option<bool>,
    pub(super) ttl_seconds: Option<i32>,
    pub(super) template: Template,
    pub(super) actions: Actions,
}

/// The parts of the Pod template that matter.
#[derive(Clone, Debug, Default)]
pub(super) struct Template {
    /// Whether the kubelet restarts containers that fail.
    pub(super) on_failure: bool,
    pub(super) grace_seconds: i64,
    pub(super) deadline_seconds: Option<i64>,
    pub(super) init_containers: u128,
    pub(super) sidecars: u128,
    /// A container with a restart policy or with rules of its own.
    pub(super) own_restarts: Option<String>,
}

/// What the failure of a Pod can lead to, each with the rule of the Pod failure policy that says so, if one does.
#[derive(Clone, Debug, Default)]
pub(super) struct Actions {
    pub(super) count: bool,
    pub(super) ignore: Option<u32>,
    pub(super) fail_index: Option<u32>,
    pub(super) fail_job: Option<u32>,
}

impl Actions {
    pub(super) fn any(&self) -> bool {
        self.count || self.ignore.is_some() || self.fail_index.is_some() || self.fail_job.is_some()
    }

    fn add(&mut self, found: Option<(u32, Action)>) {
        let slot = match found {
            None | Some((_, Action::Count)) => {
                self.count = true;
                return;
            }
            Some((_, Action::Ignore)) => &mut self.ignore,
            Some((_, Action::FailIndex)) => &mut self.fail_index,
            Some((_, Action::FailJob)) => &mut self.fail_job,
        };
        *slot = slot.or(found.map(|(rule, _)| rule));
    }
}

impl Facts {
    /// Reads a Job as the API server stores it.
    pub(super) fn of(job: &Job, environment: &Environment) -> Self {
        let spec = &job.spec;
        let number = |value: i32| u128::try_from(value).unwrap_or(0);
        let pod: Value = serde_json::from_str(spec.template.json()).unwrap_or_default();
        let template = Template::of(&pod["spec"]);
        let mut facts = Facts {
            indexed: spec.is_indexed(),
            completions: spec.completions.map(number),
            parallelism: number(spec.parallelism.unwrap_or(1)),
            backoff_limit: Some(spec.backoff_limit.unwrap_or(6))
                .filter(|limit| *limit < i32::MAX)
                .map(number),
            per_index: spec.backoff_limit_per_index.filter(|_| spec.is_indexed()).map(number),
            max_failed_indexes: spec.max_failed_indexes.map(number),
            only_replaces_failed: spec.only_replaces_failed_pods(),
            deadline_seconds: spec.active_deadline_seconds,
            suspended: spec.is_suspended(),
            success_policy: spec.success_policy.as_ref().map(|policy| {
                let completions = i64::from(spec.completions.unwrap_or(0));
                let all = Intervals::parse(&format!("0-{}", completions.saturating_sub(1)), completions);
                matched_success_rule(policy, completions, &all).is_some()
            }),
            ttl_seconds: spec.ttl_seconds_after_finished,
            template,
            actions: Actions::default(),
        };
        facts.actions = facts.actions_of(job, &pod["spec"], environment);
        facts
    }

    /// The deadline in milliseconds. Upstream multiplies seconds to nanoseconds, which may wrap around; what becomes
    /// negative is over before it begins.
    pub(super) fn deadline_millis(&self) -> Option<u128> {
        let nanos = seconds_to_nanos(self.deadline_seconds?);
        Some(u128::try_from(nanos).unwrap_or(0).div_ceil(1_000_000))
    }

    /// Whether the Job fails in its first sync, before it has any Pod.
    pub(super) fn is_over_at_once(&self) -> bool {
        self.deadline_millis() == Some(0)
    }

    /// How many Pods are wanted at the start.
    pub(super) fn slots(&self) -> u128 {
        if self.is_over_at_once() {
            return 0;
        }
        self.completions.map_or(self.parallelism, |completions| completions.min(self.parallelism))
    }

    /// What failures of Pods can lead to, by asking the failure policy about each way a Pod can fail.
    fn actions_of(&self, job: &Job, pod: &Value, environment: &Environment) -> Actions {
        let template = &self.template;
        let mut actions = Actions::default();
        let codes = environment.exit_codes.failures();
        let by_exit = !codes.is_empty() && (!template.on_failure || template.own_restarts.is_some());
        let stopped = template.deadline_seconds.is_some() || template.sidecars > 0 || environment.disruptions;
        let Some(policy) = &job.spec.pod_failure_policy else {
            actions.count = by_exit || template.deadline_seconds.is_some() || environment.disruptions;
            return actions;
        };
        let matched = |status: &PodStatus| {
            match_pod_failure_policy(policy, status).map(|found| (found.rule, found.action))
        };
        let all: Vec<i32> = codes.iter().copied().chain(STOPPED.into_iter().filter(|_| stopped)).collect();
        for (name, init) in containers(pod) {
            for code in all.iter().filter(|_| by_exit) {
                actions.add(matched(&ended(&name, init, *code, None)));
            }
            // A container that is stopped may also end well, or not have begun, while its Pod fails.
            for code in all.iter().chain([&0]).filter(|_| template.deadline_seconds.is_some()) {
                actions.add(matched(&ended(&name, init, *code, None)));
            }
            for code in all.iter().chain([&0]).filter(|_| environment.disruptions) {
                actions.add(matched(&ended(&name, init, *code, Some("DisruptionTarget"))));
            }
        }
        actions
    }
}

/// The names of a Pod's containers, and whether they are init containers.
fn containers(pod: &Value) -> Vec<(String, bool)> {
    let list = |key: &str, init: bool| {
        let list = pod[key].as_array().into_iter().flatten();
        list.map(|c| (c["name"].as_str().unwrap_or_default().to_owned(), init)).collect::<Vec<_>>()
    };
    [list("initContainers", true), list("containers", false)].concat()
}

/// The status of a Pod in which one container has ended.
fn ended(name: &str, init: bool, exit_code: i32, condition: Option<&str>) -> PodStatus {
    let terminated = Some(ContainerStateTerminated { exit_code, ..ContainerStateTerminated::default() });
    let state = ContainerState { terminated };
    let status = vec![ContainerStatus { name: name.into(), state, ..ContainerStatus::default() }];
    let (init_container_statuses, container_statuses) =
        if init { (status, Vec::new()) } else { (Vec::new(), status) };
    let conditions = condition.into_iter().map(|kind| PodCondition {
        kind: kind.into(),
        status: "True".into(),
        ..PodCondition::default()
    });
    PodStatus {
        phase: "Failed".into(),
        conditions: conditions.collect(),
        init_container_statuses,
        container_statuses,
        ..PodStatus::default()
    }
}

impl Template {
    fn of(pod: &Value) -> Self {
        let list = |key: &str| pod[key].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_sidecar = |container: &&Value| container["restartPolicy"] == "Always";
        let (init, regular) = (list("initContainers"), list("containers"));
        let sidecars = init.iter().filter(is_sidecar).count();
        let own = |container: &&Value| {
            !container["restartPolicy"].is_null() || container["restartPolicyRules"].is_array()
        };
        let mut owners = init.iter().filter(|c| !is_sidecar(c)).chain(regular).filter(own);
        Template {
            on_failure: pod["restartPolicy"] == "OnFailure",
            grace_seconds: pod["terminationGracePeriodSeconds"].as_i64().unwrap_or(30),
            deadline_seconds: pod["activeDeadlineSeconds"].as_i64(),
            init_containers: (init.len() - sidecars) as u128,
            sidecars: sidecars as u128,
            own_restarts: owners.next().map(|c| c["name"].as_str().unwrap_or_default().to_owned()),
        }
    }

    /// How long a container gets to stop, in milliseconds.
    pub(super) fn grace_millis(&self) -> u128 {
        u128::try_from(self.grace_seconds.max(SHORTEST_GRACE_SECONDS)).unwrap_or(0).saturating_mul(1_000)
    }
}
