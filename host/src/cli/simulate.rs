//! `jobpolicy simulate`.

use super::console::{Console, OutputArgs};
use super::scenario::{RunOptions, compare, show_run, watch};
use super::{Failure, Outcome, Verdict, clock};
use crate::diagnostic::Diagnostic;
use crate::manifest::{self, Manifest};
use crate::scenario::diagnose_at;
use policy_core::Timestamp;
use policy_sim::scenario::{BASE, Document, FieldPath, PathStep, Problem, Run};
use serde_json::{Value, json};
use std::path::PathBuf;

mod flags;

use flags::{DrainAt, ExitCode, RunTime};

/// Run your own manifests in a virtual cluster, and see what becomes of them
///
/// What containers do is said by flags; without any, simple commands such as `sleep 30` and `exit 1` are understood, and
/// others take five seconds and end well.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  jobpolicy simulate job.yaml --run-time 30s --exit-code main=42@2
  jobpolicy simulate job.yaml --exit-code 1 --compare job-with-policy.yaml
  jobpolicy simulate job.yaml --run-time 90s --drain node-1@45s --until 30m
  jobpolicy expand job-tmpl.yaml --set ITEM=apple,banana | jobpolicy simulate -")]
pub(super) struct Args {
    /// Files of YAML or JSON; `-` is standard input
    #[arg(value_name = "MANIFEST", required = true)]
    files: Vec<PathBuf>,
    /// Let containers exit with this code: of the Pods with these numbers, of these indexes, or of all
    #[arg(long, value_name = "[JOB/][CONTAINER=]CODE[@PODS][#INDEXES]", value_parser = ExitCode::parse)]
    exit_code: Vec<ExitCode>,
    /// Let containers run for so long
    #[arg(long, value_name = "[JOB/][CONTAINER=]DURATION", value_parser = RunTime::parse)]
    run_time: Vec<RunTime>,
    /// Let an image not be pulled
    #[arg(long, value_name = "IMAGE")]
    image_error: Vec<String>,
    /// Drain a node at a time
    #[arg(long, value_name = "NODE@TIME", value_parser = DrainAt::parse)]
    drain: Vec<DrainAt>,
    /// How many nodes there are: node-1, node-2, …
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=5000))]
    nodes: u16,
    /// The virtual time at the start
    #[arg(long, value_name = "TIME", value_parser = clock::parse_time)]
    start: Option<Timestamp>,
    /// Run these manifests beside the others, and show where and why they part
    #[arg(long, value_name = "MANIFEST", conflicts_with = "watch")]
    compare: Option<PathBuf>,
    #[command(flatten)]
    how: RunOptions,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Outcome {
    let document = document(&args.files, args)?;
    if let Some(other) = &args.compare {
        let names = (shown(&args.files), other.display().to_string());
        let other = self::document(std::slice::from_ref(other), args)?;
        let (a, b) = ((document.base(), names.0.as_str()), (other.base(), names.1.as_str()));
        return compare::run(a, b, &args.how, args.output, console);
    }
    let mut run = Run::new(document.base(), args.how.options());
    watch::finish(&mut run, &args.how, console)?;
    show_run(&run, BASE, &args.how, args.output.output, console)?;
    Ok(if run.all_held() { Verdict::Yes } else { Verdict::No })
}

fn shown(files: &[PathBuf]) -> String {
    files.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ")
}

/// The scenario that the command line describes.
fn document(files: &[PathBuf], args: &Args) -> Result<Document, Failure> {
    let (manifests, problems) = manifest::read_all(files);
    if !problems.is_empty() {
        return Err(Failure::Problems(problems));
    }
    let value = scenario(&shown(files), &manifests, args);
    Document::load(value).map_err(|problems| {
        Failure::Problems(problems.iter().map(|problem| diagnose(&manifests, problem)).collect())
    })
}

fn scenario(title: &str, manifests: &[Manifest], args: &Args) -> Value {
    // What a cluster has added to an object is not part of a manifest.
    let objects: Vec<Value> =
        manifests.iter().map(|manifest| without_server_fields(&manifest.object)).collect();
    let images: serde_json::Map<String, Value> = args
        .image_error
        .iter()
        .map(|image| (image.clone(), json!({"error": "failed to pull and unpack image: not found"})))
        .collect();
    let nodes: Vec<Value> =
        (1..=args.nodes).map(|number| json!({"name": format!("node-{number}")})).collect();
    let mut value = json!({
        "name": "simulate", "title": title, "manifests": objects,
        "cluster": {"nodes": nodes, "images": images},
        "behaviours": flags::behaviours(&args.exit_code, &args.run_time),
        "actions": args.drain.iter().map(DrainAt::action).collect::<Vec<_>>(),
    });
    if let Some(until) = args.how.until {
        value["until"] = until.to_string().into();
    }
    if let Some(start) = args.start {
        value["start"] = start.to_rfc3339_nano().into();
    }
    value
}

/// The object as it would be created anew.
fn without_server_fields(object: &Value) -> Value {
    let mut object = object.clone();
    let stored = object.pointer("/metadata/uid").is_some();
    if let Some(fields) = object.as_object_mut().filter(|_| stored) {
        fields.remove("status");
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            for key in [
                "uid",
                "resourceVersion",
                "creationTimestamp",
                "generation",
                "managedFields",
                "ownerReferences",
            ] {
                metadata.remove(key);
            }
        }
        remove_controller_labels(fields);
    }
    object
}

/// A Job's selector and the labels that go with it are made for each Job.
fn remove_controller_labels(fields: &mut serde_json::Map<String, Value>) {
    const MADE: &[&str] =
        &["controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name"];
    let Some(spec) = fields.get_mut("spec").and_then(Value::as_object_mut) else { return };
    if spec.get("manualSelector").and_then(Value::as_bool) == Some(true) {
        return;
    }
    spec.remove("selector");
    if let Some(labels) = spec
        .get_mut("template")
        .and_then(|t| t.pointer_mut("/metadata/labels"))
        .and_then(Value::as_object_mut)
    {
        labels.retain(|key, _| !MADE.contains(&key.as_str()));
    }
}

/// A problem at its place in the manifests, or about a flag.
fn diagnose(manifests: &[Manifest], problem: &Problem) -> Diagnostic {
    match problem.path.0.as_slice() {
        [PathStep::Key(list), PathStep::Index(index), rest @ ..] if list == "manifests" => {
            match manifests.get(*index) {
                Some(manifest) => {
                    diagnose_at(manifest, &Problem { path: FieldPath(rest.to_vec()), ..problem.clone() })
                }
                None => Diagnostic::error(&problem.message),
            }
        }
        _ => {
            let diagnostic = Diagnostic::error(&problem.message);
            match &problem.help {
                Some(help) => diagnostic.help(help),
                None => diagnostic,
            }
        }
    }
}
