//! The worst case in words: a table of bounds, why they are what they are, and the ways to end.

use crate::manifest::Manifest;
use crate::render;
use anstyle::{AnsiColor, Style};
use policy_sim::worst_case::{Bound, Ending, Estimate, Field, Outcome, Spread, Unit, WorstCase};
use std::fmt::Write;

struct Paint {
    color: bool,
}

impl Paint {
    fn bold(&self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    fn with(&self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn glyph(&self, outcome: Outcome) -> String {
        let (glyph, color) = match outcome {
            Outcome::Complete => ("✔", AnsiColor::Green),
            Outcome::Failed => ("✘", AnsiColor::Red),
            Outcome::Never => ("∞", AnsiColor::Yellow),
        };
        self.with(color.on_default(), glyph)
    }
}

pub(super) fn of(
    subject: &Manifest,
    worst: &WorstCase,
    estimate: Option<&Estimate>,
    seed: u64,
    color: bool,
) -> String {
    let paint = Paint { color };
    let (kind, namespace, name) = (subject.kind(), subject.namespace(), subject.name());
    let each = if worst.runs.is_some() { ": each run" } else { "" };
    let mut text = format!("{}\n\n", paint.bold(&format!("{kind} {namespace}/{name}{each}, at worst")));
    let rows = rows(worst);
    text.push_str(&table(&rows, &paint));
    section(
        &mut text,
        &paint,
        "Why",
        rows.iter().map(|(name, bound)| ((*name).to_owned(), bound.how.clone())),
    );
    let remedies = rows.iter().flat_map(|(name, bound)| {
        bound.remedies.iter().map(|remedy| {
            let help = format!("{}: at most {}", with_equals(&remedy.field), bound.unit.text(remedy.limit));
            ((*name).to_owned(), help)
        })
    });
    section(&mut text, &paint, "Would bound it, for example", remedies);
    endings(&mut text, &paint, &worst.endings);
    if let Some(estimate) = estimate {
        sampled(&mut text, &paint, estimate, seed);
    }
    list(&mut text, &paint, "Taken for granted", &worst.assumptions);
    list(&mut text, &paint, "Note", &worst.notes);
    text
}

fn rows(worst: &WorstCase) -> Vec<(&'static str, &Bound)> {
    let mut rows = vec![
        ("Pods at once", &worst.pods_at_once),
        ("Pods ever", &worst.pods_ever),
        ("failed Pods", &worst.failed_pods),
        ("time to the end", &worst.time_to_end),
        ("longest back-off", &worst.longest_backoff),
    ];
    if let Some(runs) = &worst.runs {
        rows.push(("Jobs at once", &runs.jobs_at_once));
        rows.push(("Pods of all Jobs", &runs.pods_at_once));
    }
    rows
}

fn table(rows: &[(&str, &Bound)], paint: &Paint) -> String {
    let cells = rows.iter().map(|(name, bound)| {
        let fields: Vec<String> = bound.fields.iter().map(with_equals).collect();
        vec![(*name).to_owned(), bound.text(), bound.rule.code().to_owned(), fields.join(", ")]
    });
    let text = render::table(&["AT MOST", "LIMIT", "RULE", "SET BY"], cells);
    if !paint.color {
        return text;
    }
    let yellow = AnsiColor::Yellow.on_default();
    text.replacen("unbounded", &paint.with(yellow, "unbounded"), rows.len())
}

/// A field as `path=value`, without the part that all paths have.
fn with_equals(field: &Field) -> String {
    let path = field.path.strip_prefix("spec.jobTemplate.").unwrap_or(&field.path);
    let path = path.strip_prefix("spec.").unwrap_or(path);
    format!("{path}={}", field.value)
}

fn section(text: &mut String, paint: &Paint, title: &str, lines: impl Iterator<Item = (String, String)>) {
    let lines: Vec<(String, String)> = lines.collect();
    if lines.is_empty() {
        return;
    }
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    // Writing to a string does not fail.
    let _ = writeln!(text, "\n{}", paint.bold(title));
    for (name, line) in lines {
        let _ = writeln!(text, "  {name:width$}  {line}");
    }
}

fn list(text: &mut String, paint: &Paint, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{}", paint.bold(title));
    for line in lines {
        let _ = writeln!(text, "  - {line}");
    }
}

fn endings(text: &mut String, paint: &Paint, endings: &[Ending]) {
    let _ = writeln!(text, "\n{}", paint.bold("Ways it can end"));
    let name = |ending: &Ending| match ending.reason {
        Some(reason) => format!("{}, {reason}", ending.outcome.as_str()),
        None => ending.outcome.as_str().to_owned(),
    };
    let width = endings.iter().map(|ending| name(ending).len()).max().unwrap_or(0);
    for ending in endings {
        let fields: Vec<String> = ending.fields.iter().map(with_equals).collect();
        let fields = if fields.is_empty() { String::new() } else { format!(": {}", fields.join(", ")) };
        let (glyph, name, when, rule) =
            (paint.glyph(ending.outcome), name(ending), &ending.when, ending.rule.code());
        let _ = writeln!(text, "  {glyph} {name:width$}  {when} ({rule}{fields})");
    }
}

fn sampled(text: &mut String, paint: &Paint, estimate: &Estimate, seed: u64) {
    let (low, high) = estimate.complete_interval;
    let (minutes, error) = estimate.pod_minutes;
    let seconds = |seconds: f64| Unit::Millis.text(rounded(seconds));
    let spread = |spread: &Spread, text: &dyn Fn(f64) -> String| {
        let [mean, p50, p90, p99, max] =
            [spread.mean, spread.p50, spread.p90, spread.p99, spread.max].map(text);
        format!("{mean} on average; half within {p50}, 90 % within {p90}, 99 % within {p99}, most {max}")
    };
    let mut lines = vec![
        ("P(Complete)".to_owned(), format!("{:.3} (95 % interval {low:.3} to {high:.3})", estimate.complete)),
        ("Pod-minutes".to_owned(), format!("{minutes:.2} ± {error:.2} (standard error)")),
    ];
    if let Some(times) = &estimate.seconds_to_end {
        lines.push(("time to the end".to_owned(), spread(times, &seconds)));
    }
    if let Some(pods) = &estimate.pods {
        lines.push(("Pods".to_owned(), spread(pods, &|pods| format!("{}", (pods * 100.0).round() / 100.0))));
    }
    lines.extend(estimate.endings.iter().map(|(name, count)| {
        let share = 100.0 * *count as f64 / estimate.samples.max(1) as f64;
        (format!("{share:.1} %"), name.replace(": ", ", "))
    }));
    let title = format!("In {} sampled runs (seed {seed})", estimate.samples);
    section(text, paint, &title, lines.into_iter());
}

/// Tenths of a second are enough for a mean.
fn rounded(seconds: f64) -> policy_sim::worst_case::Limit {
    policy_sim::worst_case::Limit::Finite((seconds * 10.0).round().max(0.0) as u128 * 100)
}
