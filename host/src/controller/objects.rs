//! Jobs and CronJobs as the API server wrote them: read for what a policy reads, kept whole for writing back.

use policy_core::spec::{Condition, CronJobStatus, Job, JobStatus, PodTemplate};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

/// The fields of a JSON object, their values unread.
type RawMap<'a> = BTreeMap<String, &'a RawValue>;

/// The fields of a Job's spec that this version knows. Another one may change what the Job asks for.
const KNOWN_SPEC_FIELDS: [&str; 16] = [
    "activeDeadlineSeconds",
    "backoffLimit",
    "backoffLimitPerIndex",
    "completionMode",
    "completions",
    "managedBy",
    "manualSelector",
    "maxFailedIndexes",
    "parallelism",
    "podFailurePolicy",
    "podReplacementPolicy",
    "selector",
    "successPolicy",
    "suspend",
    "template",
    "ttlSecondsAfterFinished",
];

/// The fields of a status that are ours to write.
const JOB_STATUS_FIELDS: [&str; 11] = [
    "active",
    "completedIndexes",
    "completionTime",
    "conditions",
    "failed",
    "failedIndexes",
    "ready",
    "startTime",
    "succeeded",
    "terminating",
    "uncountedTerminatedPods",
];
const CRON_JOB_STATUS_FIELDS: [&str; 3] = ["active", "lastScheduleTime", "lastSuccessfulTime"];

/// An object as JSON, without `metadata.managedFields`, which the server knows better.
#[derive(Clone, Debug)]
pub(super) struct RawObject(Box<str>);

impl RawObject {
    /// Keeps an object as it was read.
    pub(super) fn keep(json: &str) -> Result<Self, serde_json::Error> {
        let mut fields: RawMap<'_> = serde_json::from_str(json)?;
        let Some(metadata) = fields.get("metadata") else { return Ok(RawObject(json.into())) };
        let mut metadata: RawMap<'_> = serde_json::from_str(metadata.get())?;
        metadata.remove("managedFields");
        let metadata = to_raw_value(&metadata)?;
        fields.insert("metadata".into(), &metadata);
        Ok(RawObject(serde_json::to_string(&fields)?.into()))
    }

    /// The body of a write of a Job's status, on the version that is kept.
    pub(super) fn with_job_status(&self, status: &JobStatus) -> Result<Vec<u8>, serde_json::Error> {
        self.with_status("Job", status, &JOB_STATUS_FIELDS)
    }

    /// The body of a write of a CronJob's status, on the version that is kept.
    pub(super) fn with_cron_job_status(&self, status: &CronJobStatus) -> Result<Vec<u8>, serde_json::Error> {
        self.with_status("CronJob", status, &CRON_JOB_STATUS_FIELDS)
    }

    /// Lays a status over the one that is kept, so that fields nobody here knows stay.
    fn with_status(
        &self,
        kind: &str,
        status: &impl Serialize,
        own: &[&str],
    ) -> Result<Vec<u8>, serde_json::Error> {
        let mut fields: RawMap<'_> = serde_json::from_str(&self.0)?;
        let old = fields.get("status").map_or("{}", |status| status.get());
        let mut merged: RawMap<'_> = serde_json::from_str::<Option<RawMap<'_>>>(old)?.unwrap_or_default();
        let old_conditions = merged.get("conditions").copied();
        merged.retain(|field, _| !own.contains(&field.as_str()));
        let new = serde_json::to_string(status)?;
        let new: RawMap<'_> = serde_json::from_str(&new)?;
        let mut conditions = None;
        for (field, value) in new {
            if field == "conditions" {
                conditions = Some(merge_conditions(old_conditions, value)?);
            } else {
                merged.insert(field, value);
            }
        }
        if let Some(conditions) = &conditions {
            merged.insert("conditions".into(), conditions);
        }
        let (api_version, kind) = (to_raw_value("batch/v1")?, to_raw_value(kind)?);
        let merged = to_raw_value(&merged)?;
        // Items of a list do not say what they are.
        fields.insert("apiVersion".into(), &api_version);
        fields.insert("kind".into(), &kind);
        fields.insert("status".into(), &merged);
        serde_json::to_vec(&fields)
    }
}

/// Conditions that have not changed stay as they were written.
fn merge_conditions(old: Option<&RawValue>, new: &RawValue) -> Result<Box<RawValue>, serde_json::Error> {
    let old: Vec<&RawValue> = match old {
        Some(old) => serde_json::from_str::<Option<_>>(old.get())?.unwrap_or_default(),
        None => Vec::new(),
    };
    let old: Vec<(Condition, &RawValue)> = old
        .into_iter()
        .map(|raw| Ok((serde_json::from_str(raw.get())?, raw)))
        .collect::<Result<_, serde_json::Error>>()?;
    let new: Vec<&RawValue> = serde_json::from_str(new.get())?;
    let mut merged = Vec::with_capacity(new.len());
    for raw in new {
        let condition: Condition = serde_json::from_str(raw.get())?;
        let kept = old.iter().find(|(known, _)| *known == condition);
        merged.push(kept.map_or(raw, |(_, raw)| raw));
    }
    to_raw_value(&merged)
}

