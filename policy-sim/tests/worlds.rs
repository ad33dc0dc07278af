//! Simulated worlds: random Jobs under random faults in the virtual cluster, with checkers that keep their own books.
//!
//! `JOBPOLICY_SEEDS=N` runs so many worlds, `JOBPOLICY_SEED=N` runs one again and tells all of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests may panic: that is how they fail.
#![allow(missing_docs)]

#[path = "worlds/bugs.rs"]
mod bugs;
#[path = "worlds/checks/mod.rs"]
mod checks;
#[path = "worlds/plan.rs"]
mod plan;
#[path = "worlds/plant.rs"]
mod plant;
#[path = "worlds/run.rs"]
mod run;
#[path = "worlds/shared.rs"]
mod shared;
#[path = "worlds/tally.rs"]
mod tally;

use checks::{Check, Violation};
use plant::{Bug, Planted};
use run::run;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tally::Tally;

/// Worlds that a plain `cargo test` runs.
const DEFAULT_SEEDS: u64 = 2_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Runs these worlds on all processors; sums do not depend on who ran which.
fn run_all(seeds: u64) -> (Tally, Vec<(u64, Violation)>) {
    let next = AtomicU64::new(0);
    let work = || {
        let (mut tally, mut broken) = (Tally::default(), Vec::new());
        loop {
            let first = next.fetch_add(64, Ordering::Relaxed);
            if first >= seeds {
                return (tally, broken);
            }
            for seed in first..seeds.min(first + 64) {
                match run(seed, &|core| core, |_| {}, false) {
                    Ok(run) => tally.add(&run),
                    Err(violation) => broken.push((seed, violation)),
                }
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let (mut tally, mut broken) = (Tally::default(), Vec::new());
        for worker in workers {
            let (other, more) = worker.join().expect("a world panicked");
            tally.merge(&other);
            broken.extend(more);
        }
        broken.sort_by_key(|(seed, _)| *seed);
        (tally, broken)
    })
}

/// The worlds that broke a checker, each with the command that runs it again.
fn report(broken: &[(u64, Violation)]) -> String {
    let mut by_check: BTreeMap<Check, usize> = BTreeMap::new();
    let mut first = |check: Check| {
        let count = by_check.entry(check).or_default();
        *count += 1;
        *count <= 3
    };
    let shown: Vec<_> = broken.iter().filter(|(_, violation)| first(violation.check)).collect();
    let lines = shown.iter().map(|(seed, violation)| {
        let again =
            format!("JOBPOLICY_SEED={seed} cargo test -p policy-sim --test worlds every -- --nocapture");
        format!("the world of seed {seed} breaks {violation}\n  run it again: {again}\n")
    });
    format!("{}{} worlds are broken: {by_check:?}", lines.collect::<String>(), broken.len())
}

#[test]
fn every_checker_holds_in_every_world() {
    if let Some(seed) = number("JOBPOLICY_SEED") {
        let run = run(seed, &|core| core, |_| {}, true);
        return println!("{:#?}", run.unwrap_or_else(|violation| panic!("{violation}")));
    }
    let (tally, broken) = run_all(number("JOBPOLICY_SEEDS").unwrap_or(DEFAULT_SEEDS));
    println!("{tally}");
    assert!(broken.is_empty(), "{}", report(&broken));
}

/// Worlds in which a planted bug has to be found.
const BUG_SEEDS: u64 = 10_000;

/// The first world in which the bug is found.
fn find(bug: Bug) -> Option<(u64, Violation)> {
    (0..BUG_SEEDS).find_map(|seed| {
        let wrap = |policy| -> Arc<dyn policy_sim::policy::JobPolicy> { Arc::new(Planted { bug, policy }) };
        let found = run(seed, &wrap, |plan| (bug.config)(&mut plan.config), false);
        found.err().map(|violation| (seed, violation))
    })
}

#[test]
fn planted_bugs_are_found() {
    let mut missed = Vec::new();
    let mut count = 0;
    for bug in bugs::all() {
        count += 1;
        match find(bug) {
            Some((seed, violation)) => {
                println!("seed {seed:>5} {:>20}  {}", violation.check.to_string(), bug.name);
                if !bug.found_by.contains(&violation.check) {
                    missed.push(format!("{}: seed {seed} breaks {violation}", bug.name));
                }
            }
            None => missed.push(format!("{}: not found in {BUG_SEEDS} worlds", bug.name)),
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert!(count >= 20, "{count} bugs are planted");
}
