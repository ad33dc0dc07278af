//! `jobpolicy worst-case`.

use super::console::{Console, OutputArgs};
use super::only::{self, Only};
use super::{Failure, Outcome, Verdict, created};
use crate::diagnostic::Diagnostic;
use crate::manifest::{self, Manifest};
use crate::zones::TzDatabase;
use policy_core::Timestamp;
use policy_core::spec::{CronJob, Job};
use policy_sim::worst_case::{Environment, Estimate, ExitCodes, WorstCase};
use serde_json::{Value, json};
use std::path::PathBuf;

mod sampling;
mod text;

/// Print the worst that a Job or CronJob allows: most Pods, longest time, every way to end, each with its rule
///
/// Bounds come from the rules alone and hold for every run, as long as containers behave as is assumed. With
/// probabilities of exit codes, runs in the virtual cluster tell how likely the Job is to complete, and what it costs.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  jobpolicy worst-case job.yaml --run-seconds 30
  jobpolicy worst-case job.yaml --run-seconds 30 --exit-codes 0,42 --disruptions
  jobpolicy worst-case job.yaml --run-seconds 30 --exit-codes 0:0.95,1:0.05
  kubectl get cronjobs -o yaml | jobpolicy worst-case - --output json")]
pub(super) struct Args {
    /// Files of YAML or JSON; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// How long each start of a container runs at most; without it, it may run for ever
    #[arg(long, value_name = "SECONDS")]
    run_seconds: Option<u64>,
    /// The codes that containers may exit with, all or none with a probability; without it, any code
    #[arg(long, value_name = "CODE[:PROBABILITY],…", value_parser = ExitCodes::parse)]
    exit_codes: Option<ExitCodes>,
    /// Let Pods be disrupted (evicted, drained, preempted) at any time, however often
    #[arg(long)]
    disruptions: bool,
    /// How many runs to sample; needs probabilities [default: 1000]
    #[arg(long, value_name = "N", requires = "exit_codes", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    samples: Option<u32>,
    /// Decides every random choice of the samples
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Look at this object only, like `job/pi`
    #[arg(long, value_name = "KIND/NAME", value_parser = Only::parse)]
    only: Option<Only>,
    #[command(flatten)]
    output: OutputArgs,
}

/// An object and the worst of it.
struct Answer<'m> {
    subject: &'m Manifest,
    worst: WorstCase,
    estimate: Option<Estimate>,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Outcome {
    let environment = environment(args)?;
    let (manifests, problems) = manifest::read_all(&args.files);
    if !problems.is_empty() {
        return Err(Failure::Problems(problems));
    }
    let wanted = |m: &&Manifest| {
        matches!(m.kind(), "Job" | "CronJob") && args.only.as_ref().is_none_or(|only| only.matches(m))
    };
    let subjects: Vec<&Manifest> = manifests.iter().filter(wanted).collect();
    if subjects.is_empty() {
        return Err(only::nothing_found(args.only.as_ref()).into());
    }
    let (mut answers, mut refused) = (Vec::new(), Vec::new());
    for subject in subjects {
        match answer(subject, &environment, args) {
            Ok(answer) => answers.push(answer),
            Err(problems) => refused.extend(problems),
        }
    }
    if !refused.is_empty() {
        return Err(Failure::Problems(refused));
    }
    console.result(
        args.output.output,
        || json!({"jobs": answers.iter().map(|answer| as_value(answer, &environment, args.seed)).collect::<Vec<_>>()}),
        |color| {
            let texts = answers.iter().map(|a| text::of(a.subject, &a.worst, a.estimate.as_ref(), args.seed, color));
            texts.collect::<Vec<_>>().join("\n")
        },
    );
    Ok(Verdict::Yes)
}

fn environment(args: &Args) -> Result<Environment, Diagnostic> {
    let exit_codes = args.exit_codes.clone().unwrap_or_default();
    let probable = exit_codes.probabilities().is_some();
    if probable && args.run_seconds.is_none() {
        return Err(Diagnostic::error(
            "exit codes have probabilities, but it is not said how long containers run",
        )
        .help("add `--run-seconds`, or leave out the probabilities: `--exit-codes 0,1`"));
    }
    if args.samples.is_some() && !probable {
        return Err(Diagnostic::error("`--samples` needs exit codes with probabilities")
            .help("like `--exit-codes 0:0.95,1:0.05`"));
    }
    Ok(Environment { run_seconds: args.run_seconds, exit_codes, disruptions: args.disruptions })
}

fn answer<'m>(
    subject: &'m Manifest,
    environment: &Environment,
    args: &Args,
) -> Result<Answer<'m>, Vec<Diagnostic>> {
    let object = if subject.is_stored() {
        subject.object.clone()
    } else {
        created::created(subject, Timestamp::ZERO)?
    };
    let cannot = |message: String| {
        let (kind, name) = (subject.kind(), subject.name());
        let title = format!("nothing can be said about {kind} `{name}`: {message}");
        vec![Diagnostic::error(title).at(&subject.source, subject.locate("metadata.name").range, "")]
    };
    let (worst, job) = if subject.kind() == "CronJob" {
        let cron_job: CronJob = subject.read_as(&object).map_err(|problem| vec![problem])?;
        let worst = WorstCase::of_cron_job(&cron_job, environment, TzDatabase::shared()).map_err(cannot)?;
        (worst, &object["spec"]["jobTemplate"])
    } else {
        let job: Job = subject.read_as(&object).map_err(|problem| vec![problem])?;
        (WorstCase::of_job(&job, environment).map_err(cannot)?, &object)
    };
    let estimate = match environment.exit_codes.probabilities() {
        Some(_) => {
            let samples = args.samples.unwrap_or(sampling::DEFAULT_SAMPLES);
            let refused =
                |message: String| {
                    let (kind, name) = (subject.kind(), subject.name());
                    vec![Diagnostic::error(format!("{kind} `{name}` cannot be sampled: {message}")).help(
                        "bounds need no samples: leave out the probabilities, as in `--exit-codes 0,1`",
                    )]
                };
            Some(sampling::estimate(job, environment, samples, args.seed).map_err(refused)?)
        }
        None => None,
    };
    Ok(Answer { subject, worst, estimate })
}

fn as_value(answer: &Answer<'_>, environment: &Environment, seed: u64) -> Value {
    let subject = answer.subject;
    let mut value = json!({
        "kind": subject.kind(),
        "namespace": subject.namespace(),
        "name": subject.name(),
        "file": subject.source.name,
        "line": subject.position("").line,
        "runSeconds": environment.run_seconds,
        "disruptions": environment.disruptions,
    });
    let worst = answer.worst.to_json();
    for (key, part) in worst.as_object().into_iter().flatten() {
        value[key] = part.clone();
    }
    value["sampling"] = answer.estimate.as_ref().map_or(Value::Null, |estimate| {
        let mut sampling = estimate.to_json();
        sampling["seed"] = seed.into();
        sampling
    });
    value
}
