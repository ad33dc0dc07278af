//! `schedule --dialect quartz`: what lines from elsewhere mean in Kubernetes, and where the two would differ.

use super::Args;
use crate::cli::clock::{self, Clock};
use crate::cli::console::Console;
use crate::cli::quartz::{self, Comparison, QuartzError, Side, Translation};
use crate::cli::{Failure, Outcome, Verdict};
use crate::diagnostic::Diagnostic;
use crate::manifest::Source;
use crate::render;
use policy_core::cron::ResolveError;
use serde_json::{Value, json};

/// How schedule lines are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Dialect {
    /// Five fields, as in `spec.schedule`
    #[default]
    Kubernetes,
    /// Six or seven fields with seconds and perhaps years; Sunday is 1
    Quartz,
}

/// Differences shown before the rest is summed up.
const SHOWN: usize = 20;

/// A line and what came of it.
struct Translated {
    line: String,
    result: Result<(Translation, Option<Comparison>), QuartzError>,
}

impl Translated {
    /// Whether a Kubernetes line means the same and fires at the same times.
    fn is_same(&self) -> bool {
        match &self.result {
            Ok((translation, Some(comparison))) => {
                translation.kubernetes.is_some() && comparison.differences.is_empty()
            }
            _ => false,
        }
    }
}

/// Translates every line.
pub(super) fn run(args: &Args, console: &mut Console) -> Outcome {
    let clock = Clock::new(args.from);
    let mut translated = Vec::new();
    for argument in &args.schedules {
        let Some(line) = super::as_line(argument) else {
            return Err(not_a_line(&argument.to_string_lossy()));
        };
        translated.push(translate(line, args, clock));
    }
    console.result(args.output.output, || as_value(&translated, clock), |color| as_text(&translated, color));
    Ok(if translated.iter().all(Translated::is_same) { Verdict::Yes } else { Verdict::No })
}

fn not_a_line(argument: &str) -> Failure {
    Diagnostic::error(format!("`{argument}` is not a schedule line"))
        .help("with `--dialect quartz` each argument is a line in quotes: \"0 30 9 ? * MON-FRI\"")
        .into()
}

fn translate(line: &str, args: &Args, clock: Clock) -> Translated {
    let fires = usize::try_from(args.next).unwrap_or(usize::MAX);
    let result = quartz::translate(line).and_then(|translation| {
        let zone = args.time_zone.as_deref();
        let compared =
            translation.schedule().map(|schedule| quartz::compare(line, schedule, zone, clock.now, fires));
        Ok((translation.clone(), compared.transpose()?))
    });
    Translated { line: line.to_owned(), result }
}

fn as_value(translated: &[Translated], clock: Clock) -> Value {
    let schedules: Vec<Value> = translated
        .iter()
        .map(|Translated { line, result }| match result {
            Ok((translation, comparison)) => {
                json!({
                    "quartz": line,
                    "kubernetes": translation.kubernetes,
                    "nearest": translation.nearest,
                    "reasons": translation.reasons,
                    "comparison": comparison,
                    "error": null,
                })
            }
            Err(error) => json!({ "quartz": line, "error": error.to_string() }),
        })
        .collect();
    json!({ "from": clock.now.to_rfc3339_nano(), "clock": clock.name(), "schedules": schedules })
}

fn as_text(translated: &[Translated], color: bool) -> String {
    let parts: Vec<String> = translated
        .iter()
        .map(|Translated { line, result }| match result {
            Ok((translation, comparison)) => one_as_text(translation, comparison.as_ref()),
            Err(error) => refused(line, error).render(color) + "\n",
        })
        .collect();
    parts.join("\n")
}

fn refused(line: &str, error: &QuartzError) -> Diagnostic {
    const FIELDS: &str =
        "expected six fields: second, minute, hour, day of month, month, day of week; then perhaps years";
    match error {
        QuartzError::Schedule(ResolveError::TimeZone(_)) => {
            Diagnostic::error(format!("invalid time zone: {error}")).help(clock::ZONE_HELP)
        }
        _ => Diagnostic::error(format!("invalid Quartz line: {error}"))
            .at(&Source::new("schedule", line), 0..line.len(), "")
            .help(FIELDS),
    }
}

fn one_as_text(translation: &Translation, comparison: Option<&Comparison>) -> String {
    let quartz = &translation.quartz;
    let mut text = match (&translation.kubernetes, &translation.nearest) {
        (Some(same), _) => format!("`{quartz}` is in Kubernetes: {same}\n"),
        (None, Some(nearest)) => {
            format!("`{quartz}` has no equal in Kubernetes; the nearest is: {nearest}\n")
        }
        (None, None) => format!("`{quartz}` has no equal in Kubernetes\n"),
    };
    for reason in &translation.reasons {
        text.push_str(&format!("  {}: {}\n", reason.field, reason.message));
    }
    if let Some(comparison) = comparison {
        text.push('\n');
        text.push_str(&comparison_as_text(comparison));
    }
    text
}

fn comparison_as_text(comparison: &Comparison) -> String {
    let Comparison { time_zone, from, until, same, differences, .. } = comparison;
    if *same == 0 && differences.is_empty() {
        return format!("neither fires after {from}\n");
    }
    let mut text = format!("after {from} and up to {until}, in {time_zone}: {same} times are the same");
    if differences.is_empty() {
        text.push_str(", none differs\n");
        return text;
    }
    text.push_str(&format!(", {} differ\n\n", differences.len()));
    let zone = time_zone.to_uppercase();
    let shows_local = time_zone != "UTC";
    let header = if shows_local { vec!["UTC", &zone, "FIRES"] } else { vec!["UTC", "FIRES"] };
    let rows = differences.iter().take(SHOWN).map(|difference| {
        let who = match difference.only {
            Side::Quartz => "Quartz only",
            Side::Kubernetes => "Kubernetes only",
        };
        let local = shows_local.then(|| difference.local.clone());
        [Some(difference.at.to_string()), local, Some(who.to_owned())].into_iter().flatten().collect()
    });
    text.push_str(&render::table(&header, rows));
    if differences.len() > SHOWN {
        text.push_str(&format!("and {} more, all with --output json\n", differences.len() - SHOWN));
    }
    text
}
