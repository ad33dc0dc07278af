//! Laws that hold in every state of the vectors, whatever the right answer is.

use conformance::cases;
use jobpolicy::explain::text::{self, View};
use jobpolicy::explain::{Objects, World};
use policy_core::explain::{Rule, Trace, Verdict};
use policy_core::job::{Call, JobView, PodDigester, PodFacts, Step, begin, decide};
use policy_core::step::Outcome;
use policy_core::{JobMemory, Settings, Timestamp};
use policy_json::job::Line;
use std::collections::BTreeSet;

/// The calls of a driver with which every call succeeds, each with its number.
fn drive(view: JobView<'_>, memory: &JobMemory, now: Timestamp) -> Vec<(u32, Call)> {
    let mut calls = Vec::new();
    let mut step = begin(view, memory, now, &mut ());
    while let Step::Wave(wave, paused) = step {
        let meta = &view.job.metadata;
        let answer = |call: &Call| match call {
            Call::ReadJob => {
                Outcome::Read { uid: meta.uid.clone(), deletion_timestamp: meta.deletion_timestamp }
            }
            _ => Outcome::done(),
        };
        let outcomes: Vec<Outcome> = wave.calls.iter().map(answer).collect();
        calls.extend((wave.first_call..).zip(wave.calls));
        step = paused.resume(view, &outcomes, now, &mut ());
    }
    calls
}

/// Checks one state; returns the rules that held in it.
fn check(line: &mut Line) -> BTreeSet<Rule> {
    let memory = line.memory();
    let (id, now) = (&line.id, line.now);
    let digester = PodDigester::new(&line.job);
    let pods: Vec<PodFacts> = line.pods.iter().map(|pod| digester.digest(pod)).collect();
    let view = JobView::new(&line.job, &pods, &Settings::DEFAULT);

    let plan = decide(view, &memory, now, &mut ());
    let mut trace = Trace::default();
    assert_eq!(plan, decide(view, &memory, now, &mut trace), "{id}: tracing changes the plan");
    assert_eq!(plan, decide(view, &memory, now, &mut ()), "{id}: the same input gives another plan");

    let calls = drive(view, &memory, now);
    let of = |wanted: fn(&Call) -> bool| calls.iter().filter(|(_, call)| wanted(call)).count();
    assert_eq!(plan.create.len(), of(|call| matches!(call, Call::CreatePod(_))), "{id}");
    assert_eq!(plan.delete.len(), of(|call| matches!(call, Call::DeletePod(_))), "{id}");
    assert_eq!(plan.remove_finalizer.len(), of(|call| matches!(call, Call::RemoveFinalizer(_))), "{id}");
    assert_eq!(plan.status_updates.len(), of(|call| matches!(call, Call::WriteStatus(_))), "{id}");

    let held: Vec<_> = trace.findings().iter().filter(|finding| finding.verdict == Verdict::Held).collect();
    for (number, call) in &calls {
        let cited = held.iter().any(|finding| finding.calls.contains(number));
        assert!(cited, "{id}: {call:?} has no cause");
    }
    held.into_iter().map(|finding| finding.rule).collect()
}

/// Explaining the state in words takes anything too.
fn explain(line: Line) {
    let objects = Objects { pods: line.pods, ..Objects::default() };
    let report = jobpolicy::explain::job(&line.job, &World::new(&objects), line.now);
    let text = text::job(&report, "", View { now: line.now, all: true, color: false });
    assert!(text.len() > report.summary.len(), "{}", line.id);
}

/// Rules that only a running controller's memory, failed calls or a state that no controller makes can bring about.
const NOT_IN_VECTORS: [Rule; 5] = [
    Rule::OwnWritesNotSeenYet,
    Rule::FinishNotSeenYet,
    Rule::JobUnusable,
    Rule::SlowStartStopped,
    Rule::EndWaitsForUncountedPods,
];

#[test]
fn every_call_has_a_cause_and_every_rule_holds_somewhere() {
    let mut found: BTreeSet<Rule> = NOT_IN_VECTORS.into_iter().collect();
    for name in ["job-random", "job-trajectory"] {
        for (number, case) in cases(name).enumerate() {
            let mut line = serde_json::from_slice(&case.line).expect("a line of the protocol");
            found.extend(check(&mut line));
            // Explaining decides several times over; a part of the states is enough.
            if number % 8 == 0 {
                explain(line);
            }
        }
    }
    let never: Vec<_> =
        Rule::ALL.iter().filter(|rule| rule.domain() == "job" && !found.contains(rule)).collect();
    assert!(never.is_empty(), "never held: {never:?}");
}
