//! A run of a scenario as text.

use super::chart::{self, Scale};
use super::{duration, kubectl, table};
use anstyle::{AnsiColor, Style};
use policy_sim::scenario::{Done, Held, Run};
use std::fmt::Write;

/// What is shown of a run, and how.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Columns of the terminal.
    pub columns: usize,
    /// Whether to colour.
    pub color: bool,
    /// Events shown at most.
    pub events: usize,
    /// Lines shown of each Pod's log at most.
    pub log_lines: usize,
}

impl View {
    fn style(self, color: AnsiColor) -> Style {
        if self.color { color.on_default() } else { Style::new() }
    }

    fn heading(self, text: &str) -> String {
        let bold = if self.color { Style::new().bold() } else { Style::new() };
        format!("\n{bold}{text}{bold:#}\n")
    }
}

/// The whole text about a run that is over.
pub fn text(run: &Run<'_>, variant: &str, view: View) -> String {
    let mut out = title(run, variant, view);
    let scale = scale_of(run, view);
    let parts = [
        ("Timeline", chart::chart(&run.timeline, &run.done, scale)),
        ("Actions", actions(run)),
        ("CronJobs", kubectl::cron_jobs(&run.world)),
        ("Jobs", kubectl::jobs(&run.world)),
        ("Pods", kubectl::pods(&run.world)),
        ("Events", kubectl::events(&run.world, view.events)),
        ("Logs", logs(run, view.log_lines)),
    ];
    for (heading, part) in parts {
        if !part.is_empty() {
            out.push_str(&view.heading(heading));
            out.push_str(&part);
        }
    }
    out.push_str(&outcome(run, view));
    out.push_str(&assertions(&run.assertions(), view));
    out
}

/// The headline of a run.
pub fn title(run: &Run<'_>, variant: &str, view: View) -> String {
    let scenario = run.scenario();
    let bold = if view.color { Style::new().bold() } else { Style::new() };
    let title = if scenario.title.is_empty() { String::new() } else { format!(": {}", scenario.title) };
    format!("{bold}{} ({variant}){bold:#}{title}\n", scenario.name)
}

/// The scale of a run's own chart.
pub fn scale_of(run: &Run<'_>, view: View) -> Scale {
    let start = run.world.config.start;
    Scale { start, end: run.world.now(), columns: view.columns, color: view.color }
}

fn actions(run: &Run<'_>) -> String {
    let start = run.world.config.start;
    // What is created at the start is plain from the tables.
    let shown = run.done.iter().filter(|done| done.at > start || done.code.is_some());
    let rows: Vec<Vec<String>> = shown.map(|done| action_row(done, start)).collect();
    if rows.is_empty() { String::new() } else { table(&["AT", "ACTION", "ANSWER"], rows) }
}

fn action_row(done: &Done, start: policy_core::Timestamp) -> Vec<String> {
    let times = if done.count > 1 { format!(" (x{})", done.count) } else { String::new() };
    let answer = match done.code {
        Some(code) => format!("{code} {}{times}", done.answer),
        None => format!("{}{times}", done.answer),
    };
    vec![duration(done.at.nanos_since(start) / 1_000_000), done.what.clone(), answer]
}

/// Logs of the first Pods; long ones are cut.
fn logs(run: &Run<'_>, most: usize) -> String {
    const PODS: usize = 12;
    let mut out = String::new();
    let record = &run.world.record;
    let printed =
        || run.timeline.lives().filter_map(|life| Some((life.name(), record.logs.get(life.name())?)));
    if most == 0 {
        return out;
    }
    for (pod, lines) in printed().take(PODS) {
        for line in lines.iter().take(most) {
            let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            // Writing to a string does not fail.
            let _ = writeln!(out, "{pod}  {line}");
        }
        if lines.len() > most {
            let _ = writeln!(out, "{pod}  … and {} more lines", lines.len() - most);
        }
    }
    let all = printed().count();
    if all > PODS {
        let _ = writeln!(out, "… and the logs of {} more Pods", all - PODS);
    }
    out
}

fn outcome(run: &Run<'_>, view: View) -> String {
    let ending = run.ending().map_or("running", policy_sim::Ending::as_str);
    let words = match ending {
        "finished" => "every Job is terminal and every Pod has ended",
        "quiescent" => "nothing is under way, and not everything has ended",
        "deadline" => "the time was up",
        _ => "it goes on",
    };
    let mut out = view.heading(&format!("Outcome: {ending} after {} ({words})", run.elapsed()));
    for line in run.why() {
        let _ = writeln!(out, "  {line}");
    }
    out
}

/// The assertions, with what was found where one does not hold.
pub fn assertions(assertions: &[Held], view: View) -> String {
    if assertions.is_empty() {
        return String::new();
    }
    let held = assertions.iter().filter(|assertion| assertion.held).count();
    let mut out = view.heading(&format!("Assertions: {held} of {} hold", assertions.len()));
    for assertion in assertions {
        let (mark, style) = if assertion.held {
            ("✓", view.style(AnsiColor::Green))
        } else {
            ("✗", view.style(AnsiColor::Red))
        };
        let found = assertion.found.as_ref().map(|found| format!(": {found}")).unwrap_or_default();
        let _ = writeln!(out, "  {style}{mark}{style:#} {}{found}", assertion.text);
    }
    out
}
