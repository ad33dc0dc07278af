//! `jobpolicy lint`.

use super::clock::{self, Clock};
use super::console::{Console, Format, OutputArgs};
use super::scenario::ci;
use super::{Failure, Outcome, Verdict};
use crate::diagnostic::Diagnostic;
use crate::manifest::{self, Manifest};
use crate::render;
use clap::builder::PossibleValuesParser;
use policy_core::Timestamp;
use policy_sim::lint::{self, Options, Severity};
use report::Found;
use std::path::{Path, PathBuf};

mod report;

/// Find what a cluster would take and what would still go wrong, each with a scenario that shows it
///
/// Rules that never match or come too late, Jobs that never end, runs that clock changes skip or repeat, and more. The
/// exit code is 1 when there is an error or a warning; with --strict, when there is any finding.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  jobpolicy lint job.yaml cronjobs/*.yaml
  kubectl get jobs,cronjobs,services -o json | jobpolicy lint -
  jobpolicy lint job.yaml --ignore no-deadline,logs-lost --github
  jobpolicy lint job.yaml --proof rule-shadowed > proof.yaml && jobpolicy scenario run proof.yaml
  jobpolicy lint --list")]
pub(super) struct Args {
    /// Files of YAML or JSON; `-` is standard input. Give Services beside the Jobs whose Pods they name
    #[arg(value_name = "FILE", required_unless_present = "list")]
    files: Vec<PathBuf>,
    /// Leave these codes out
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = codes())]
    ignore: Vec<String>,
    /// Let the exit code be 1 for informations, too
    #[arg(long)]
    strict: bool,
    /// Look at schedules from this time on; the system's when left out
    #[arg(long, value_name = "TIME", value_parser = clock::parse_time)]
    from: Option<Timestamp>,
    /// Run the proofs, and say of each finding whether it was shown
    #[arg(long)]
    prove: bool,
    /// Print the scenario that shows the first finding with this code, and nothing else
    #[arg(long, value_name = "CODE", value_parser = codes(), conflicts_with_all = ["prove", "github", "junit"])]
    proof: Option<String>,
    /// Write the scenario of each finding into this folder
    #[arg(long, value_name = "DIR")]
    proof_dir: Option<PathBuf>,
    /// Print findings as annotations of GitHub Actions, at their lines
    #[arg(long)]
    github: bool,
    /// Write the findings as a JUnit report
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// List all codes
    #[arg(long, conflicts_with = "files")]
    list: bool,
    #[command(flatten)]
    output: OutputArgs,
}

fn codes() -> PossibleValuesParser {
    PossibleValuesParser::new(lint::ALL.iter().map(|code| code.name))
}

pub(super) fn run(args: &Args, console: &mut Console) -> Outcome {
    if args.list {
        console.result(args.output.output, report::codes_as_value, |_| report::codes_as_text());
        return Ok(Verdict::Yes);
    }
    let (manifests, mut problems) = manifest::read_all(&args.files);
    let is_linted = |manifest: &Manifest| matches!(manifest.kind(), "Job" | "CronJob");
    if problems.is_empty() && !manifests.iter().any(is_linted) {
        problems.push(
            Diagnostic::error("there is no Job or CronJob in the input")
                .help("expected `apiVersion: batch/v1` and `kind: Job` or `kind: CronJob`"),
        );
    }
    let objects: Vec<serde_json::Value> = manifests.iter().map(|manifest| manifest.object.clone()).collect();
    let options = Options { from: Clock::new(args.from).now };
    let findings = lint::lint(&objects, &options).into_iter();
    let kept = findings.filter(|finding| !args.ignore.iter().any(|code| code == finding.code.name));
    let found: Vec<Found<'_>> =
        kept.filter_map(|finding| Found::new(&manifests, finding, args.prove)).collect();
    if let Some(directory) = &args.proof_dir {
        write_proofs(directory, &found)?;
    }
    if let Some(path) = &args.junit {
        ci::write_junit(path, "jobpolicy lint", &report::suites(&manifests, &found))?;
    }
    match &args.proof {
        Some(code) => print_proof(code, &found, args.output, console)?,
        None => print(args, &manifests, &found, console),
    }
    if !problems.is_empty() {
        console.finish()?;
        return Err(Failure::Problems(problems));
    }
    let counts =
        |found: &Found<'_>| args.strict || found.finding.severity != Severity::Info || !found.is_shown();
    Ok(if args.proof.is_none() && found.iter().any(counts) { Verdict::No } else { Verdict::Yes })
}

fn print(args: &Args, manifests: &[Manifest], found: &[Found<'_>], console: &mut Console) {
    if args.github {
        for found in found {
            console.text(&found.annotation());
        }
    }
    console.result(
        args.output.output,
        || report::as_value(found),
        |color| report::as_text(manifests, found, color),
    );
}

fn print_proof(
    code: &str,
    found: &[Found<'_>],
    output: OutputArgs,
    console: &mut Console,
) -> Result<(), Diagnostic> {
    let Some(first) = found.iter().find(|found| found.finding.code.name == code) else {
        return Err(Diagnostic::error(format!("there is no finding `{code}`"))
            .help("without `--proof` all findings are listed"));
    };
    // A scenario is YAML for people; as a table there is nothing to show.
    let format = if output.output == Format::Json { Format::Json } else { Format::Yaml };
    console.result(format, || first.finding.proof.clone(), |_| String::new());
    Ok(())
}

fn write_proofs(directory: &Path, found: &[Found<'_>]) -> Result<(), Diagnostic> {
    let refused = |path: &Path, error: std::io::Error| {
        Diagnostic::error(format!("cannot write `{}`: {error}", path.display()))
            .help("is it a folder that may be written?")
    };
    std::fs::create_dir_all(directory).map_err(|error| refused(directory, error))?;
    for (number, found) in found.iter().enumerate() {
        let code = found.finding.code.name;
        let path = directory.join(format!("{:02}-{code}.yaml", number + 1));
        let text = render::yaml::to_string(&found.finding.proof);
        std::fs::write(&path, text).map_err(|error| refused(&path, error))?;
    }
    Ok(())
}
