//! CronJob syncs: every rule is hit, tracing changes nothing, every call has its reason, and the machine and `decide`
//! agree.

// Tests assert, also in their helpers.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use policy_core::Timestamp;
use policy_core::cron::{
    Call, ChildJob, CronJobView, LiveObjects, OnUpdate, Outcome, Plan, Server, Step, SyncError, UtcOnly,
    begin, decide, on_update, run,
};
use policy_core::explain::{Rule, Trace, Verdict};
use policy_core::spec::{CronJob, Job};
use policy_core::step::{CallError, CallErrorKind};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const NOW: &str = "2026-01-01T00:05:00.5Z";

/// A CronJob with the Jobs around it, and a server that refuses some calls.
struct Scenario {
    cron_job: CronJob,
    jobs: Vec<Job>,
    fresh: Option<CronJob>,
    refused: Option<(&'static str, CallErrorKind)>,
}

impl Scenario {
    /// CronJob `hello`, due every five minutes, with changes to its spec and status.
    fn new(spec: Value, status: Value) -> Self {
        let mut cron_job = json!({
            "metadata": {"name": "hello", "namespace": "default", "uid": "u", "creationTimestamp": "2026-01-01T00:00:30Z"},
            "spec": {
                "schedule": "*/5 * * * *",
                "jobTemplate": {"metadata": {"labels": {"app": "x"}, "finalizers": ["f"]}, "spec": {"backoffLimit": 2}},
            },
            "status": status,
        });
        merge(&mut cron_job["spec"], spec);
        let cron_job: CronJob = serde_json::from_value(cron_job).unwrap();
        Scenario { fresh: Some(cron_job.clone()), cron_job, jobs: vec![], refused: None }
    }

    fn job(mut self, name: &str, owner: &str, status: Value) -> Self {
        let owner = json!({"apiVersion": "batch/v1", "kind": "CronJob", "name": "hello", "uid": owner, "controller": true});
        let metadata = json!({"name": name, "namespace": "default", "uid": name, "ownerReferences": [owner]});
        self.jobs.push(serde_json::from_value(json!({"metadata": metadata, "status": status})).unwrap());
        self
    }

    fn refusing(mut self, verb: &'static str, kind: CallErrorKind) -> Self {
        self.refused = Some((verb, kind));
        self
    }

    fn run(&self, rec: &mut impl policy_core::explain::Recorder) -> Plan {
        let jobs: Vec<ChildJob<'_>> = self.jobs.iter().map(ChildJob::from).collect();
        let view = CronJobView { cron_job: &self.cron_job, jobs: &jobs };
        run(view, &mut Refusing { live: self.live(), refused: self.refused }, now(), &UtcOnly, rec)
    }

    fn live(&self) -> LiveObjects<'_> {
        LiveObjects::new(self.fresh.as_ref(), self.jobs.iter().map(|job| &job.metadata).collect())
    }
}

struct Refusing<'a> {
    live: LiveObjects<'a>,
    refused: Option<(&'static str, CallErrorKind)>,
}

impl Server for Refusing<'_> {
    fn carry_out(&mut self, call: &Call) -> Outcome {
        match self.refused {
            Some((verb, kind)) if verb == verb_of(call) => {
                Outcome::Failed(CallError { kind, message: "refused".into() })
            }
            _ => self.live.carry_out(call),
        }
    }
}

fn verb_of(call: &Call) -> &'static str {
    match call {
        Call::GetJob { .. } => "get",
        Call::GetCronJob { .. } => "get-cron-job",
        Call::DeleteJob { .. } => "delete",
        Call::CreateJob { .. } => "create",
        Call::UpdateStatus(_) => "update-status",
    }
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

fn now() -> Timestamp {
    Timestamp::parse(NOW).unwrap()
}

fn verbs(plan: &Plan) -> Vec<&'static str> {
    plan.calls.iter().map(|(call, _)| verb_of(call)).collect()
}

fn reasons(plan: &Plan) -> Vec<&str> {
    plan.finished.events.iter().map(|event| event.reason.as_str()).collect()
}

fn complete(at: &str) -> Value {
    json!({"conditions": [{"type": "Complete", "status": "True"}], "startTime": at, "completionTime": at})
}

fn active(names: &[&str]) -> Value {
    let references =
        names.iter().map(|name| json!({"kind": "Job", "namespace": "default", "name": name, "uid": name}));
    json!({"active": references.collect::<Vec<_>>()})
}

