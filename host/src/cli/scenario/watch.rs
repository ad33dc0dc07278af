//! A run while it happens: redrawn in a terminal, line by line elsewhere.

use super::RunOptions;
use crate::cli::Failure;
use crate::cli::console::Console;
use crate::render::{chart, duration, kubectl, run};
use policy_sim::scenario::{Run, Stage};
use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Reads `--speed`.
pub(in crate::cli) fn parse_speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed > 0.0 && speed.is_finite() => Ok(speed),
        _ => Err(format!("`{text}` is not a factor like `10` or `0.5`")),
    }
}

/// Runs to the end, showing it on the way if asked to.
pub(in crate::cli) fn finish(run: &mut Run<'_>, how: &RunOptions, console: &Console) -> Result<(), Failure> {
    if !how.watch {
        run.finish();
        return Ok(());
    }
    if io::stdout().is_terminal() {
        redraw(run, how, console)?
    } else {
        lines(run)?
    }
    Ok(())
}

/// Draws the cluster ten times a second, as fast as the factor says.
fn redraw(run: &mut Run<'_>, how: &RunOptions, console: &Console) -> io::Result<()> {
    const FRAME: Duration = Duration::from_millis(100);
    let view = how.view(console.color());
    let began = Instant::now();
    let mut drawn = 0;
    while run.ending().is_none() {
        let passed = began.elapsed().as_secs_f64() * how.speed;
        while run.ending().is_none() && (run.elapsed().nanos() as f64) < passed * 1e9 {
            run.step();
        }
        let mut frame = format!("{}  {}\n\n", duration(run.elapsed().nanos() / 1_000_000), run.world.now());
        frame.push_str(&chart::chart(&run.timeline, &run.done, run::scale_of(run, view)));
        for part in [
            kubectl::cron_jobs(&run.world),
            kubectl::jobs(&run.world),
            kubectl::pods(&run.world),
            kubectl::events(&run.world, 8),
        ] {
            if !part.is_empty() {
                frame.push('\n');
                frame.push_str(&part);
            }
        }
        drawn = draw(&frame, drawn)?;
        std::thread::sleep(FRAME);
    }
    draw("", drawn)?;
    Ok(())
}

/// Draws over what was drawn before; returns how many lines there are now.
fn draw(frame: &str, before: usize) -> io::Result<usize> {
    let mut out = io::stdout().lock();
    if before > 0 {
        write!(out, "\u{1b}[{before}A\u{1b}[J")?;
    }
    // A frame that wraps or scrolls could not be drawn over: lines end at the margin, and those that do not fit wait.
    let rows = terminal_size::terminal_size().map_or(usize::MAX, |(_, height)| usize::from(height.0));
    let lines: Vec<&str> = frame.lines().take(rows.saturating_sub(1)).collect();
    write!(out, "\u{1b}[?7l")?;
    for line in &lines {
        writeln!(out, "{line}")?;
    }
    write!(out, "\u{1b}[?7h")?;
    out.flush()?;
    Ok(lines.len())
}

/// Prints what happens, a line each.
fn lines(run: &mut Run<'_>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let (mut events, mut done) = (0, 0);
    let mut stages: BTreeMap<String, Stage> = BTreeMap::new();
    let mut printed: BTreeMap<String, usize> = BTreeMap::new();
    loop {
        let at = duration(run.elapsed().nanos() / 1_000_000);
        for action in run.done.iter().skip(done) {
            writeln!(out, "{at:>8}  {}: {}", action.what, action.answer)?;
        }
        done = run.done.len();
        let record = &run.world.record;
        for event in record.events.iter().skip(events) {
            let object = event.object().to_lowercase();
            writeln!(out, "{at:>8}  {object} {}: {}", event.reason(), event.message())?;
        }
        events = record.events.len();
        for life in run.timeline.lives() {
            let (Some(stage), name) = (life.stage(), life.name().to_string()) else { continue };
            if stages.insert(name, stage) != Some(stage) {
                writeln!(out, "{at:>8}  pod/{} is {stage:?}", life.name())?;
            }
        }
        for (pod, log) in record.logs.iter() {
            let seen = printed.entry(pod.to_string()).or_default();
            for line in log.iter().skip(*seen) {
                writeln!(out, "{at:>8}  pod/{pod} prints: {line}")?;
            }
            *seen = log.len();
        }
        if run.step().is_none() {
            return out.flush();
        }
    }
}
