//! CronJobs: what holds a run back, and what is left of it.

use super::proof::{Proof, job_name};
use super::schedule::{self, Times};
use super::subject::Subject;
use super::{Finding, Options, codes, dst};
use policy_core::NANOS_PER_SECOND;
use policy_core::spec::CronJob;
use serde_json::json;

pub(super) fn check(subject: &Subject, cron_job: &CronJob, options: &Options, findings: &mut Vec<Finding>) {
    let Some(times) = Times::of(cron_job) else { return };
    if let Some(never) = schedule::never_fires(subject, &times, options.from) {
        return findings.push(never);
    }
    findings.extend(schedule::days_are_ored(subject, &times, options.from));
    findings.extend(schedule::uneven(subject, &times, options.from));
    findings.extend(dst::check(subject, &times, options.from));
    findings.extend(starting_deadline(subject, &times, options));
    findings.extend(hanging_run(subject, &times, options));
    findings.extend(no_history(subject, &times, options));
}

fn starting_deadline(subject: &Subject, times: &Times<'_>, options: &Options) -> Option<Finding> {
    times.cron_job.spec.starting_deadline_seconds.filter(|seconds| *seconds == 0)?;
    let due = times.next(options.from, 3)?;
    let (first, last) = (*due.first()?, *due.last()?);
    let proof = Proof::with_cron_job(codes::STARTING_DEADLINE_ZERO.name, "No run starts in time", subject)
        .with_field("startingDeadlineSeconds", 0)
        .others_end(subject)
        .starts_before(first, 30)
        .until_seconds(last.nanos_since(first) / NANOS_PER_SECOND + 60)
        .asserts(json!({"text": "Three runs were due, and no Job was made", "never": true, "jobs": {"count": {"min": 1}}}));
    let message = "no run ever starts: the controller looks a moment after the scheduled time, which is too late with a deadline of 0 s";
    let instead = "leave some slack, such as `startingDeadlineSeconds: 100`, or leave it out";
    Some(subject.finding(
        &codes::STARTING_DEADLINE_ZERO,
        "spec.startingDeadlineSeconds".into(),
        message,
        instead,
        proof.build(),
    ))
}

/// A run that never ends: with Forbid no other follows, with Allow they pile up.
fn hanging_run(subject: &Subject, times: &Times<'_>, options: &Options) -> Option<Finding> {
    let spec = &times.cron_job.spec;
    if subject.has_deadline() || spec.concurrency_policy == "Replace" {
        return None;
    }
    let due = times.next(options.from, 4)?;
    let (first, last) = (*due.first()?, *due.last()?);
    let name = job_name(subject);
    let forbid = spec.concurrency_policy == "Forbid";
    let code = if forbid { &codes::FORBID_WITHOUT_DEADLINE } else { &codes::NO_DEADLINE };
    let title = if forbid { "One run hangs, and no other follows" } else { "Runs that hang pile up" };
    let proof = Proof::with_cron_job(code.name, title, subject)
        .no_image(subject)
        .starts_before(first, 30)
        .until_seconds(last.nanos_since(first) / NANOS_PER_SECOND + 60);
    let made = json!({"about": format!("cronjob/{name}"), "reason": "SuccessfulCreate", "count": if forbid { 1 } else { 4 }});
    let proof = proof
        .asserts(json!({"text": if forbid { "Four runs were due, and one was made" } else { "Four runs were made" }, "events": made}))
        .asserts(json!({"text": "None has ended", "jobs": {"condition": "Complete", "count": 0}}))
        .asserts(json!({"text": "None has failed", "jobs": {"condition": "Failed", "count": 0}}));
    let message = if forbid {
        "one run that hangs, or whose image cannot be pulled, stops all later ones: with Forbid they are skipped while it is active, and nothing ends it"
    } else {
        "runs that hang, or whose image cannot be pulled, pile up: no Job has a deadline"
    };
    let instead =
        format!("set `{}` to the longest time that a run may take", subject.path("activeDeadlineSeconds"));
    let path = if forbid { "spec.concurrencyPolicy".to_owned() } else { subject.path("") };
    Some(subject.finding(code, path, message, instead, proof.build()))
}

fn no_history(subject: &Subject, times: &Times<'_>, options: &Options) -> Option<Finding> {
    times.cron_job.spec.failed_jobs_history_limit.filter(|limit| *limit == 0)?;
    let due = times.next(options.from, 1)?;
    let name = job_name(subject);
    let mut proof =
        Proof::with_cron_job(codes::FAILED_HISTORY_ZERO.name, "A failed Job is gone at once", subject)
            .job_field("backoffLimit", 0);
    for container in subject.container_names() {
        proof = proof.behaviour(json!({"container": container}), json!([{"run": "1s"}, {"exit": 1}]));
    }
    let proof = proof
        .others_end(subject)
        .starts_before(*due.first()?, 5)
        .until_seconds(50)
        .asserts(json!({"text": "A run was made", "events": {"about": format!("cronjob/{name}"), "reason": "SuccessfulCreate", "count": 1}}))
        .asserts(json!({"text": "It has failed, and is gone", "jobs": {"condition": "Failed", "count": 0}}))
        .asserts(json!({"text": "So are its Pods", "pods": {"phase": "Failed", "count": 0}}));
    let message = "a failed Job is deleted with its logs as soon as it has failed";
    let instead = "keep one at least: `failedJobsHistoryLimit: 1`, which is the default";
    Some(subject.finding(
        &codes::FAILED_HISTORY_ZERO,
        "spec.failedJobsHistoryLimit".into(),
        message,
        instead,
        proof.build(),
    ))
}