/// A scenario for each rule, under which it holds.
fn scenarios() -> Vec<(Rule, Scenario)> {
    let with_spec = |spec: Value| Scenario::new(spec, json!({}));
    let with_active = |names: &[&str]| Scenario::new(json!({}), active(names));
    let run = "hello-29453765";
    let mut deleting = with_spec(json!({}));
    deleting.cron_job.metadata.deletion_timestamp = Some(now());
    let mut stale = with_spec(json!({})).job("a", "u", json!({}));
    stale.fresh = Some(Scenario::new(json!({}), active(&["a"])).cron_job);
    let mut recorded = Scenario::new(json!({}), json!({})).job(run, "u", json!({}));
    recorded.cron_job.status = serde_json::from_value(active(&[run])).unwrap();
    recorded.cron_job.status.active[0].name = "renamed".into();
    let failed = json!({"conditions": [{"type": "Failed", "status": "True"}]});
    vec![
        (
            Rule::SuccessfulJobsHistoryLimit,
            with_spec(json!({"successfulJobsHistoryLimit": 0})).job("a", "u", complete(NOW)),
        ),
        (Rule::FailedJobsHistoryLimit, with_spec(json!({"failedJobsHistoryLimit": 0})).job("a", "u", failed)),
        (Rule::ChildNotInActiveList, with_spec(json!({})).job("a", "u", json!({}))),
        (Rule::UnexpectedJob, with_spec(json!({})).job("a", "u", json!({}))),
        (Rule::ActiveListStale, stale),
        (Rule::ActiveJobFinished, with_active(&["a"]).job("a", "u", complete(NOW))),
        (Rule::LastSuccessfulTime, with_spec(json!({})).job("a", "u", complete(NOW))),
        (Rule::ActiveJobNotSeen, with_active(&["gone"])),
        (Rule::ActiveJobMissing, with_active(&["gone"])),
        (Rule::CronJobDeleting, deleting),
        (Rule::UnknownTimeZone, with_spec(json!({"timeZone": "Mars/X"}))),
        (Rule::CronJobSuspended, with_spec(json!({"suspend": true}))),
        (Rule::TimeZoneInSchedule, with_spec(json!({"schedule": "TZ=UTC */5 * * * *"}))),
        (Rule::UnparseableSchedule, with_spec(json!({"schedule": "*/5 * * *"}))),
        (Rule::StartingDeadline, with_spec(json!({"startingDeadlineSeconds": 60}))),
        (Rule::ScheduleNeverFires, with_spec(json!({"schedule": "0 0 31 2 *"}))),
        (Rule::NoRunDue, with_spec(json!({"schedule": "0 0 * * *"}))),
        (Rule::TooManyMissedTimes, with_spec(json!({"schedule": "@every 1s"}))),
        (Rule::RunTooLate, with_spec(json!({"startingDeadlineSeconds": 1_i64 << 54}))),
        (Rule::RunAlreadyStarted, Scenario::new(json!({}), active(&[run])).job(run, "u", json!({}))),
        (Rule::ForbidConcurrent, {
            Scenario::new(json!({"concurrencyPolicy": "Forbid"}), active(&["a"])).job("a", "u", json!({}))
        }),
        (Rule::ReplaceConcurrent, {
            Scenario::new(json!({"concurrencyPolicy": "Replace"}), active(&["a"])).job("a", "u", json!({}))
        }),
        (Rule::RunDue, with_spec(json!({}))),
        (
            Rule::NamespaceTerminating,
            with_spec(json!({})).refusing("create", CallErrorKind::NamespaceTerminating),
        ),
        (Rule::JobAlreadyExists, with_spec(json!({})).job(run, "other", json!({}))),
        (Rule::JobOfAnother, with_spec(json!({})).job(run, "other", json!({}))),
        (Rule::JobAlreadyRecorded, recorded),
        (Rule::NextRun, with_spec(json!({}))),
        (Rule::CronJobStatusChanged, with_spec(json!({}))),
    ]
}

#[test]
fn every_rule_holds_in_its_scenario_and_has_one() {
    let mut covered = BTreeSet::new();
    for (rule, scenario) in scenarios() {
        let mut trace = Trace::default();
        scenario.run(&mut trace);
        let held = trace.findings().iter().any(|f| f.rule == rule && f.verdict == Verdict::Held);
        assert!(held, "{rule}: {:?}", trace.findings());
        covered.insert(rule);
    }
    let rules: BTreeSet<Rule> = Rule::ALL.iter().copied().filter(|rule| rule.domain() == "cronjob").collect();
    assert_eq!(covered, rules);
    assert!(
        rules.iter().all(|rule| rule.text().lines().count() > 2 && Rule::by_code(rule.code()) == Some(*rule))
    );
}

