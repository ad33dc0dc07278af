//! Two runs side by side: what differs at the end, and where and why they part.

use super::RunOptions;
use super::watch;
use crate::cli::console::{Console, OutputArgs};
use crate::cli::{Outcome, Verdict};
use crate::diagnostic::Diagnostic;
use crate::render::chart::{self, Scale};
use crate::render::{self, duration};
use policy_core::Timestamp;
use policy_core::explain::{Finding, Verdict as RuleVerdict};
use policy_sim::record::Decision;
use policy_sim::scenario::{Run, RunReport, Scenario};
use policy_sim::store::Object;
use serde_json::{Value, json};
use std::fmt::Write;

/// A scenario with the name of its variant.
pub(in crate::cli) type Side<'s> = (&'s Scenario, &'s str);

/// Runs both and prints the comparison.
pub(in crate::cli) fn run(
    a: Side<'_>,
    b: Side<'_>,
    how: &RunOptions,
    output: OutputArgs,
    console: &mut Console,
) -> Outcome {
    let mut runs = [Run::new(a.0, how.options()), Run::new(b.0, how.options())];
    for run in &mut runs {
        watch::finish(run, how, console)?;
    }
    let [first, second] = &runs;
    let parting = parting(first, second);
    let reports = || -> Result<Vec<Value>, serde_json::Error> {
        [(first, a.1), (second, b.1)]
            .into_iter()
            .map(|(run, variant)| serde_json::to_value(RunReport { run, variant }))
            .collect()
    };
    if output.output == crate::cli::console::Format::Table {
        let view = how.view(console.color());
        console.text(&text((first, a.1), (second, b.1), parting.as_ref(), view));
    } else {
        let reports = reports().map_err(|error| {
            Diagnostic::error(format!("internal error: the reports cannot be written: {error}"))
        })?;
        let parting = parting.as_ref().map(Parting::to_json);
        console.result(output.output, || json!({"runs": reports, "parting": parting}), |_| String::new());
    }
    Ok(if first.all_held() && second.all_held() { Verdict::Yes } else { Verdict::No })
}

/// Where two runs part.
struct Parting<'r> {
    at: Timestamp,
    /// What each of them decided then; `None` when only the other one decided.
    decisions: [Option<&'r Decision>; 2],
}

/// The first decision that is not the same in both runs.
fn parting<'r>(a: &'r Run<'_>, b: &'r Run<'_>) -> Option<Parting<'r>> {
    let decisions = policy_sim::record::parting(&a.world.record.decisions, &b.world.record.decisions)?;
    let at = decisions.iter().flatten().map(|decision| decision.at).min()?;
    Some(Parting { at, decisions })
}

impl Parting<'_> {
    fn to_json(&self) -> Value {
        json!({"at": self.at, "decisions": self.decisions})
    }

    /// The rules that held in one of the two only.
    fn only_in(&self, side: usize) -> Vec<&Finding> {
        let held = |side: usize| {
            let findings =
                self.decisions.get(side).copied().flatten().map(|decision| decision.findings.as_slice());
            findings.unwrap_or_default().iter().filter(|finding| finding.verdict == RuleVerdict::Held)
        };
        let same = |a: &Finding, b: &Finding| a.rule == b.rule && a.evidence == b.evidence;
        held(side).filter(|finding| !held(1 - side).any(|other| same(finding, other))).collect()
    }
}