/// What is kept of a Job whatever becomes of it: what event handlers, CronJobs and clean-up read.
pub(super) fn slim(job: &Job) -> Job {
    let mut slim = Job::default();
    let (meta, spec, status) = (&job.metadata, &job.spec, &job.status);
    slim.metadata.name.clone_from(&meta.name);
    slim.metadata.namespace.clone_from(&meta.namespace);
    slim.metadata.uid.clone_from(&meta.uid);
    slim.metadata.resource_version.clone_from(&meta.resource_version);
    slim.metadata.generation = meta.generation;
    slim.metadata.creation_timestamp = meta.creation_timestamp;
    slim.metadata.deletion_timestamp = meta.deletion_timestamp;
    slim.metadata.owner_references.clone_from(&meta.owner_references);
    slim.spec.active_deadline_seconds = spec.active_deadline_seconds;
    slim.spec.managed_by.clone_from(&spec.managed_by);
    slim.spec.completion_mode.clone_from(&spec.completion_mode);
    slim.spec.ttl_seconds_after_finished = spec.ttl_seconds_after_finished;
    slim.spec.template = PodTemplate::default();
    slim.status.conditions.clone_from(&status.conditions);
    slim.status.start_time = status.start_time;
    slim.status.completion_time = status.completion_time;
    slim
}

/// Why a Job is left alone: it asks for something that this version does not know.
pub(super) fn not_understood(json: &str, job: &Job) -> Option<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Spec<'a> {
        #[serde(borrow)]
        spec: BTreeMap<String, &'a RawValue>,
    }
    let fields = serde_json::from_str::<Spec<'_>>(json).unwrap_or_default().spec;
    let unknown = fields.keys().find(|field| !KNOWN_SPEC_FIELDS.contains(&field.as_str()));
    if let Some(field) = unknown {
        return Some(format!("spec.{field} is not known to this version"));
    }
    let spec = &job.spec;
    let replacement = spec.pod_replacement_policy.as_deref();
    let mut values = vec![
        ("spec.podReplacementPolicy".to_string(), replacement, &["TerminatingOrFailed", "Failed"][..]),
        (
            "spec.template.spec.restartPolicy".to_string(),
            Some(spec.template.restart_policy()),
            &["Never", "OnFailure", ""],
        ),
    ];
    for (place, rule) in spec.pod_failure_policy.iter().flat_map(|policy| &policy.rules).enumerate() {
        let path = format!("spec.podFailurePolicy.rules[{place}]");
        values.push((
            format!("{path}.action"),
            Some(&rule.action),
            &["FailJob", "FailIndex", "Ignore", "Count"],
        ));
        let operator = rule.on_exit_codes.as_ref().map(|codes| codes.operator.as_str());
        values.push((format!("{path}.onExitCodes.operator"), operator, &["In", "NotIn"]));
    }
    let unknown =
        values.into_iter().find(|(_, value, known)| value.is_some_and(|value| !known.contains(&value)));
    unknown.map(|(path, value, _)| {
        format!("{path}: `{}` is not known to this version", value.unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn fields_nobody_here_knows_survive_a_write() {
        let object = json!({
            "metadata": {"name": "j", "resourceVersion": "7", "managedFields": [{}], "labels": {"a": "b"}, "x": 1},
            "spec": {"y": [2]}, "z": null,
            "status": {"active": 1, "startTime": null, "future": {"a": 1}, "conditions": [
                {"type": "Suspended", "status": "True", "lastProbeTime": null, "lastTransitionTime": null, "own": 1},
                {"type": "Other", "status": "True"}]},
        });
        let raw = RawObject::keep(&object.to_string()).unwrap();
        let mut status: JobStatus = serde_json::from_value(object["status"].clone()).unwrap();
        (status.active, status.failed) = (0, 3);
        status.conditions[1].status = "False".into();
        let body: Value = serde_json::from_slice(&raw.with_job_status(&status).unwrap()).unwrap();
        assert_eq!(body["apiVersion"], "batch/v1");
        assert_eq!(
            body["metadata"],
            json!({"name": "j", "resourceVersion": "7", "labels": {"a": "b"}, "x": 1})
        );
        assert_eq!((&body["spec"], &body["z"]), (&object["spec"], &Value::Null));
        assert_eq!(body["status"]["future"], json!({"a": 1}));
        assert_eq!(body["status"]["conditions"][0], object["status"]["conditions"][0]);
        assert_eq!(body["status"]["conditions"][1]["status"], "False");
        assert_eq!(body["status"]["failed"], 3);
        assert!(body["status"].get("active").is_none());
    }

    #[test]
    fn what_this_version_does_not_know_is_named() {
        let why = |spec: Value| {
            let json = json!({"spec": spec}).to_string();
            not_understood(&json, &serde_json::from_str(&json).unwrap())
        };
        assert_eq!(why(json!({"suspend": true, "template": {}})), None);
        assert_eq!(why(json!({"gang": {}})).unwrap(), "spec.gang is not known to this version");
        let rules = json!({"rules": [{"action": "Count"}, {"action": "Pause"}]});
        let why = why(json!({"podFailurePolicy": rules})).unwrap();
        assert_eq!(why, "spec.podFailurePolicy.rules[1].action: `Pause` is not known to this version");
    }
}