#[test]
fn tracing_never_changes_a_plan_and_every_call_has_one_reason() {
    for (rule, scenario) in scenarios() {
        let mut trace = Trace::default();
        let (plain, traced) = (scenario.run(&mut ()), scenario.run(&mut trace));
        assert_eq!(format!("{plain:?}"), format!("{traced:?}"), "{rule}");
        for number in 0..u32::try_from(traced.calls.len()).unwrap() {
            let cites =
                |f: &&policy_core::explain::Finding| f.verdict == Verdict::Held && f.calls.contains(&number);
            assert_eq!(trace.findings().iter().filter(cites).count(), 1, "{rule}: call {number}");
        }
        for finding in trace.findings() {
            assert!(!finding.evidence.is_empty(), "{finding:?} looked at nothing");
            assert!(finding.verdict == Verdict::Held || finding.calls.is_empty(), "{finding:?}");
            assert!(finding.calls.end as usize <= traced.calls.len(), "{finding:?}");
        }
    }
}

#[test]
fn decide_is_the_machine_with_every_outcome_good() {
    for (rule, scenario) in scenarios() {
        let jobs: Vec<ChildJob<'_>> = scenario.jobs.iter().map(ChildJob::from).collect();
        let view = CronJobView { cron_job: &scenario.cron_job, jobs: &jobs };
        let plan = decide(view, scenario.live(), now(), &UtcOnly, &mut ());

        let (mut calls, mut events, mut live) = (Vec::new(), Vec::new(), scenario.live());
        let mut step = begin(view, now(), &UtcOnly, &mut ());
        let finished = loop {
            match step {
                Step::Wave(wave, paused) => {
                    assert_eq!(wave.first_call as usize, calls.len(), "{rule}");
                    events.extend(wave.events);
                    let outcomes = wave.calls.iter().map(|call| live.carry_out(call)).collect();
                    calls.extend(wave.calls);
                    step = paused.resume(view, outcomes, now(), &UtcOnly, &mut ());
                }
                Step::Finished(finished) => break finished,
            }
        };
        events.extend(finished.events.clone());
        assert_eq!(
            format!("{:?}", plan.calls.iter().map(|(c, _)| c).collect::<Vec<_>>()),
            format!("{:?}", calls.iter().collect::<Vec<_>>())
        );
        assert_eq!(
            (plan.finished.events, plan.finished.requeue, plan.finished.error),
            (events, finished.requeue, finished.error)
        );
    }
}

#[test]
fn a_lost_answer_is_a_failure_and_never_a_panic() {
    for (_, scenario) in scenarios() {
        let jobs: Vec<ChildJob<'_>> = scenario.jobs.iter().map(ChildJob::from).collect();
        let view = CronJobView { cron_job: &scenario.cron_job, jobs: &jobs };
        let mut step = begin(view, now(), &UtcOnly, &mut ());
        while let Step::Wave(_, paused) = step {
            step = paused.resume(view, vec![], now(), &UtcOnly, &mut ());
        }
    }
}

#[test]
fn a_created_job_takes_little_from_the_template() {
    let plan = Scenario::new(json!({"timeZone": "UTC"}), json!({})).run(&mut ());
    let Call::CreateJob { namespace, job } = &plan.calls[0].0 else { panic!("{:?}", plan.calls) };
    assert_eq!(namespace, "default");
    assert_eq!(
        serde_json::to_value(job).unwrap(),
        json!({
            "metadata": {
                "name": "hello-29453765",
                "creationTimestamp": "2026-01-01T00:05:00Z",
                "labels": {"app": "x"},
                "annotations": {"batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-01T00:05:00Z"},
                "ownerReferences": [{
                    "apiVersion": "batch/v1", "kind": "CronJob", "name": "hello", "uid": "u",
                    "controller": true, "blockOwnerDeletion": true,
                }],
            },
            "spec": {"backoffLimit": 2},
        })
    );
    assert_eq!(plan.finished.creation_skew_nanos, Some(0));
    assert_eq!(plan.finished.requeue.unwrap().after_nanos, 299_600_000_000);
}

#[test]
fn status_changes_after_the_fresh_copy_took_over_are_lost() {
    let mut scenario = Scenario::new(json!({}), json!({})).job("a", "u", json!({}));
    scenario.fresh = Some(Scenario::new(json!({}), active(&["a"])).cron_job);
    let plan = scenario.run(&mut ());
    assert_eq!(verbs(&plan), ["get-cron-job", "create", "update-status"]);
    let Call::UpdateStatus(status) = &plan.calls[2].0 else { panic!("{:?}", plan.calls) };
    assert!(status.active.is_empty() && status.last_schedule_time.is_none());
}

