//! Scenarios that show what a finding says.

use super::subject::Subject;
use policy_core::{NANOS_PER_SECOND, Timestamp};
use serde_json::{Map, Value, json};

/// More Pods than this add nothing to a proof.
pub(super) const ENOUGH_PODS: i64 = 20;

/// A scenario in the making.
pub(super) struct Proof {
    document: Map<String, Value>,
    /// What was left out of the manifest.
    left_out: Vec<String>,
}

impl Proof {
    /// A scenario with nothing in it.
    pub(super) fn new(code: &str, title: impl Into<String>) -> Self {
        let mut document = Map::new();
        document.insert("name".into(), format!("lint-{code}").into());
        document.insert("title".into(), title.into().into());
        for list in ["manifests", "behaviours", "actions", "assertions"] {
            document.insert(list.into(), Value::Array(Vec::new()));
        }
        Proof { document, left_out: Vec::new() }
    }

    /// A scenario with the Job, or the Job that `kubectl create job --from` makes of the CronJob.
    pub(super) fn with_job(code: &str, title: impl Into<String>, subject: &Subject) -> Self {
        Proof::with_job_of(code, title, subject, ENOUGH_PODS)
    }

    /// The same, with no more than so many Pods at once and in all.
    pub(super) fn with_job_of(code: &str, title: impl Into<String>, subject: &Subject, pods: i64) -> Self {
        let mut proof = Proof::new(code, title);
        let mut job = new_job(subject);
        let spec = &mut job["spec"];
        proof.leave_out(spec, &["suspend", "scheduling", "ttlSecondsAfterFinished", "successPolicy"]);
        if spec["activeDeadlineSeconds"].as_i64().is_some_and(|seconds| seconds < 3600) {
            proof.leave_out(spec, &["activeDeadlineSeconds"]);
        }
        proof.fit(spec, pods);
        proof.place(spec);
        proof.manifest(job)
    }

    /// The same as [`Proof::with_job`], with the Job's deadline however short it is.
    pub(super) fn with_job_keeping_deadline(code: &str, title: &str, subject: &Subject) -> Self {
        let proof = Proof::with_job(code, title, subject);
        match subject.job.spec.active_deadline_seconds {
            Some(seconds) => proof.with_field("activeDeadlineSeconds", seconds),
            None => proof,
        }
    }

    /// A field of the spec that was left out, and has a part in what is shown.
    pub(super) fn with_field(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.left_out.retain(|left_out| !left_out.starts_with(field));
        self.put("/0/spec", field, value.into())
    }

    /// A scenario with the CronJob.
    pub(super) fn with_cron_job(code: &str, title: impl Into<String>, subject: &Subject) -> Self {
        let mut proof = Proof::new(code, title);
        let mut cron_job = subject.manifest.clone();
        named(&mut cron_job, &job_name(subject));
        proof.leave_out(&mut cron_job["spec"], &["suspend", "startingDeadlineSeconds"]);
        let spec = &mut cron_job["spec"]["jobTemplate"]["spec"];
        proof.leave_out(spec, &["suspend", "scheduling", "ttlSecondsAfterFinished", "successPolicy"]);
        proof.fit(spec, ENOUGH_PODS);
        proof.place(spec);
        proof.manifest(cron_job)
    }

    /// Removes fields that have no part in what is shown.
    fn leave_out(&mut self, object: &mut Value, fields: &[&str]) {
        let Some(object) = object.as_object_mut() else { return };
        for field in fields {
            if object.remove(*field).is_some_and(|value| !value.is_null() && value != false) {
                self.left_out.push((*field).to_owned());
            }
        }
    }

    /// Makes the Job small enough to be run at once, and large enough to run at all.
    fn fit(&mut self, spec: &mut Value, pods: i64) {
        let completions = spec["completions"].as_i64();
        let parallelism = spec["parallelism"].as_i64();
        let within = |number: i64| number.clamp(1, pods);
        for (field, value) in [("completions", completions), ("parallelism", parallelism)] {
            if let Some(number) = value.filter(|number| within(*number) != *number) {
                spec[field] = within(number).into();
                self.left_out.push(format!("{field} {number} ({} do)", within(number)));
            }
        }
        if completions.is_some_and(|number| number != within(number)) {
            if let Some(most) = spec["maxFailedIndexes"].as_i64() {
                spec["maxFailedIndexes"] = most.min(pods).into();
            }
        }
    }

    /// Takes away what the scheduler reads: where a Pod runs does not matter.
    fn place(&mut self, spec: &mut Value) {
        let Some(pod) = spec.pointer_mut("/template/spec") else { return };
        let fields = [
            "nodeSelector",
            "affinity",
            "nodeName",
            "schedulingGates",
            "topologySpreadConstraints",
            "overhead",
            "activeDeadlineSeconds",
            "resources",
        ];
        self.leave_out(pod, &fields);
        for list in ["containers", "initContainers"] {
            let sidecars = list == "initContainers";
            let containers = pod.get_mut(list).and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten() {
                self.leave_out(container, &["resources", "restartPolicyRules", "livenessProbe"]);
                if !(sidecars && container["restartPolicy"] == "Always") {
                    self.leave_out(container, &["restartPolicy"]);
                }
            }
        }
    }