fn text(
    a: (&Run<'_>, &str),
    b: (&Run<'_>, &str),
    parting: Option<&Parting<'_>>,
    view: render::run::View,
) -> String {
    let mut out = String::new();
    let start = a.0.world.config.start.min(b.0.world.config.start);
    let end = a.0.world.now().max(b.0.world.now());
    let scale = Scale { start, end, columns: view.columns, color: view.color };
    for (run, variant) in [a, b] {
        out.push_str(&render::run::title(run, variant, view));
        out.push_str(&chart::chart(&run.timeline, &run.done, scale));
        out.push('\n');
    }
    out.push_str(&table(a, b));
    match parting {
        None => out.push_str("\nThey never part: every decision is the same.\n"),
        Some(parting) => {
            let at = duration(parting.at.nanos_since(start) / 1_000_000);
            let _ = writeln!(out, "\nThey part after {at}:");
            for (side, (_, variant)) in [a, b].into_iter().enumerate() {
                out.push_str(&side_text(parting, side, variant));
            }
        }
    }
    for (run, variant) in [a, b] {
        let _ = writeln!(
            out,
            "\n{variant}: {} after {}",
            run.ending().map_or("", policy_sim::Ending::as_str),
            run.elapsed()
        );
        for line in run.why() {
            let _ = writeln!(out, "  {line}");
        }
        for broken in run.assertions().iter().filter(|assertion| !assertion.held) {
            let _ = writeln!(out, "  ✗ {}: {}", broken.text, broken.found.as_deref().unwrap_or_default());
        }
    }
    out
}

fn side_text(parting: &Parting<'_>, side: usize, variant: &str) -> String {
    let mut out = String::new();
    let Some(decision) = parting.decisions.get(side).copied().flatten() else {
        return format!("  {variant}: nothing is decided any more\n");
    };
    let _ = writeln!(
        out,
        "  {variant}: {} is decided about ({}, {} calls)",
        decision.object, decision.verdict, decision.calls
    );
    for finding in parting.only_in(side) {
        let evidence: Vec<String> = finding
            .evidence
            .iter()
            .map(|evidence| {
                let bound = if evidence.bound.is_empty() {
                    String::new()
                } else {
                    format!(" against {}", evidence.bound)
                };
                format!("{} is {}{bound}", evidence.path, evidence.value)
            })
            .collect();
        let _ = writeln!(out, "    {}: {}", finding.rule.code(), evidence.join("; "));
    }
    out
}

/// What the two have come to, in columns.
fn table(a: (&Run<'_>, &str), b: (&Run<'_>, &str)) -> String {
    let pods = |run: &Run<'_>| run.timeline.lives().count().to_string();
    let mut rows = vec![
        vec!["outcome".to_owned(), ending(a.0), ending(b.0)],
        vec!["after".to_owned(), a.0.elapsed().to_string(), b.0.elapsed().to_string()],
        vec!["Pods in all".to_owned(), pods(a.0), pods(b.0)],
    ];
    for (name, left, right) in jobs(a.0, b.0) {
        rows.push(vec![format!("Job {name}"), left, right]);
    }
    render::table(&["", a.1, b.1], rows)
}

fn ending(run: &Run<'_>) -> String {
    run.ending().map_or("", policy_sim::Ending::as_str).to_owned()
}

fn jobs(a: &Run<'_>, b: &Run<'_>) -> Vec<(String, String, String)> {
    const MOST: usize = 10;
    let states = |run: &Run<'_>| -> std::collections::BTreeMap<String, String> {
        let jobs = run.world.store.objects().filter_map(|object| match object {
            Object::Job(job) => Some(job),
            _ => None,
        });
        jobs.map(|job| {
            let status = &job.status;
            let how = status.finished().map_or("not finished".to_owned(), |condition| {
                format!("{} ({})", condition.kind, condition.reason)
            });
            let counts =
                format!("{} succeeded, {} failed, {} active", status.succeeded, status.failed, status.active);
            (job.metadata.name.clone(), format!("{how}: {counts}"))
        })
        .collect()
    };
    let (left, right) = (states(a), states(b));
    let names: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    let of = |side: &std::collections::BTreeMap<String, String>, name: &str| {
        side.get(name).cloned().unwrap_or_else(|| "not there".to_owned())
    };
    names.into_iter().take(MOST).map(|name| (name.clone(), of(&left, name), of(&right, name))).collect()
}