#[test]
fn replace_stops_at_the_first_job_that_cannot_be_deleted() {
    let replace = || {
        let policy = json!({"concurrencyPolicy": "Replace"});
        Scenario::new(policy, active(&["a", "b"])).job("a", "u", json!({})).job("b", "u", json!({}))
    };
    let plan = replace().run(&mut ());
    assert_eq!(verbs(&plan), ["get", "delete", "get", "delete", "create", "update-status"]);
    let plan = replace().refusing("delete", CallErrorKind::Other).run(&mut ());
    assert_eq!((verbs(&plan), reasons(&plan)), (vec!["get", "delete"], vec!["FailedDelete"]));
    let not_replaced = SyncError::NotReplaced { namespace: "default".into(), name: "a".into() };
    assert_eq!(plan.finished.error, Some(not_replaced));
    let plan = replace().refusing("get", CallErrorKind::Other).run(&mut ());
    assert_eq!((verbs(&plan), reasons(&plan)), (vec!["get"], vec!["FailedGet"]));
}

#[test]
fn a_failed_status_write_is_an_error_without_a_next_look() {
    let plan =
        Scenario::new(json!({}), json!({})).refusing("update-status", CallErrorKind::Conflict).run(&mut ());
    assert_eq!((verbs(&plan), reasons(&plan)), (vec!["create", "update-status"], vec!["SuccessfulCreate"]));
    assert_eq!(plan.finished.requeue, None);
    assert!(matches!(
        plan.finished.error,
        Some(SyncError::Call(CallError { kind: CallErrorKind::Conflict, .. }))
    ));
}

#[test]
fn clean_up_deletes_the_oldest_and_goes_on_past_a_failure() {
    let spec = json!({"successfulJobsHistoryLimit": 1, "failedJobsHistoryLimit": 1, "suspend": true});
    let scenario = Scenario::new(spec, active(&["c"]))
        .job("a", "u", complete("2026-01-01T00:00:02Z"))
        .job("b", "u", json!({"conditions": [{"type": "Complete", "status": "True"}]}))
        .job("c", "u", complete("2026-01-01T00:00:01Z"))
        .job("d", "other", complete("2026-01-01T00:00:00Z"));
    let plan = scenario.run(&mut ());
    let deleted: Vec<&str> = plan
        .calls
        .iter()
        .filter_map(|(call, _)| match call {
            Call::DeleteJob { name, .. } => Some(name.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(deleted, ["c", "a"]);
    let plan = scenario.refusing("delete", CallErrorKind::Other).run(&mut ());
    assert_eq!(reasons(&plan), ["FailedDelete", "FailedDelete", "SawCompletedJob"]);
    assert_eq!(plan.finished.requeue, None);
}

#[test]
fn the_clock_is_read_after_clean_up() {
    let scenario =
        Scenario::new(json!({"successfulJobsHistoryLimit": 0}), json!({})).job("a", "u", complete(NOW));
    let jobs: Vec<ChildJob<'_>> = scenario.jobs.iter().map(ChildJob::from).collect();
    let view = CronJobView { cron_job: &scenario.cron_job, jobs: &jobs };
    let before = Timestamp::parse("2026-01-01T00:04:59Z").unwrap();
    let Step::Wave(_, paused) = begin(view, before, &UtcOnly, &mut ()) else { panic!() };
    let step = paused.resume(view, vec![Outcome::Done], now(), &UtcOnly, &mut ());
    assert!(matches!(step, Step::Wave(wave, _) if matches!(wave.calls[0], Call::CreateJob { .. })));
}

#[test]
fn an_update_waits_for_the_new_schedules_next_time() {
    let old = Scenario::new(json!({}), json!({})).cron_job;
    let with = |spec: Value| on_update(&old, &Scenario::new(spec, json!({})).cron_job, now(), &UtcOnly);
    assert_eq!(with(json!({"suspend": true})), OnUpdate::Sync);
    assert_eq!(
        with(json!({"schedule": "0 * * * *"})),
        OnUpdate::SyncAfter { delay_nanos: 3_299_600_000_000 }
    );
    assert_eq!(with(json!({"timeZone": "Mars/X"})), OnUpdate::SyncAfter { delay_nanos: 299_600_000_000 });
    let OnUpdate::Report(event) = with(json!({"schedule": "x"})) else { panic!() };
    assert_eq!(event.message, "unparseable schedule for cronjob: x");
}

#[test]
fn an_overflowing_deadline_wraps() {
    // 2^62 seconds are zero nanoseconds upstream, so nothing but this very instant is in time.
    let plan = Scenario::new(json!({"startingDeadlineSeconds": 1_i64 << 62}), json!({})).run(&mut ());
    assert!(plan.calls.is_empty());
}

#[test]
fn a_cron_job_without_creation_time_is_not_walked_from_the_year_one() {
    for schedule in ["* * * * *", "@every 1s", "0 0 1 1 *", "* * 29 2 *", ", * * * *"] {
        let mut scenario = Scenario::new(json!({"schedule": schedule}), json!({}));
        scenario.cron_job.metadata.creation_timestamp = None;
        scenario.run(&mut ());
    }
}
