//! Laws of explanations: they change nothing, every call has a cause, and every rule is one that can hold.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests may panic: that is how they fail.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
#![allow(missing_docs)]

mod states;
mod world;

use policy_core::explain::{Finding, Rule, Trace, Verdict};
use policy_core::job::{Call, JobView, Plan, PodDigester, PodFacts, Step, begin, decide};
use policy_core::step::{Event, Outcome};
use policy_core::{JobMemory, Settings, Timestamp};
use proptest::prelude::*;
use serde_json::json;
use states::State;
use std::collections::BTreeSet;

/// What a driver gathers that carries out every wave and has nothing go wrong.
#[derive(Default)]
struct Driven {
    calls: Vec<Call>,
    numbers: Vec<u32>,
    events: Vec<Event>,
}

fn drive(view: JobView<'_>, memory: &JobMemory, now: Timestamp, trace: &mut Trace) -> Driven {
    let mut driven = Driven::default();
    let mut step = begin(view, memory, now, trace);
    loop {
        match step {
            Step::Wave(wave, paused) => {
                driven.events.extend(wave.events);
                driven.numbers.extend((wave.first_call..).take(wave.calls.len()));
                let outcomes: Vec<Outcome> = wave.calls.iter().map(|call| answer(view, call)).collect();
                driven.calls.extend(wave.calls);
                step = paused.resume(view, &outcomes, now, trace);
            }
            Step::Finished(end) => {
                driven.events.extend(end.events);
                return driven;
            }
        }
    }
}

fn answer(view: JobView<'_>, call: &Call) -> Outcome {
    let meta = &view.job.metadata;
    match call {
        Call::ReadJob => Outcome::Read { uid: meta.uid.clone(), deletion_timestamp: meta.deletion_timestamp },
        _ => Outcome::done(),
    }
}

/// A plan says the same as the calls of a driver with which every call succeeds.
fn assert_same(plan: &Plan, driven: &Driven) {
    let of = |wanted: fn(&Call) -> bool| {
        driven.calls.iter().filter(|call| wanted(call)).cloned().collect::<Vec<_>>()
    };
    let calls = |list: &[policy_core::job::PodRef], call: fn(policy_core::job::PodRef) -> Call| {
        list.iter().cloned().map(call).collect::<Vec<_>>()
    };
    assert_eq!(calls(&plan.adopt, Call::Adopt), of(|call| matches!(call, Call::Adopt(_))));
    assert_eq!(calls(&plan.release, Call::Release), of(|call| matches!(call, Call::Release(_))));
    assert_eq!(calls(&plan.delete, Call::DeletePod), of(|call| matches!(call, Call::DeletePod(_))));
    let removals = of(|call| matches!(call, Call::RemoveFinalizer(_)));
    assert_eq!(calls(&plan.remove_finalizer, Call::RemoveFinalizer), removals);
    let creations: Vec<Call> = plan.create.iter().copied().map(Call::CreatePod).collect();
    assert_eq!(creations, of(|call| matches!(call, Call::CreatePod(_))));
    let writes = plan.status_updates.iter().cloned().map(|status| Call::WriteStatus(Box::new(status)));
    assert_eq!(writes.collect::<Vec<_>>(), of(|call| matches!(call, Call::WriteStatus(_))));
    let about_job =
        |event: &&Event| !["SuccessfulCreate", "SuccessfulDelete"].contains(&event.reason.as_str());
    assert_eq!(plan.events, driven.events.iter().filter(about_job).cloned().collect::<Vec<_>>());
}

fn held(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(|finding| finding.verdict == Verdict::Held)
}

