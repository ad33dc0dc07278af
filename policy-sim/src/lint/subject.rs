//! A Job, or what a CronJob makes Jobs from, as the API server would store it.

use super::{Code, Finding, ObjectRef};
use crate::scenario::as_new;
use crate::zones::TzDatabase;
use policy_core::spec::validation::{CreateContext, Review, Rules, validate_create};
use policy_core::spec::{CronJob, JOB_CONTROLLER_NAME, Job};
use serde_json::{Value, json};

/// What is looked at.
pub(super) struct Subject {
    pub(super) object: ObjectRef,
    /// The manifest, without what a cluster added.
    pub(super) manifest: Value,
    /// Where the Job's spec is: `spec` or `spec.jobTemplate.spec`.
    pub(super) spec_path: &'static str,
    /// The Job with defaults; of a CronJob, the one that it would make.
    pub(super) job: Job,
    /// `spec.template` with defaults.
    pub(super) template: Value,
    /// The CronJob with defaults.
    pub(super) cron_job: Option<CronJob>,
}

/// A manifest that the API server would refuse.
pub(super) struct Refused {
    pub(super) object: ObjectRef,
    pub(super) manifest: Value,
    /// The field and the reason, as text and as the API server says it.
    pub(super) reasons: Vec<Reason>,
}

/// One reason for a refusal.
pub(super) struct Reason {
    pub(super) path: String,
    pub(super) text: String,
}

impl Subject {
    pub(super) fn read(document: usize, manifest: &Value) -> Result<Self, Refused> {
        let manifest = as_new(manifest);
        let object = object_ref(document, &manifest);
        let refused = |reasons| Refused { object: object.clone(), manifest: manifest.clone(), reasons };
        let stored = stored(&manifest).map_err(refused)?;
        let is_cron_job = object.kind == "CronJob";
        let (job, cron_job) = if is_cron_job {
            let cron_job: CronJob = read(&stored).map_err(|error| refused(whole(error)))?;
            let made = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "made"},
                "spec": manifest["spec"]["jobTemplate"]["spec"]});
            let moved = |reason: Reason| Reason {
                path: reason.path.replacen("spec", "spec.jobTemplate.spec", 1),
                ..reason
            };
            let job = self::stored(&made).map_err(|all| refused(all.into_iter().map(moved).collect()))?;
            (job, Some(cron_job))
        } else {
            (stored, None)
        };
        let template = job["spec"]["template"].clone();
        let job: Job = read(&job).map_err(|error| refused(whole(error)))?;
        let spec_path = if is_cron_job { "spec.jobTemplate.spec" } else { "spec" };
        Ok(Subject { object, manifest, spec_path, job, template, cron_job })
    }

    /// The spec of the Job as it was written.
    pub(super) fn written_spec(&self) -> &Value {
        let spec = &self.manifest["spec"];
        if self.cron_job.is_some() { &spec["jobTemplate"]["spec"] } else { spec }
    }

    /// The path of a field of the Job's spec.
    pub(super) fn path(&self, field: &str) -> String {
        let colon = if field.is_empty() { "" } else { "." };
        format!("{}{colon}{field}", self.spec_path)
    }

    /// Whether another controller looks after the Job; nothing is known about what it does.
    pub(super) fn is_managed_elsewhere(&self) -> bool {
        self.job.spec.managed_by.as_deref().is_some_and(|name| name != JOB_CONTROLLER_NAME)
    }

    /// The containers and init containers of the template.
    pub(super) fn containers(&self) -> impl Iterator<Item = &Value> {
        let spec = &self.template["spec"];
        ["containers", "initContainers"].into_iter().flat_map(|list| spec[list].as_array()).flatten()
    }

    /// The names of containers that run to an end, those that do the work first.
    pub(super) fn container_names(&self) -> Vec<&str> {
        let ends = |container: &&Value| container["restartPolicy"] != "Always";
        self.containers().filter(ends).filter_map(|container| container["name"].as_str()).collect()
    }

    /// The names of sidecars.
    pub(super) fn sidecars(&self) -> impl Iterator<Item = &str> {
        let init = self.template["spec"]["initContainers"].as_array().into_iter().flatten();
        init.filter(|container| container["restartPolicy"] == "Always").filter_map(|c| c["name"].as_str())
    }

    /// How many Pods run at first.
    pub(super) fn first_pods(&self) -> i64 {
        let spec = &self.job.spec;
        let parallelism = i64::from(spec.parallelism.unwrap_or(1));
        spec.completions.map_or(parallelism, |completions| parallelism.min(completions.into()))
    }

    /// Whether a Pod is made anew when it fails, rather than its containers started again.
    pub(super) fn restarts_pods(&self) -> bool {
        self.job.spec.template.restart_policy() == "Never"
    }

    /// Whether something ends the Job or its Pods some day.
    pub(super) fn has_deadline(&self) -> bool {
        self.job.spec.active_deadline_seconds.is_some()
            || !self.template["spec"]["activeDeadlineSeconds"].is_null()
    }

    pub(super) fn finding(
        &self,
        code: &'static Code,
        path: String,
        message: impl Into<String>,
        instead: impl Into<String>,
        proof: Value,
    ) -> Finding {
        Finding {
            code,
            severity: code.severity,
            object: self.object.clone(),
            path,
            message: message.into(),
            instead: instead.into(),
            proof,
        }
    }
}

/// Through text, because parts of a Job are kept as raw JSON.
fn read<T: for<'de> serde::Deserialize<'de>>(value: &Value) -> Result<T, serde_json::Error> {
    serde_json::from_str(&value.to_string())
}

fn whole(error: serde_json::Error) -> Vec<Reason> {
    vec![Reason { path: String::new(), text: error.to_string() }]
}

/// The object as the API server would store it, or why it would not.
fn stored(manifest: &Value) -> Result<Value, Vec<Reason>> {
    let raw = serde_json::value::to_raw_value(manifest).map_err(whole)?;
    let rules = Rules { time_zones: TzDatabase::shared(), allow_privileged: true };
    let review = validate_create(&raw, &CreateContext::default(), &rules);
    match reasons(&review) {
        reasons if reasons.is_empty() => serde_json::to_value(&review.defaulted).map_err(whole),
        reasons => Err(reasons),
    }
}

fn object_ref(document: usize, manifest: &Value) -> ObjectRef {
    let metadata = &manifest["metadata"];
    let text = |key: &str| metadata[key].as_str().filter(|text| !text.is_empty());
    ObjectRef {
        document,
        kind: manifest["kind"].as_str().unwrap_or_default().to_owned(),
        namespace: text("namespace").unwrap_or("default").to_owned(),
        name: text("name").or_else(|| text("generateName")).unwrap_or_default().to_owned(),
    }
}

/// Why a manifest is refused: what cannot be read, unknown fields, wrong values.
fn reasons(review: &Review<'_>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let Some(error) = &review.decode_error {
        reasons.push(Reason { path: String::new(), text: error.clone() });
    }
    for part in review.strict_errors.iter().flat_map(|text| text.split(", ")) {
        let path = part.split('"').nth(1).unwrap_or_default().to_owned();
        let text = part.strip_prefix("strict decoding error: ").unwrap_or(part).to_owned();
        reasons.push(Reason { path, text });
    }
    for error in &review.errors {
        let path = if error.field == "<nil>" { String::new() } else { error.field.clone() };
        reasons.push(Reason { path, text: error.to_string() });
    }
    reasons
}
