//! Events about Pods and nodes, in upstream's words.

use crate::World;
use crate::object::PodId;
use crate::record::EventRecord;

/// The kubelet's name as a reporter.
pub(super) const KUBELET: &str = "kubelet";
/// The scheduler's.
pub(super) const SCHEDULER: &str = "default-scheduler";
/// The taint manager's.
pub(super) const TAINT_MANAGER: &str = "taint-eviction-controller";
/// The node controller's.
pub(super) const NODE_CONTROLLER: &str = "node-controller";

impl World {
    /// Records an event about a Pod that exists.
    pub(super) fn pod_event(
        &mut self,
        pod: PodId,
        kind: &'static str,
        reason: &str,
        message: String,
        component: &'static str,
    ) {
        let Some(pod) = self.store.pod(pod) else { return };
        let at = self.now;
        self.record.keep_event(|| {
            let object = format!("Pod/{}", pod.name);
            EventRecord::new(at, (kind, component), reason, (&object, &message), Some(&pod.name))
        });
    }

    /// Records a normal event by the kubelet.
    pub(super) fn kubelet_event(&mut self, pod: PodId, reason: &str, message: String) {
        self.pod_event(pod, "Normal", reason, message, KUBELET);
    }

    /// Records a warning by the kubelet.
    pub(super) fn kubelet_warning(&mut self, pod: PodId, reason: &str, message: String) {
        self.pod_event(pod, "Warning", reason, message, KUBELET);
    }

    /// Records an event about a node.
    pub(super) fn node_event(&mut self, node: &str, reason: &str, message: String, component: &'static str) {
        let at = self.now;
        self.record.keep_event(|| {
            let object = format!("Node/{node}");
            EventRecord::new(at, ("Normal", component), reason, (&object, &message), None)
        });
    }
}
