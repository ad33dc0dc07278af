//! Deadlines, limits and what is left of a Job.

use super::proof::{ENOUGH_PODS, Proof, job_name};
use super::subject::Subject;
use super::{Finding, codes};
use policy_core::{NANOS_PER_SECOND, Settings};
use serde_json::json;

/// A round of more Pods than this is not run to show anything.
const MOST_PODS: i64 = 2_000;

pub(super) fn check(subject: &Subject, findings: &mut Vec<Finding>) {
    findings.extend(no_deadline(subject));
    findings.extend(deadline_in_template(subject));
    findings.extend(deadline_before_retry(subject));
    findings.extend(one_round_ends_job(subject));
    findings.extend(logs_lost(subject));
    findings.extend(ttl_zero(subject));
}

/// For CronJobs see `cron_job`.
fn no_deadline(subject: &Subject) -> Option<Finding> {
    if subject.has_deadline() || subject.cron_job.is_some() {
        return None;
    }
    let name = job_name(subject);
    let proof = Proof::with_job(codes::NO_DEADLINE.name, "An image that cannot be pulled is no failure", subject)
        .no_image(subject)
        .until_seconds(6 * 3600)
        .asserts(json!({"text": "No failure is counted", "never": true, "job": {"name": name, "fields": {"status.failed": {"min": 1}}}}))
        .asserts(json!({"text": "After six hours its Pods are still Pending", "pods": {"job": name, "phase": "Pending", "count": {"min": 1}}}))
        .asserts(json!({"text": "The Job has not ended", "outcome": "deadline"}));
    let message = "the Job has no deadline: with Pods that stay Pending or hang it lasts for ever, whatever backoffLimit is";
    let instead =
        format!("set `{}` to the longest time that it may take", subject.path("activeDeadlineSeconds"));
    Some(subject.finding(&codes::NO_DEADLINE, subject.path(""), message, instead, proof.build()))
}

fn deadline_in_template(subject: &Subject) -> Option<Finding> {
    const A_YEAR: i64 = 366 * 86_400;
    let spec = &subject.job.spec;
    let seconds = subject.template["spec"]["activeDeadlineSeconds"].as_i64()?;
    let first = subject.first_pods().clamp(1, ENOUGH_PODS);
    // With fewer failures allowed than Pods at once, the first round ends the Job.
    let retries = i64::from(spec.backoff_limit.unwrap_or(0)) >= first.max(subject.first_pods())
        && spec.backoff_limit_per_index != Some(0);
    if spec.active_deadline_seconds.is_some()
        || spec.pod_failure_policy.is_some()
        || !retries
        || seconds > A_YEAR
    {
        return None;
    }
    let name = job_name(subject);
    let title = "The deadline of the template ends a Pod, and another one starts";
    let proof = Proof::with_job(codes::DEADLINE_IN_TEMPLATE.name, title, subject)
        .pod_field("activeDeadlineSeconds", seconds)
        .behaviour(json!({}), json!(["block"]))
        .until_seconds(seconds + 120)
        .asserts(json!({"text": "A Pod has failed of its deadline", "pods": {"job": name, "phase": "Failed", "fields": {"status.reason": "DeadlineExceeded"}, "count": {"min": 1}}}))
        .asserts(json!({"text": "It is replaced", "pods": {"job": name, "deleted": true, "count": {"min": first + 1}}}));
    let message = format!(
        "this deadline of {seconds} s is each Pod's own: the Pod fails, and another one is tried until backoffLimit {} is exceeded",
        spec.backoff_limit.unwrap_or(0)
    );
    let instead = format!("set `{}` on the Job, if the Job is to end", subject.path("activeDeadlineSeconds"));
    let path = subject.path("template.spec.activeDeadlineSeconds");
    Some(subject.finding(&codes::DEADLINE_IN_TEMPLATE, path, message, instead, proof.build()))
}

fn deadline_before_retry(subject: &Subject) -> Option<Finding> {
    let spec = &subject.job.spec;
    let (deadline, limit) = (spec.active_deadline_seconds?, i64::from(spec.backoff_limit?));
    let back_off = Settings::DEFAULT.pod_failure_backoff_nanos / NANOS_PER_SECOND;
    let pods = subject.first_pods();
    let ends_otherwise =
        pods > limit || spec.backoff_limit_per_index.is_some() || spec.pod_failure_policy.is_some();
    if deadline > back_off
        || !subject.restarts_pods()
        || ends_otherwise
        || !(1..=ENOUGH_PODS).contains(&pods)
        || deadline < 4
    {
        return None;
    }
    let name = job_name(subject);
    let mut proof = Proof::with_job_keeping_deadline(
        codes::DEADLINE_BEFORE_RETRY.name,
        "The deadline comes before the first retry",
        subject,
    );
    for container in subject.container_names() {
        proof = proof.behaviour(json!({"container": container}), json!([{"exit": 1}]));
    }
    let proof = proof.others_end(subject).until_seconds(600)
        .asserts(json!({"text": "The Job has failed of its deadline", "job": {"name": name, "condition": {"type": "Failed", "reason": "DeadlineExceeded"}}}))
        .asserts(json!({"text": "No failed Pod was replaced", "pods": {"job": name, "deleted": true, "count": pods}}));
    let message = format!(
        "no failed Pod is ever tried again: the first retry comes after {back_off} s, and the Job ends after {deadline} s, though backoffLimit is {limit}"
    );
    let instead =
        format!("allow more time than {back_off} s and one run together take, or say `backoffLimit: 0`");
    Some(subject.finding(
        &codes::DEADLINE_BEFORE_RETRY,
        subject.path("activeDeadlineSeconds"),
        message,
        instead,
        proof.build(),
    ))
}

