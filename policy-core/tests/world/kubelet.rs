//! The kubelet: Pods get to a node, run, and end as chance has it.

use super::random::Random;
use super::store::Store;
use policy_core::spec::{ContainerState, ContainerStateTerminated, ContainerStatus, Pod, PodCondition};

pub(crate) struct Kubelet {
    /// How many Pods may still fail; after that all succeed, so that every Job comes to an end.
    pub(crate) failures_left: usize,
    pub(crate) on_failure: bool,
}

fn has_ended(pod: &Pod) -> bool {
    matches!(pod.status.phase.as_str(), "Succeeded" | "Failed")
}

/// Whether the kubelet has something to do for the Pod: bind it, end it, or let it go.
fn wants_step(pod: &Pod) -> bool {
    !has_ended(pod) || pod.metadata.is_deleting() && pod.metadata.finalizers.is_empty()
}

impl Kubelet {
    pub(crate) fn calm(&mut self) {
        self.failures_left = self.failures_left.min(2);
    }

    pub(crate) fn has_work(&self, store: &Store) -> bool {
        store.pods.values().any(wants_step)
    }

    pub(crate) fn step(&mut self, store: &mut Store, random: &mut Random) {
        let pods: Vec<Pod> = store.pods.values().filter(|pod| wants_step(pod)).cloned().collect();
        if pods.is_empty() {
            return;
        }
        let mut pod = random.pick(&pods);
        if pod.metadata.is_deleting() {
            return self.end_deleted(store, pod, random);
        }
        match pod.status.phase.as_str() {
            _ if pod.spec.node_name.is_empty() => pod.spec.node_name = "node".into(),
            "Pending" => {
                pod.status.phase = "Running".into();
                set_condition(&mut pod, "Ready", "True", store);
            }
            _ if self.failures_left > 0 && random.chance(50) => {
                self.failures_left -= 1;
                self.fail(&mut pod, random, store);
            }
            _ => end(&mut pod, "Succeeded", 0, store),
        }
        store.put_pod(pod);
    }

    /// A Pod that is being deleted fails, succeeds at the last moment, or just goes.
    fn end_deleted(&self, store: &mut Store, mut pod: Pod, random: &mut Random) {
        if !has_ended(&pod) {
            match random.below(10) {
                0 => {}
                1 => end(&mut pod, "Succeeded", 0, store),
                _ => end(&mut pod, "Failed", 137, store),
            }
        }
        if !has_ended(&pod) && !pod.metadata.finalizers.is_empty() {
            // Forced deletion waits for the finalizer; then the Pod collector marks the Pod as failed.
            end(&mut pod, "Failed", 137, store);
        }
        store.release_to_deletion(pod);
    }

    fn fail(&self, pod: &mut Pod, random: &mut Random, store: &Store) {
        let code = random.pick(&[1, 2, 42, 43]);
        if self.on_failure {
            let statuses = &mut pod.status.container_statuses;
            if statuses.is_empty() {
                statuses.push(ContainerStatus { name: "main".into(), ..ContainerStatus::default() });
            }
            statuses[0].restart_count += 1;
        } else {
            end(pod, "Failed", code, store);
        }
    }

    /// A node goes: its Pods get DisruptionTarget and fail.
    pub(crate) fn disrupt(&mut self, store: &mut Store, random: &mut Random) {
        let running: Vec<Pod> = store.pods.values().filter(|pod| !has_ended(pod)).cloned().collect();
        if running.is_empty() || self.failures_left == 0 {
            return;
        }
        self.failures_left -= 1;
        let mut pod = random.pick(&running);
        set_condition(&mut pod, "DisruptionTarget", "True", store);
        end(&mut pod, "Failed", 137, store);
        store.put_pod(pod);
    }
}

fn set_condition(pod: &mut Pod, kind: &str, status: &str, store: &Store) {
    pod.status.conditions.retain(|condition| condition.kind != kind);
    pod.status.conditions.push(PodCondition {
        kind: kind.into(),
        status: status.into(),
        last_transition_time: Some(store.now.truncated()),
        ..PodCondition::default()
    });
}

fn end(pod: &mut Pod, phase: &str, exit_code: i32, store: &Store) {
    pod.status.phase = phase.into();
    set_condition(pod, "Ready", "False", store);
    let restart_count = pod.status.container_statuses.first().map_or(0, |status| status.restart_count);
    let finished_at = Some(store.now.truncated());
    let terminated = Some(ContainerStateTerminated { exit_code, finished_at, ..Default::default() });
    let state = ContainerState { terminated };
    pod.status.container_statuses = vec![ContainerStatus { name: "main".into(), state, restart_count }];
}
