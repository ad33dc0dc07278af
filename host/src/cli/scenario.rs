//! `jobpolicy scenario`.

use super::console::{Console, Format, OutputArgs};
use super::{Failure, Outcome, Verdict};
use crate::diagnostic::Diagnostic;
use crate::render::{self, run::View};
use crate::scenario::{BUNDLED, Loaded, find};
use policy_sim::scenario::{BASE, Duration, Options, Run, RunReport, schema};
use serde_json::{Value, json};
use std::path::PathBuf;

pub(super) mod ci;
pub(super) mod compare;
pub(super) mod watch;

/// Run scenarios in a virtual cluster: the Kubernetes tutorials, or your own files
///
/// A scenario is a YAML file: manifests, what containers do, what is done and when, and what has to be seen. It runs on a
/// virtual clock, so ten minutes take milliseconds, and the same seed gives the same run.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the scenarios that come along, with their variants
    List(OutputArgs),
    Run(RunArgs),
    /// Print the file of a scenario that comes along, to start your own from
    Show {
        /// The scenario
        name: String,
    },
    /// Print the JSON schema of scenario files
    Schema,
}

/// Run a scenario and check what it claims
///
/// Ends with 1 when an assertion does not hold.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  jobpolicy scenario run coarse-work-queue --variant completions-10
  jobpolicy scenario run pod-failure-policy-failjob --compare policy-off
  jobpolicy scenario run cron-hello --watch --speed 20
  jobpolicy scenario run my-scenario.yaml --junit report.xml --github")]
pub(super) struct RunArgs {
    /// The name of a scenario that comes along, or a file; `-` is standard input
    #[arg(value_name = "NAME|FILE")]
    scenario: String,
    /// Run this variant; `all` runs every one and the scenario itself
    #[arg(long, value_name = "VARIANT", default_value = BASE, hide_default_value = true)]
    variant: String,
    /// Run this variant beside the first one, and show where and why they part
    #[arg(long, value_name = "VARIANT", conflicts_with_all = ["watch", "junit", "github"])]
    compare: Option<String>,
    #[command(flatten)]
    how: RunOptions,
    #[command(flatten)]
    output: OutputArgs,
    /// Write the assertions as a JUnit report
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Print broken assertions as annotations of GitHub Actions, at their lines
    #[arg(long)]
    github: bool,
}

/// Options of everything that runs on the virtual clock.
#[derive(Debug, clap::Args)]
pub(super) struct RunOptions {
    /// Decide every random choice by this number
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// End at this time at the latest, like `10m`
    #[arg(long, value_name = "DURATION", value_parser = Duration::parse)]
    pub(super) until: Option<Duration>,
    /// Show what happens while it happens
    #[arg(long)]
    pub(super) watch: bool,
    /// With --watch, how many virtual seconds pass in a second
    #[arg(long, value_name = "FACTOR", default_value_t = 10.0, value_parser = watch::parse_speed)]
    pub(super) speed: f64,
    /// Show so many events
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) events: usize,
    /// Show so many lines of each Pod's log
    #[arg(long, value_name = "N", default_value_t = 6)]
    pub(super) log_lines: usize,
}

impl RunOptions {
    pub(super) fn options(&self) -> Options {
        Options { seed: self.seed, until: self.until, trace: true }
    }

    pub(super) fn view(&self, color: bool) -> View {
        View { columns: super::console::columns(), color, events: self.events, log_lines: self.log_lines }
    }
}

impl Default for RunOptions {
    fn default() -> Self {
        RunOptions { seed: None, until: None, watch: false, speed: 10.0, events: 20, log_lines: 6 }
    }
}

pub(super) fn run(args: &Args, console: &mut Console) -> Outcome {
    match &args.command {
        Command::List(output) => list(*output, console),
        Command::Run(args) => run_scenario(args, console),
        Command::Show { name } => show(name, console),
        Command::Schema => {
            console.text(schema::TEXT);
            Ok(Verdict::Yes)
        }
    }
}

