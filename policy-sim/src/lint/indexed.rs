//! Jobs with completion indexes.

use super::proof::{Proof, job_name};
use super::subject::Subject;
use super::{Finding, codes};
use serde_json::{Value, json};

/// The variable that the controller adds (upstream `completionIndexEnvName`).
const COMPLETION_INDEX: &str = "JOB_COMPLETION_INDEX";

pub(super) fn check(subject: &Subject, findings: &mut Vec<Finding>) {
    if !subject.job.spec.is_indexed()
        || subject.job.spec.completions.is_none_or(|completions| completions < 1)
    {
        return;
    }
    findings.extend(back_off_blocks(subject));
    findings.extend(hostname_overwritten(subject));
    findings.extend(fixed_indexes(subject));
}

fn back_off_blocks(subject: &Subject) -> Option<Finding> {
    let spec = &subject.job.spec;
    let alone =
        spec.parallelism.unwrap_or(1) == 1 && spec.completions.is_some_and(|completions| completions > 1);
    let counts = |limit: Option<i32>| limit.is_some_and(|limit| limit > 0);
    let retries =
        counts(spec.backoff_limit_per_index) && counts(spec.backoff_limit) && subject.restarts_pods();
    if !alone || !retries || spec.pod_failure_policy.is_some() || spec.max_failed_indexes == Some(0) {
        return None;
    }
    let name = job_name(subject);
    let container = (*subject.container_names().first()?).to_owned();
    let proof = Proof::with_job(codes::BACK_OFF_BLOCKS_INDEXES.name, "Index 0 waits for its retry, and index 1 waits with it", subject)
        .behaviour(json!({"container": container, "indexes": "0", "attempts": [1]}), json!([{"run": "1s"}, {"exit": 1}]))
        .others_end(subject)
        .asserts(json!({"text": "The first Pod of index 0 fails", "first": {"max": "1m"},
            "pods": {"job": name, "index": 0, "phase": "Failed", "count": 1}}))
        .asserts(json!({"text": "Index 1 has no Pod for more than ten seconds", "first": {"min": "10s"}, "pods": {"job": name, "index": 1, "deleted": true, "count": {"min": 1}}}));
    let message = "with one Pod at a time, an index that failed holds up all others while it waits for its retry (10 s, 20 s, … up to 10 min)";
    let instead = format!("set `{}` to 2 or more", subject.path("parallelism"));
    Some(subject.finding(
        &codes::BACK_OFF_BLOCKS_INDEXES,
        subject.path("backoffLimitPerIndex"),
        message,
        instead,
        proof.build(),
    ))
}

fn hostname_overwritten(subject: &Subject) -> Option<Finding> {
    let hostname = subject.template["spec"]["hostname"].as_str().filter(|name| !name.is_empty())?;
    let name = job_name(subject);
    if hostname == format!("{name}-0") {
        return None;
    }
    let proof = Proof::with_job(codes::HOSTNAME_OVERWRITTEN.name, "Hostnames are the Job's name and the index", subject)
        .others_end(subject)
        .asserts(json!({"text": "The Pod of index 0 has the Job's name and the index for a hostname", "first": {"max": "30s"},
            "pods": {"job": name, "index": 0, "fields": {"spec.hostname": format!("{name}-0")}, "count": 1}}));
    let message = format!(
        "`{hostname}` is not used: Pods of an Indexed Job are named after the Job and their index, like `{name}-0`"
    );
    let path = subject.path("template.spec.hostname");
    let instead = "remove it; choose the Job's name instead".to_owned();
    Some(subject.finding(&codes::HOSTNAME_OVERWRITTEN, path, message, instead, proof.build()))
}

fn fixed_indexes(subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    for list in ["containers", "initContainers"] {
        let containers = subject.template["spec"][list].as_array().into_iter().flatten();
        for (place, container) in containers.enumerate() {
            let variables = container["env"].as_array().into_iter().flatten();
            for (number, variable) in variables.enumerate() {
                let path = format!("template.spec.{list}[{place}].env[{number}]");
                findings.extend(fixed_index(subject, container, variable, &path));
            }
        }
    }
    findings
}

fn fixed_index(subject: &Subject, container: &Value, variable: &Value, path: &str) -> Option<Finding> {
    if variable["name"] != COMPLETION_INDEX || !variable["valueFrom"].is_null() {
        return None;
    }
    let value = variable["value"].as_str().unwrap_or_default();
    // A value with another variable in it may still be the index.
    if value.contains('$') {
        return None;
    }
    let index = i64::from(value == "0");
    if i64::from(subject.job.spec.completions?) <= index || container["restartPolicy"] == "Always" {
        return None;
    }
    let container = container["name"].as_str()?;
    let name = job_name(subject);
    let title = format!("Every index is told that it is `{value}`");
    let proof = Proof::with_job(codes::COMPLETION_INDEX_OVERRIDDEN.name, title, subject)
        .behaviour(
            json!({"container": container}),
            json!([{"print": format!("index=${{{COMPLETION_INDEX}}}.")}, {"run": "1s"}]),
        )
        .others_end(subject)
        .asserts(json!({"text": format!("Index {index} is told that it is `{value}`"),
            "log": {"job": name, "index": index, "contains": format!("index={value}.")}}));
    let message = format!(
        "container `{container}` sets {COMPLETION_INDEX} to `{value}` for every index; the controller adds its own only where there is none"
    );
    let instead = "remove it, or give it another name".to_owned();
    Some(subject.finding(
        &codes::COMPLETION_INDEX_OVERRIDDEN,
        subject.path(path),
        message,
        instead,
        proof.build(),
    ))
}