fn one_round_ends_job(subject: &Subject) -> Option<Finding> {
    let spec = &subject.job.spec;
    let (limit, pods) = (i64::from(spec.backoff_limit?), subject.first_pods());
    if limit < 1 || pods <= limit || pods > MOST_PODS || !subject.restarts_pods() {
        return None;
    }
    if spec.pod_failure_policy.is_some() || spec.backoff_limit_per_index.is_some() {
        return None;
    }
    let name = job_name(subject);
    let title = format!("{pods} Pods fail together, and the Job fails without a retry");
    let mut proof = Proof::with_job_of(codes::ONE_ROUND_ENDS_JOB.name, title, subject, pods.max(ENOUGH_PODS));
    for container in subject.container_names() {
        proof = proof.behaviour(json!({"container": container}), json!([{"run": "1m"}, {"exit": 1}]));
    }
    // Enough room and speed for them to start together.
    let cluster = json!({"nodes": [{"name": "node-1", "pods": MOST_PODS}], "controller": {"qps": 10_000, "burst": 10_000}});
    let proof = proof.others_end(subject).set("cluster", cluster).until_seconds(3600)
        .asserts(json!({"text": "The Job has failed of its back-off limit", "job": {"name": name, "condition": {"type": "Failed", "reason": "BackoffLimitExceeded"}}}))
        .asserts(json!({"text": "No Pod was tried again", "pods": {"job": name, "deleted": true, "count": pods}}));
    let message = format!(
        "{pods} Pods run at once, and backoffLimit is {limit}: when they fail together, as when their database is down, the Job fails and none of them is tried again"
    );
    let instead =
        format!("raise `{}` to {pods} or more, or use backoffLimitPerIndex", subject.path("backoffLimit"));
    let path =
        if subject.written_spec().get("backoffLimit").is_some() { "backoffLimit" } else { "parallelism" };
    Some(subject.finding(&codes::ONE_ROUND_ENDS_JOB, subject.path(path), message, instead, proof.build()))
}

fn logs_lost(subject: &Subject) -> Option<Finding> {
    let limit = i64::from(subject.job.spec.backoff_limit?);
    if subject.restarts_pods() || limit > 10 {
        return None;
    }
    let name = job_name(subject);
    let mut proof =
        Proof::with_job(codes::LOGS_LOST.name, "The Job has failed, and no Pod is left to ask why", subject);
    for container in subject.container_names() {
        proof = proof.behaviour(json!({"container": container}), json!([{"run": "1s"}, {"exit": 1}]));
    }
    let proof = proof.others_end(subject).until_seconds(6 * 3600)
        .asserts(json!({"text": "The Job has failed of its back-off limit", "job": {"name": name, "condition": {"type": "Failed", "reason": "BackoffLimitExceeded"}}}))
        .asserts(json!({"text": "Its Pods are gone, and their logs with them", "pods": {"job": name, "count": 0}}));
    let message = "a container that fails starts again in its Pod; when backoffLimit is reached the Pod is deleted with its logs";
    let instead = "write `restartPolicy: Never` to keep a failed Pod for each try";
    let path = subject.path("template.spec.restartPolicy");
    Some(subject.finding(&codes::LOGS_LOST, path, message, instead, proof.build()))
}

fn ttl_zero(subject: &Subject) -> Option<Finding> {
    subject.job.spec.ttl_seconds_after_finished.filter(|seconds| *seconds == 0)?;
    let name = job_name(subject);
    let proof = Proof::with_job(codes::TTL_ZERO.name, "The Job is gone as soon as it has finished", subject)
        .with_field("ttlSecondsAfterFinished", 0)
        .others_end(subject)
        .until_seconds(3600)
        .asserts(json!({"text": "It was created", "first": {"max": "0s"}, "job": {"name": name}}))
        .asserts(json!({"text": "After half an hour nothing is left of it", "at": "30m", "jobs": {"name": name, "count": 0}}))
        .asserts(json!({"text": "Nor of its Pods", "at": "30m", "pods": {"job": name, "count": 0}}));
    let message =
        "the Job is deleted with its Pods and logs as soon as it has finished, also when it has failed";
    let instead = "leave some time to look at the outcome, such as `ttlSecondsAfterFinished: 3600`";
    Some(subject.finding(
        &codes::TTL_ZERO,
        subject.path("ttlSecondsAfterFinished"),
        message,
        instead,
        proof.build(),
    ))
}