fn check(state: &State) {
    let digester = PodDigester::new(&state.job);
    let pods: Vec<PodFacts> = state.pods.iter().map(|pod| digester.digest(pod)).collect();
    let settings = Settings { max_uncounted_pods: 3, max_pod_create_delete_per_sync: 4, ..Settings::DEFAULT };
    let view = JobView::new(&state.job, &pods, &settings);
    let plan = decide(view, &state.memory, state.now, &mut ());
    let mut trace = Trace::default();
    assert_eq!(plan, decide(view, &state.memory, state.now, &mut trace), "tracing changes the plan");
    assert_eq!(plan, decide(view, &state.memory, state.now, &mut ()), "the same input gives another plan");

    let mut driver_trace = Trace::default();
    let driven = drive(view, &state.memory, state.now, &mut driver_trace);
    assert_same(&plan, &driven);
    assert_eq!(trace.findings(), driver_trace.findings());

    for (number, call) in driven.numbers.iter().zip(&driven.calls) {
        let cites = held(trace.findings()).any(|finding| finding.calls.contains(number));
        assert!(cites, "{call:?} has no cause among {:#?}", trace.findings());
    }
    for finding in trace.findings() {
        assert!(finding.verdict == Verdict::Held || finding.calls.is_empty(), "{finding:?}");
        assert!(finding.calls.end <= u32::try_from(driven.calls.len()).unwrap(), "{finding:?}");
        assert!(!finding.evidence.is_empty(), "{finding:?} looked at nothing");
    }
    let looked_at: BTreeSet<Rule> = trace.findings().iter().map(|finding| finding.rule).collect();
    let not_reached: BTreeSet<Rule> = trace.not_reached("job").collect();
    assert!(looked_at.is_disjoint(&not_reached));
    assert_eq!(
        looked_at.len() + not_reached.len(),
        Rule::ALL.iter().filter(|rule| rule.domain() == "job").count()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn explaining_changes_nothing_and_every_call_has_a_cause(state in states::any()) {
        check(&state);
    }
}

/// Rules that lives do not come by: what a controller in its right mind never sees.
const RARE: [Rule; 3] = [Rule::ManagedElsewhere, Rule::UnknownCompletionMode, Rule::JobUnusable];

#[test]
fn every_job_rule_holds_in_some_life() {
    let mut found: BTreeSet<Rule> = BTreeSet::new();
    for (field, value) in [("managedBy", "example.com/c"), ("completionMode", "Sideways")] {
        let job = json!({"metadata": {"name": "j", "namespace": "n", "uid": "u"}, "spec": {field: value, "selector": {}}});
        found.extend(rules_held(job));
    }
    found.extend(rules_held(json!({"metadata": {"name": "j"}})));
    assert_eq!(found, RARE.into_iter().collect());
    found.extend(rules_held_without_outcomes());
    for seed in 0..2_000 {
        found.extend(held(&world::live(seed, false)).map(|finding| finding.rule));
    }
    let missing: Vec<Rule> =
        Rule::ALL.iter().copied().filter(|rule| rule.domain() == "job" && !found.contains(rule)).collect();
    assert!(missing.is_empty(), "never held: {missing:?}");
}

fn rules_held(job: serde_json::Value) -> Vec<Rule> {
    let job = serde_json::from_value(job).unwrap();
    let mut trace = Trace::default();
    let view = JobView::new(&job, &[], &Settings::DEFAULT);
    let plan = decide(view, &JobMemory::default(), Timestamp::ZERO, &mut trace);
    assert_eq!(plan.create.len(), 0);
    held(trace.findings()).map(|finding| finding.rule).collect()
}

/// A driver that leaves outcomes out has not removed the finalizer, as far as is known: the Job's end waits for it.
fn rules_held_without_outcomes() -> Vec<Rule> {
    let metadata = |name: &str| json!({"name": name, "namespace": "n", "uid": name});
    let job = json!({"metadata": metadata("j"), "spec": {"completions": 1, "selector": {}}});
    let job = serde_json::from_value(job).unwrap();
    let mut pod = json!({"metadata": metadata("p"), "status": {"phase": "Succeeded"}});
    pod["metadata"]["finalizers"] = json!(["batch.kubernetes.io/job-tracking"]);
    pod["metadata"]["ownerReferences"] =
        json!([{"kind": "Job", "name": "j", "uid": "j", "controller": true}]);
    let facts = [PodDigester::new(&job).digest(&serde_json::from_value(pod).unwrap())];
    let view = JobView::new(&job, &facts, &Settings::DEFAULT);
    let mut trace = Trace::default();
    let mut step = begin(view, &JobMemory::default(), Timestamp::ZERO, &mut trace);
    while let Step::Wave(wave, paused) = step {
        let written = matches!(wave.calls[0], Call::WriteStatus(_));
        let outcomes = [Outcome::done()];
        step = paused.resume(view, &outcomes[..usize::from(written)], Timestamp::ZERO, &mut trace);
    }
    held(trace.findings()).map(|finding| finding.rule).collect()
}

#[test]
fn codes_are_distinct_kebab_case_and_every_rule_has_a_text() {
    let codes: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.code()).collect();
    assert_eq!(codes.len(), Rule::ALL.len());
    for rule in Rule::ALL {
        let code = rule.code();
        assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{code}");
        assert_eq!(Rule::by_code(code), Some(*rule));
        assert!(["job", "cronjob", "ttl", "orphan"].contains(&rule.domain()), "{code}: {}", rule.domain());
        assert!(!rule.upstream().is_empty() && rule.text().trim().ends_with(['.', ')']), "{code}");
    }
}
