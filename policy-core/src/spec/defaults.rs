//! Defaults as the API server fills them in (`SetObjectDefaults_Job`, `SetObjectDefaults_CronJob`).

use super::object::{Node, Struct};

mod image;
mod pod;

/// Fills in a Job. Returns whether the Job took over its template's labels.
///
/// Upstream's `SetDefaults_Job` aliases the two maps: what is added to the template's labels later shows up in the
/// Job's own. With no labels in the template there is nothing to alias; with empty ones there is.
pub(crate) fn default_job(job: &mut Struct<'_>) -> bool {
    let Some(spec) = job.child_or_new("spec") else { return false };
    if spec.int("parallelism").is_none() {
        spec.default_to("completions", Node::Int(1));
        spec.set("parallelism", Node::Int(1));
    }
    let per_index = spec.get("backoffLimitPerIndex").is_some();
    let backoff_limit = if per_index { i64::from(i32::MAX) } else { 6 };
    spec.default_to("backoffLimit", Node::Int(backoff_limit));
    spec.default_to("completionMode", Node::constant("NonIndexed"));
    spec.default_to("suspend", Node::Bool(false));
    let failed_only = spec.get("podFailurePolicy").is_some();
    let replacement = if failed_only { "Failed" } else { "TerminatingOrFailed" };
    spec.default_to("podReplacementPolicy", Node::constant(replacement));
    spec.default_to("manualSelector", Node::Bool(false));
    default_template(spec);
    take_over_labels(job)
}

/// Fills in a CronJob. Its Jobs get the rest when they are created.
pub(crate) fn default_cron_job(cron_job: &mut Struct<'_>) {
    let Some(spec) = cron_job.child_or_new("spec") else { return };
    spec.default_text("concurrencyPolicy", "Allow");
    spec.default_to("suspend", Node::Bool(false));
    spec.default_to("successfulJobsHistoryLimit", Node::Int(3));
    spec.default_to("failedJobsHistoryLimit", Node::Int(1));
    if let Some(job_spec) =
        spec.child_or_new("jobTemplate").and_then(|template| template.child_or_new("spec"))
    {
        default_template(job_spec);
    }
}

/// The defaults below a Job's spec: patterns of the Pod failure policy, and the Pod template.
fn default_template(job_spec: &mut Struct<'_>) {
    if let Some(policy) = job_spec.child_mut("podFailurePolicy") {
        for rule in policy.structs_mut("rules") {
            for pattern in rule.structs_mut("onPodConditions") {
                pattern.default_text("status", "True");
            }
        }
    }
    if let Some(pod_spec) =
        job_spec.child_or_new("template").and_then(|template| template.child_or_new("spec"))
    {
        pod::default_pod_spec(pod_spec);
    }
}

fn take_over_labels(job: &mut Struct<'_>) -> bool {
    let has_own =
        job.child("metadata").and_then(|meta| meta.map("labels")).is_some_and(|labels| !labels.is_empty());
    let template = job.child("spec").and_then(|spec| spec.child("template"));
    let labels = template.and_then(|template| template.child("metadata")).and_then(|meta| meta.map("labels"));
    let Some(labels) = labels.filter(|_| !has_own).cloned() else { return false };
    if let Some(meta) = job.child_or_new("metadata") {
        meta.set("labels", Node::Map(labels));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::decode::decode;
    use crate::spec::object::json;
    use crate::spec::schema::batch::{CRON_JOB, JOB};
    use alloc::string::String;

    fn defaulted_job(text: &str) -> String {
        let mut job = decode(text, &JOB).ok().unwrap().object;
        default_job(&mut job);
        let once = json(&job);
        default_job(&mut job);
        assert_eq!(json(&job), once, "defaulting twice changes nothing");
        once
    }

    #[test]
    fn completions_default_only_without_parallelism() {
        assert!(defaulted_job("{}").contains(r#""parallelism":1,"completions":1"#));
        assert!(!defaulted_job(r#"{"spec":{"parallelism":2}}"#).contains("completions\""));
    }

    #[test]
    fn limits_and_policies_follow_one_another() {
        let job = defaulted_job(
            r#"{"spec":{"backoffLimitPerIndex":1,"podFailurePolicy":{"rules":[
            {"action":"Ignore","onPodConditions":[{"type":"X"}]}]}}}"#,
        );
        assert!(job.contains(r#""backoffLimit":2147483647"#));
        assert!(job.contains(r#""podReplacementPolicy":"Failed""#));
        assert!(job.contains(r#"{"type":"X","status":"True"}"#));
    }

    #[test]
    fn the_job_takes_over_labels_that_are_set_even_if_empty() {
        let labels = |labels: &str| {
            let text = alloc::format!(r#"{{"spec":{{"template":{{"metadata":{{{labels}}}}}}}}}"#);
            default_job(&mut decode(&text, &JOB).ok().unwrap().object)
        };
        assert!(labels(r#""labels":{}"#) && labels(r#""labels":{"a":"b"}"#));
        assert!(!labels("") && !labels(r#""labels":null"#));
    }

    #[test]
    fn a_cron_job_leaves_its_jobs_alone() {
        let mut cron_job = decode("{}", &CRON_JOB).ok().unwrap().object;
        default_cron_job(&mut cron_job);
        let text = json(&cron_job);
        assert!(text.contains(r#""concurrencyPolicy":"Allow""#) && !text.contains("backoffLimit"));
        assert!(text.contains(r#""restartPolicy":"Always""#));
    }
}
