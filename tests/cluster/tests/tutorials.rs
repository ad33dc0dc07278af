//! The tutorials of the Kubernetes documentation about failure policies, with the assertions of the scenarios.

use cluster_tests::{LIMIT, World, condition, eventually, has_condition, is_like, job, text};
use serde_json::{Value, json};

/// The reason and the message of the condition `Failed`.
fn failure(world: &World, name: &str) -> (String, String) {
    let failed = condition(&world.wait_for(name, "Failed"), "Failed").unwrap();
    (text(&failed["reason"]), text(&failed["message"]))
}

#[test]
fn a_bug_ends_the_job_at_once() {
    let world = World::new("failjob");
    let controller = world.controller(&[]);
    let behaviour = [("run-time", "1s"), ("exit-code", "42")];
    let rule = json!({"action": "FailJob", "onExitCodes": {"containerName": "main", "operator": "In", "values": [42]}});
    let spec =
        json!({"completions": 8, "parallelism": 2, "backoffLimit": 6, "podFailurePolicy": {"rules": [rule]}});
    let name = "job-pod-failure-policy-failjob";
    world.create("jobs", &job(name, &behaviour, spec));
    let (reason, message) = failure(&world, name);
    assert_eq!(reason, "PodFailurePolicy");
    let expected = format!(
        "Container main for pod {}/{name}-* failed with exit code 42 matching FailJob rule at index 0",
        world.namespace
    );
    assert!(is_like(&message, &expected), "{message}");
    let failed = world.get(&format!("jobs/{name}"));
    assert!(has_condition(&failed, "FailureTarget"));
    assert_eq!(failed["status"]["active"], Value::Null);
    assert!(world.pods(name).len() <= 2);
    assert_eq!(world.wait_for_event(name, "PodFailurePolicy", LIMIT), message);
    let handled = "job_controller_pod_failures_handled_by_failure_policy_total{action=\"FailJob\"}";
    assert!(controller.metric(handled) >= 1.0);
    world.wait_for_no_finalizers();
    controller.assert_nothing_refused();
}

#[test]
fn without_the_policy_the_limit_ends_it() {
    let world = World::new("nopolicy");
    let controller = world.controller(&[]);
    let name = "job-pod-failure-policy-failjob";
    let spec = json!({"completions": 8, "parallelism": 1, "backoffLimit": 2});
    world.create("jobs", &job(name, &[("run-time", "200ms"), ("exit-code", "42")], spec));
    let expected =
        ("BackoffLimitExceeded".to_owned(), "Job has reached the specified backoff limit".to_owned());
    assert_eq!(failure(&world, name), expected);
    assert_eq!(world.get(&format!("jobs/{name}"))["status"]["failed"], 3);
    assert_eq!(world.pods(name).len(), 3);
    world.wait_for_no_finalizers();
    controller.assert_nothing_refused();
}

/// Fake nodes that only Pods of one test come to.
struct OwnNodes<'w>(&'w World, Vec<String>);

impl<'w> OwnNodes<'w> {
    fn new(world: &'w World) -> Self {
        let names: Vec<String> = (1..=2).map(|number| format!("{}-{number}", world.namespace)).collect();
        for name in &names {
            let node = json!({
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {
                    "name": name,
                    "annotations": {"kwok.x-k8s.io/node": "fake"},
                    "labels": {"kubernetes.io/hostname": name, "only-for": world.namespace},
                },
                "spec": {"taints": [{"key": "only-for", "value": world.namespace, "effect": "NoSchedule"}]},
            });
            world.call("POST", "/api/v1/nodes", Some(&node)).value();
        }
        OwnNodes(world, names)
    }

    /// Sends the Pods of a Job to these nodes.
    fn take(&self, job: &mut Value) {
        let template = &mut job["spec"]["template"]["spec"];
        template["nodeSelector"] = json!({"only-for": self.0.namespace});
        template["tolerations"] = json!([{"key": "only-for", "operator": "Exists"}]);
    }
}

impl Drop for OwnNodes<'_> {
    fn drop(&mut self) {
        for name in &self.1 {
            let _ = self.0.call("DELETE", &format!("/api/v1/nodes/{name}"), None);
        }
    }
}

#[test]
fn a_drained_node_does_not_count_as_a_failure() {
    let world = World::new("ignore");
    let nodes = OwnNodes::new(&world);
    let controller = world.controller(&[]);
    let rule =
        json!({"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]});
    let spec =
        json!({"completions": 4, "parallelism": 2, "backoffLimit": 0, "podFailurePolicy": {"rules": [rule]}});
    let name = "job-pod-failure-policy-ignore";
    let mut drained = job(name, &[("run-time", "8s")], spec);
    nodes.take(&mut drained);
    world.create("jobs", &drained);
    let node = eventually("a Pod runs", LIMIT, || {
        let pods = world.pods(name);
        let running = pods.iter().find(|pod| pod["status"]["phase"] == "Running");
        running.map(|pod| text(&pod["spec"]["nodeName"])).ok_or(format!("{} Pods, none runs", pods.len()))
    });
    world.kubectl(&["drain", &node, "--force", "--ignore-daemonsets", "--grace-period=0"]);
    let done = world.wait_for(name, "Complete");
    assert_eq!((&done["status"]["succeeded"], &done["status"]["failed"]), (&json!(4), &Value::Null));
    let ignored = "job_controller_pod_failures_handled_by_failure_policy_total{action=\"Ignore\"}";
    assert!(controller.metric(ignored) >= 1.0);
    world.wait_for_no_finalizers();
    controller.assert_nothing_refused();
}

#[test]
fn a_condition_of_ones_own_ends_the_job() {
    let world = World::new("config");
    let controller = world.controller(&[]);
    let rule = json!({"action": "FailJob", "onPodConditions": [{"type": "ConfigIssue", "status": "True"}]});
    let spec =
        json!({"completions": 8, "parallelism": 2, "backoffLimit": 6, "podFailurePolicy": {"rules": [rule]}});
    let name = "job-pod-failure-policy-config-issue";
    world.create("jobs", &job(name, &[("image", "missing")], spec));
    let pod = eventually("two Pods cannot pull their image", LIMIT, || {
        let pods = world.pods(name);
        let waits = |pod: &&Value| {
            pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "ImagePullBackOff"
        };
        match pods.iter().filter(waits).collect::<Vec<_>>().as_slice() {
            [first, _] => Ok(text(&first["metadata"]["name"])),
            other => Err(format!("{} Pods", other.len())),
        }
    });
    let time = text(&world.get(&format!("pods/{pod}"))["metadata"]["creationTimestamp"]);
    let mark = json!({"type": "ConfigIssue", "status": "True", "reason": "NonExistingImage", "lastTransitionTime": time});
    let patch = json!({"status": {"conditions": [mark]}}).to_string();
    world.kubectl(&["patch", "pod", &pod, "--subresource=status", "--patch", &patch]);
    world.kubectl(&["delete", "pod", &pod, "--wait=false"]);
    let (reason, message) = failure(&world, name);
    assert_eq!(reason, "PodFailurePolicy");
    let expected =
        format!("Pod {}/{pod} has condition ConfigIssue matching FailJob rule at index 0", world.namespace);
    assert_eq!(message, expected);
    world.wait_for_no_finalizers();
    controller.assert_nothing_refused();
}
