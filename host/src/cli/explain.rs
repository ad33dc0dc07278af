//! `jobpolicy explain`.

use super::clock::{self, Clock};
use super::console::{Console, OutputArgs};
use super::only::{self, Only};
use super::{Failure, Outcome, Verdict, created};
use crate::diagnostic::Diagnostic;
use crate::explain::text::{self, View};
use crate::explain::{self, CronJobReport, EventRecord, JobReport, Objects, World, rules};
use crate::manifest::{self, Manifest};
use crate::render;
use policy_core::Timestamp;
use policy_core::explain::Rule;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Say why a Job or CronJob is as it is, and what comes next
///
/// Reads Jobs, CronJobs, Pods and Events, as `kubectl get` prints them, in any order. For each Job and CronJob it
/// prints what it is doing, what comes next and when, what became of each Pod, and every rule that held with the
/// values it looked at. What only the running controller knows is inferred, and labelled so. With the code of a rule
/// it prints the rule's text.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  jobpolicy explain job/pi -n shop
  kubectl get job,pods,events -o json | jobpolicy explain -
  kubectl get cronjobs,jobs -o yaml | jobpolicy explain - cronjob/hello
  jobpolicy explain job-with-pods.yaml --now 2026-01-01T00:01:00Z --all
  jobpolicy explain creation-waits-for-backoff
  jobpolicy explain --list")]
pub(super) struct Args {
    /// Files of YAML or JSON, `-` for standard input, and the Job or CronJob to explain, which is read from the cluster
    /// without a file; or codes of rules
    #[arg(value_name = "FILE|KIND/NAME|RULE", required_unless_present = "list", conflicts_with = "list")]
    what: Vec<PathBuf>,
    /// Explain this object only, like `job/pi`
    #[arg(long, value_name = "KIND/NAME", value_parser = Only::parse)]
    only: Option<Only>,
    /// Explain as at this time instead of now, like `2026-01-01T00:00:05Z`; for what was recorded earlier
    #[arg(long, value_name = "TIME", value_parser = clock::parse_time)]
    now: Option<Timestamp>,
    /// Show everything, rules that did not hold or were not reached too
    #[arg(long)]
    all: bool,
    /// List the rules
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    output: OutputArgs,
    #[cfg(feature = "controller")]
    #[command(flatten)]
    cluster: super::cluster::ClusterArgs,
}

