//! Instructions, which do not depend on what else the machine does: counted by callgrind, compared with the baseline.

use crate::baseline::{Baseline, Count};
use bench::Case;
use bench::engine::{Mode, native};
use std::process::Command;

/// The argument with which this program is started under callgrind.
pub(crate) const REPEAT: &str = "--repeat";

/// What is counted: a few cases that take different ways.
const COUNTED: [(Case, usize, Mode); 7] = [
    (Case::Fresh, 1_000, Mode::Full),
    (Case::Steady, 1_000, Mode::Full),
    (Case::Policy, 1_000, Mode::Full),
    (Case::Steady, 1_000, Mode::Incremental),
    (Case::IndexedFailing, 1_000, Mode::Incremental),
    (Case::Policy, 1_000, Mode::Incremental),
    (Case::IndexedDone, 1_000, Mode::Incremental),
];

/// The set-up costs the same with few decisions and with many.
const FEW: u32 = 4;
const MANY: u32 = 68;

/// More than this is a regression: versions of the C library count a little differently.
const TOLERATED: f64 = 1.05;

/// Counts every case; needs valgrind.
pub(crate) fn count_all() -> Result<Vec<Count>, String> {
    let count = |(case, pods, mode): (Case, usize, Mode)| {
        let (few, many) = (count(case, pods, mode, FEW)?, count(case, pods, mode, MANY)?);
        let instructions = many.saturating_sub(few) / u64::from(MANY - FEW);
        Ok(Count { case: case.name().into(), pods, mode: mode.name().into(), instructions })
    };
    COUNTED.into_iter().map(count).collect()
}

fn count(case: Case, pods: usize, mode: Mode, decisions: u32) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
    valgrind.args([REPEAT, case.name(), &pods.to_string(), mode.name(), &decisions.to_string()]);
    let output = valgrind.output().map_err(|error| {
        format!("cannot start valgrind, which counts instructions: {error}\nit is in the package `valgrind`")
    })?;
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split("Collected :").nth(1));
    let collected = collected.and_then(|number| number.trim().parse().ok());
    collected.filter(|_| output.status.success()).ok_or_else(|| format!("valgrind failed\n{text}"))
}

/// Sets a case up and decides so many times.
pub(crate) fn repeat(args: impl Iterator<Item = String>) -> Result<(), String> {
    let args: Vec<String> = args.collect();
    let [case, pods, mode, decisions] = args.as_slice() else {
        return Err(format!("`{REPEAT}` needs a case, a number of Pods, a mode and a number of decisions"));
    };
    let case = Case::ALL.into_iter().find(|known| known.name() == case).ok_or("no such case")?;
    let mode = Mode::ALL.into_iter().find(|known| known.name() == mode).ok_or("no such mode")?;
    let number = |text: &str| text.parse::<u32>().map_err(|_| format!("`{text}` is not a number"));
    let mut state = native(case, number(pods)? as usize, mode);
    for _ in 0..number(decisions)? {
        state.decide();
    }
    Ok(())
}

/// Fails where a case takes more instructions than recorded.
pub(crate) fn compare(counts: &[Count], baseline: &Baseline) -> Result<(), String> {
    let mut worse = Vec::new();
    for count in counts {
        let same =
            |known: &&Count| (&known.case, known.pods, &known.mode) == (&count.case, count.pods, &count.mode);
        let known = baseline.instructions.iter().find(same).map(|known| known.instructions);
        let ratio = known.map_or(f64::INFINITY, |known| count.instructions as f64 / known as f64);
        let Count { case, pods, mode, instructions } = count;
        let line = format!("{case}/{pods}/{mode}: {instructions} instructions, {ratio:.3} of the baseline's");
        eprintln!("{line}");
        if ratio > TOLERATED {
            worse.push(line);
        } else if ratio < 2.0 - TOLERATED {
            eprintln!("  less than recorded: `cargo xtask bench --record` keeps it so");
        }
    }
    if worse.is_empty() {
        return Ok(());
    }
    Err(format!("slower than recorded\n  {}", worse.join("\n  ")))
}