fn list(output: OutputArgs, console: &mut Console) -> Outcome {
    let mut loaded = Vec::new();
    for (name, _) in BUNDLED {
        loaded.push(find(name).map_err(Failure::Problems)?);
    }
    let value = || {
        let one = |loaded: &Loaded| {
            let base = loaded.document.base();
            let variants: Vec<Value> = loaded
                .document
                .variants()
                .map(|v| json!({"name": v.name, "title": v.title, "summary": v.summary}))
                .collect();
            json!({"name": base.name, "title": base.title, "summary": base.summary, "tutorial": base.tutorial,
                "variants": variants})
        };
        loaded.iter().map(one).collect()
    };
    let rows = || {
        loaded.iter().flat_map(|loaded| {
            let base = loaded.document.base();
            let tutorial = base.tutorial.map(|number| number.to_string()).unwrap_or_default();
            let own = vec![base.name.clone(), String::new(), tutorial, base.title.clone()];
            let variants = loaded
                .document
                .variants()
                .map(|v| vec![String::new(), v.name.clone(), String::new(), v.title.clone()]);
            std::iter::once(own).chain(variants).collect::<Vec<_>>()
        })
    };
    console.result(output.output, value, |_| {
        render::table(&["SCENARIO", "VARIANT", "TUTORIAL", "WHAT IS SEEN"], rows())
    });
    Ok(Verdict::Yes)
}

fn show(name: &str, console: &mut Console) -> Outcome {
    match BUNDLED.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => {
            console.text(text);
            Ok(Verdict::Yes)
        }
        None => Err(find(name).err().map_or_else(
            || {
                Diagnostic::error(format!("`{name}` is a file of yours, not a scenario that comes along"))
                    .into()
            },
            Failure::Problems,
        )),
    }
}

fn run_scenario(args: &RunArgs, console: &mut Console) -> Outcome {
    let loaded = find(&args.scenario).map_err(Failure::Problems)?;
    if let Some(other) = &args.compare {
        let (a, b) = (chosen(&loaded, &args.variant)?, chosen(&loaded, other)?);
        return compare::run((a, &args.variant), (b, other), &args.how, args.output, console);
    }
    let variants: Vec<&str> = match args.variant.as_str() {
        "all" => std::iter::once(BASE).chain(loaded.document.variants().map(|v| v.name.as_str())).collect(),
        one => vec![one],
    };
    let (mut all_held, mut suites) = (true, Vec::new());
    let (format, several) = (args.output.output, variants.len() > 1);
    let mut values = Vec::new();
    for (place, variant) in variants.iter().enumerate() {
        let scenario = chosen(&loaded, variant)?;
        let mut run = Run::new(scenario, args.how.options());
        watch::finish(&mut run, &args.how, console)?;
        all_held &= run.all_held();
        if args.github {
            ci::annotate(&loaded, variant, &run, console);
        }
        suites.push(ci::Suite::of(variant, &run));
        if several && format == Format::Yaml {
            values.push(value_of(&run, variant)?);
            continue;
        }
        console.text(match (format, place) {
            (Format::Json, 0) if several => "[\n",
            (Format::Json, _) if several => ",\n",
            (Format::Table, 1..) => "\n",
            _ => "",
        });
        show_run(&run, variant, &args.how, format, console)?;
    }
    match format {
        Format::Json if several => console.text("]\n"),
        Format::Yaml if several => console.result(format, || Value::Array(values), |_| String::new()),
        _ => {}
    }
    if let Some(path) = &args.junit {
        ci::write_junit(path, &loaded.document.base().name, &suites)?;
    }
    Ok(if all_held { Verdict::Yes } else { Verdict::No })
}

/// Shows a run that is over.
pub(super) fn show_run(
    run: &Run<'_>,
    variant: &str,
    how: &RunOptions,
    format: Format,
    console: &mut Console,
) -> Result<(), Failure> {
    match format {
        Format::Table => console.text(&render::run::text(run, variant, how.view(console.color()))),
        Format::Json => console.stream(|out| RunReport { run, variant }.write_json(out))?,
        Format::Yaml => {
            let value = value_of(run, variant)?;
            console.result(format, || value, |_| String::new());
        }
    }
    Ok(())
}

fn value_of(run: &Run<'_>, variant: &str) -> Result<Value, Failure> {
    let value = serde_json::to_value(RunReport { run, variant });
    Ok(value.map_err(|error| {
        Diagnostic::error(format!("internal error: the report cannot be written: {error}"))
    })?)
}

fn chosen<'l>(loaded: &'l Loaded, variant: &str) -> Result<&'l policy_sim::scenario::Scenario, Failure> {
    loaded.document.scenario(variant).map_err(|problem| {
        let diagnostic = Diagnostic::error(problem.message);
        match problem.help {
            Some(help) => diagnostic.help(help).into(),
            None => diagnostic.into(),
        }
    })
}