    /// A field of the spec of the Pod template that was left out, and has a part in what is shown.
    pub(super) fn pod_field(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.left_out.retain(|left_out| left_out != field);
        self.put("/0/spec/template/spec", field, value.into())
    }

    /// A field of the spec of the Jobs that the CronJob makes.
    pub(super) fn job_field(self, field: &str, value: impl Into<Value>) -> Self {
        self.put("/0/spec/jobTemplate/spec", field, value.into())
    }

    fn put(mut self, parent: &str, field: &str, value: Value) -> Self {
        let manifests = self.document.get_mut("manifests");
        let fields = manifests.and_then(|list| list.pointer_mut(parent)).and_then(Value::as_object_mut);
        if let Some(fields) = fields {
            fields.insert(field.to_owned(), value);
        }
        self
    }

    /// Starts so many seconds before an instant.
    pub(super) fn starts_before(self, time: Timestamp, seconds: i64) -> Self {
        self.set("start", time.plus_nanos(-seconds * NANOS_PER_SECOND).to_rfc3339_nano())
    }

    fn push(mut self, list: &str, item: Value) -> Self {
        if let Some(items) = self.document.get_mut(list).and_then(Value::as_array_mut) {
            items.push(item);
        }
        self
    }

    pub(super) fn manifest(self, manifest: Value) -> Self {
        self.push("manifests", manifest)
    }

    pub(super) fn behaviour(self, matches: Value, script: Value) -> Self {
        self.push("behaviours", json!({"matches": matches, "script": script}))
    }

    /// A behaviour with all its keys.
    pub(super) fn behaviour_with(self, behaviour: Value) -> Self {
        self.push("behaviours", behaviour)
    }

    /// What the containers do that nothing was said about: sidecars run along, all others end well.
    pub(super) fn others_end(mut self, subject: &Subject) -> Self {
        for sidecar in subject.sidecars() {
            let along = json!({"matches": {"container": sidecar}, "script": ["block"], "onTerm": 0});
            self = self.push("behaviours", along);
        }
        self.push("behaviours", json!({"script": [{"run": "1s"}]}))
    }

    /// No image can be pulled, so that every Pod stays Pending.
    pub(super) fn no_image(self, subject: &Subject) -> Self {
        let images = subject.containers().filter_map(|container| container["image"].as_str());
        let missing = json!({"error": "failed to pull and unpack image: not found"});
        let images: Map<String, Value> = images.map(|image| (image.to_owned(), missing.clone())).collect();
        self.set("cluster", json!({"images": images}))
    }

    pub(super) fn action(self, action: Value) -> Self {
        self.push("actions", action)
    }

    pub(super) fn asserts(self, assertion: Value) -> Self {
        self.push("assertions", assertion)
    }

    pub(super) fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.document.insert(key.into(), value.into());
        self
    }

    pub(super) fn until_seconds(self, seconds: i64) -> Self {
        self.set("until", format!("{seconds}s"))
    }

    /// The scenario document.
    pub(super) fn build(mut self) -> Value {
        if !self.left_out.is_empty() {
            let summary = format!(
                "Left out of the manifest, for they have no part in it: {}.",
                self.left_out.join(", ")
            );
            self.document.insert("summary".into(), summary.into());
        }
        self.document.retain(|key, value| {
            key == "manifests" || value.as_array().is_none_or(|items| !items.is_empty())
        });
        Value::Object(self.document)
    }
}

/// The name of the Job in proofs. What has a generated name needs one of its own there.
pub(super) fn job_name(subject: &Subject) -> String {
    let name = &subject.object.name;
    match subject.manifest["metadata"]["name"].as_str() {
        Some(given) if !given.is_empty() => name.clone(),
        _ => format!("{name}0"),
    }
}

fn named(manifest: &mut Value, name: &str) {
    let metadata = &mut manifest["metadata"];
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.remove("generateName");
    }
    metadata["name"] = name.into();
}

/// The Job as a manifest.
fn new_job(subject: &Subject) -> Value {
    if subject.cron_job.is_none() {
        let mut job = subject.manifest.clone();
        named(&mut job, &job_name(subject));
        return job;
    }
    let mut metadata = Map::new();
    metadata.insert("name".into(), job_name(subject).into());
    if let Some(namespace) = subject.manifest["metadata"].get("namespace") {
        metadata.insert("namespace".into(), namespace.clone());
    }
    for key in ["labels", "annotations"] {
        let template = &subject.manifest["spec"]["jobTemplate"]["metadata"];
        if let Some(value) = template.get(key).filter(|value| !value.is_null()) {
            metadata.insert(key.into(), value.clone());
        }
    }
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": subject.written_spec()})
}