/// What the arguments ask for.
#[derive(Default)]
struct Asked {
    files: Vec<PathBuf>,
    rules: Vec<Rule>,
    only: Option<Only>,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Outcome {
    if args.list {
        console.result(args.output.output, || rules_as_value(Rule::ALL), |_| list_of_rules());
        return Ok(Verdict::Yes);
    }
    let asked = sort_out(args)?;
    if !asked.rules.is_empty() {
        let in_words =
            |color| asked.rules.iter().map(|rule| text::rule(*rule, color)).collect::<Vec<_>>().join("\n");
        console.result(args.output.output, || rules_as_value(&asked.rules), in_words);
        return Ok(Verdict::Yes);
    }
    let manifests = manifests(args, &asked)?;
    let clock = Clock::new(args.now);
    let read = match Read::new(&manifests, asked.only.as_ref(), clock.now) {
        Ok(read) => read,
        // An invalid manifest is an answer, but there is nothing to explain.
        Err(Refused::Invalid(findings)) => {
            console.report(&findings);
            return Ok(Verdict::No);
        }
        Err(Refused::Unreadable(problems)) => return Err(Failure::Problems(problems)),
    };
    if read.jobs.is_empty() && read.cron_jobs.is_empty() {
        return Err(only::nothing_found(asked.only.as_ref()).into());
    }
    let (jobs, cron_jobs) = read.explain(clock.now);
    let value = || explain::as_value(&jobs, &cron_jobs, clock.now, clock.name());
    console.result(args.output.output, value, |color| {
        let view = View { now: clock.now, all: args.all, color };
        let at = clock.described();
        let cron_jobs = cron_jobs.iter().map(|report| text::cron_job(report, &at, view));
        let jobs = jobs.iter().map(|report| text::job(report, &at, view));
        cron_jobs.chain(jobs).collect::<Vec<_>>().join("\n")
    });
    Ok(Verdict::Yes)
}

/// The objects of the files, or, without files, of the cluster.
fn manifests(args: &Args, asked: &Asked) -> Result<Vec<Manifest>, Failure> {
    #[cfg(feature = "controller")]
    if let Some(only) = asked.only.as_ref().filter(|_| asked.files.is_empty()) {
        let (kind, name) = only.parts();
        let listing = crate::controller::fetch::fetch(&args.cluster.cluster(), kind == "CronJob", name)?;
        return Ok(manifest::parse(&manifest::Source::new("the answer of the API server", listing))?);
    }
    #[cfg(feature = "controller")]
    args.cluster.refuse_with_files()?;
    let (manifests, problems) = manifest::read_all(&asked.files);
    if problems.is_empty() { Ok(manifests) } else { Err(Failure::Problems(problems)) }
}

/// Tells files, objects and rules apart. What exists as a file is a file.
fn sort_out(args: &Args) -> Result<Asked, Diagnostic> {
    let mut asked = Asked { only: args.only.clone(), ..Asked::default() };
    for what in &args.what {
        match what.to_str().filter(|_| !what.exists()) {
            Some(text) if is_code(text) => asked.rules.push(find_rule(text)?),
            Some(text) if Only::parse(text).is_ok() => asked.only = Only::parse(text).ok(),
            Some(text) if is_typed_name(text) => return Err(wrong_kind(text)),
            _ => asked.files.push(what.clone()),
        }
    }
    let reads_cluster = cfg!(feature = "controller") && asked.only.is_some();
    if asked.rules.is_empty() && asked.files.is_empty() && !reads_cluster {
        return Err(Diagnostic::error("there is no file to read")
            .help("`kubectl get job,pods,events -o json | jobpolicy explain - job/NAME`"));
    }
    if !asked.rules.is_empty() && !asked.files.is_empty() {
        let (rule, file) = (asked.rules[0], asked.files[0].display());
        return Err(Diagnostic::error(format!("a rule (`{rule}`) and a file (`{file}`) at once"))
            .help("ask for them one after the other"));
    }
    Ok(asked)
}

fn is_code(text: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(letters)
}

/// Whether it is like `pod/NAME`, in words that kubectl takes, and not the path of a file.
fn is_typed_name(text: &str) -> bool {
    let kinds =
        ["pod", "pods", "po", "deployment", "deployments", "deploy", "cronjobs", "jobs", "job", "cronjob"];
    let kind = text.split_once('/').filter(|(_, name)| !name.contains('/')).map(|(kind, _)| kind);
    kind.is_some_and(|kind| kinds.contains(&kind) || kind.ends_with(".batch") || kind.ends_with(".apps"))
}

fn wrong_kind(text: &str) -> Diagnostic {
    Diagnostic::error(format!("`{text}` cannot be explained")).help("expected `job/NAME` or `cronjob/NAME`")
}

fn find_rule(code: &str) -> Result<Rule, Diagnostic> {
    rules::find(code).map_err(|nearest| {
        let help = match nearest {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "`jobpolicy explain --list` lists the rules".to_owned(),
        };
        Diagnostic::error(format!("`{code}` is neither a file nor the code of a rule")).help(help)
    })
}

fn list_of_rules() -> String {
    let rows = Rule::ALL
        .iter()
        .map(|rule| vec![rule.code().to_owned(), rule.domain().to_owned(), rules::headline(*rule)]);
    render::table(&["CODE", "DOMAIN", "RULE"], rows)
}

fn rules_as_value(rules: &[Rule]) -> Value {
    let rules = rules.iter().map(|rule| {
        json!({
            "rule": rule.code(),
            "domain": rule.domain(),
            "stage": rule.stage(),
            "upstream": rule.upstream(),
            "text": rules::text(*rule).trim_end(),
        })
    });
    json!({ "rules": rules.collect::<Vec<_>>() })
}

/// Why there is nothing to explain.
enum Refused {
    /// The API server would not take an object.
    Invalid(Vec<Diagnostic>),
    /// An object is not what its kind says.
    Unreadable(Vec<Diagnostic>),
}

/// The objects of the input, and which of them are to be explained.
struct Read {
    objects: Objects,
    /// Places in `objects.jobs`.
    jobs: Vec<usize>,
    /// Places in `objects.cron_jobs`.
    cron_jobs: Vec<usize>,
}

impl Read {
    fn new(manifests: &[Manifest], only: Option<&Only>, now: Timestamp) -> Result<Self, Refused> {
        let mut read = Read { objects: Objects::default(), jobs: Vec::new(), cron_jobs: Vec::new() };
        let (mut invalid, mut unreadable) = (Vec::new(), Vec::new());
        for manifest in manifests {
            let wanted = only.is_none_or(|only| only.matches(manifest));
            match read.take(manifest, wanted, now) {
                Ok(()) => {}
                Err(Refused::Invalid(findings)) => invalid.extend(findings),
                Err(Refused::Unreadable(problems)) => unreadable.extend(problems),
            }
        }
        if !unreadable.is_empty() {
            return Err(Refused::Unreadable(unreadable));
        }
        if invalid.is_empty() { Ok(read) } else { Err(Refused::Invalid(invalid)) }
    }

    /// Objects of other kinds are passed over: `kubectl get all` prints many.
    fn take(&mut self, manifest: &Manifest, wanted: bool, now: Timestamp) -> Result<(), Refused> {
        let Objects { jobs, cron_jobs, pods, events } = &mut self.objects;
        match manifest.kind() {
            "Job" => {
                self.jobs.extend(wanted.then_some(jobs.len()));
                jobs.push(typed(manifest, wanted, now)?);
            }
            "CronJob" => {
                self.cron_jobs.extend(wanted.then_some(cron_jobs.len()));
                cron_jobs.push(typed(manifest, wanted, now)?);
            }
            "Pod" => pods.push(manifest.read().map_err(unreadable)?),
            "Event" => events.push(EventRecord::read(&manifest.object)),
            _ => {}
        }
        Ok(())
    }

    fn explain(&self, now: Timestamp) -> (Vec<JobReport>, Vec<CronJobReport>) {
        let (objects, world) = (&self.objects, World::new(&self.objects));
        let jobs = self.jobs.iter().filter_map(|place| objects.jobs.get(*place));
        let cron_jobs = self.cron_jobs.iter().filter_map(|place| objects.cron_jobs.get(*place));
        (
            jobs.map(|job| explain::job(job, &world, now)).collect(),
            cron_jobs.map(|cron_job| explain::cron_job(cron_job, &world, now)).collect(),
        )
    }
}

fn unreadable(problem: Diagnostic) -> Refused {
    Refused::Unreadable(vec![problem])
}

/// An object from a cluster as it is; one that is to be explained and not from a cluster as if it had just been created.
fn typed<T: DeserializeOwned>(manifest: &Manifest, wanted: bool, now: Timestamp) -> Result<T, Refused> {
    if manifest.is_stored() || !wanted {
        return manifest.read().map_err(unreadable);
    }
    let object = created::created(manifest, now).map_err(Refused::Invalid)?;
    manifest.read_as(&object).map_err(unreadable)
}
