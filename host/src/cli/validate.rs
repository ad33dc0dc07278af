//! `jobpolicy validate`.

use super::console::{Console, OutputArgs};
use super::stream::{self, StreamArgs};
use super::{Failure, Outcome, Verdict};
use crate::diagnostic::Diagnostic;
use crate::manifest::{self, Manifest};
use crate::{render, wire};
use policy_manifest::findings::{self, Finding};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Check manifests of Jobs and CronJobs as the API server would, each error at its line
///
/// Applies strict decoding, defaults and validation of Kubernetes v1.37. Unknown and duplicate fields make a manifest
/// invalid. Objects of other kinds are skipped; objects
/// from a cluster are checked as updates that change nothing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  jobpolicy validate job.yaml cronjobs/*.yaml
  kubectl get jobs -o json | jobpolicy validate -
  kubectl get job pi -o yaml | jobpolicy validate edited.yaml --old -
  jobpolicy validate --stream < manifests.jsonl")]
pub(super) struct Args {
    /// Files of YAML or JSON; `-` is standard input
    #[arg(value_name = "FILE", required_unless_present = "stream", conflicts_with = "stream")]
    files: Vec<PathBuf>,
    /// Check objects as updates of those of the same name in this file, both as the API server holds them
    /// (`kubectl replace`)
    #[arg(long, value_name = "FILE", conflicts_with = "stream")]
    old: Option<PathBuf>,
    /// With --old, check an update of the status
    #[arg(long, requires = "old", value_parser = ["status"])]
    subresource: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    stream: StreamArgs,
}

/// One object and what was found.
struct Checked {
    manifest: Manifest,
    /// `None` when the kind is not checked.
    findings: Option<Vec<Finding>>,
}

impl Checked {
    fn is_valid(&self) -> bool {
        self.findings.iter().flatten().all(|finding| !finding.is_error())
    }
}

pub(super) fn run(args: &Args, console: &mut Console) -> Outcome {
    if args.stream.stream {
        return stream::run(wire::validate::answer);
    }
    let (manifests, mut problems) = manifest::read_all(&args.files);
    let mut old = Vec::new();
    if let Some(path) = &args.old {
        let (read, refused) = manifest::read_all(std::slice::from_ref(path));
        old = read;
        problems.extend(refused);
    }
    let subresource = args.subresource.as_deref().unwrap_or_default();
    let checked: Vec<Checked> =
        manifests.into_iter().map(|manifest| check(manifest, &old, subresource)).collect();
    if problems.is_empty() && checked.iter().all(|c| c.findings.is_none()) {
        problems.push(
            Diagnostic::error("there is no Job or CronJob in the input")
                .help("expected `apiVersion: batch/v1` and `kind: Job` or `kind: CronJob`"),
        );
    }
    if !checked.is_empty() {
        console.result(args.output.output, || as_value(&checked), |color| as_text(&checked, color));
    }
    if !problems.is_empty() {
        console.finish()?;
        return Err(Failure::Problems(problems));
    }
    Ok(if checked.iter().all(Checked::is_valid) { Verdict::Yes } else { Verdict::No })
}

fn check(manifest: Manifest, old: &[Manifest], subresource: &str) -> Checked {
    let same_object = |other: &&Manifest| {
        (other.kind(), other.namespace(), other.name())
            == (manifest.kind(), manifest.namespace(), manifest.name())
    };
    let findings = is_batch(&manifest).then(|| {
        // What comes from a cluster was created long ago; creating it again is refused for its generated selector.
        let stored = manifest.is_stored() && manifest.has_resource_version();
        let old = old.iter().find(same_object).or(stored.then_some(&manifest));
        let line = match old {
            Some(old) => {
                json!({ "id": 0, "old": old.object, "new": manifest.object, "subresource": subresource })
            }
            None => json!({ "id": 0, "object": manifest.object }),
        };
        findings::of(&manifest, &line)
    });
    Checked { manifest, findings }
}

/// Kinds that are checked; an object of the group with an unknown kind gets the API server's own words.
fn is_batch(manifest: &Manifest) -> bool {
    manifest.api_version().starts_with("batch/") || matches!(manifest.kind(), "Job" | "CronJob" | "")
}

fn as_value(checked: &[Checked]) -> Value {
    let documents: Vec<Value> = checked
        .iter()
        .map(|Checked { manifest, findings }| {
            let of = |error: bool| -> Option<Vec<Value>> {
                Some(
                    findings
                        .as_ref()?
                        .iter()
                        .filter(|f| f.is_error() == error)
                        .map(Finding::to_json)
                        .collect(),
                )
            };
            let errors = of(true);
            json!({
                "file": manifest.source.name,
                "line": manifest.position("").line,
                "kind": manifest.kind(),
                "namespace": manifest.namespace(),
                "name": manifest.name(),
                "valid": errors.as_ref().map(Vec::is_empty),
                "errors": errors,
                "warnings": of(false),
            })
        })
        .collect();
    json!({ "valid": checked.iter().all(Checked::is_valid), "documents": documents })
}

fn as_text(checked: &[Checked], color: bool) -> String {
    let mut text = String::new();
    for finding in checked.iter().flat_map(|c| c.findings.iter().flatten()) {
        text.push_str(&finding.diagnostic.render(color));
        text.push_str("\n\n");
    }
    let rows: Vec<Vec<String>> = checked.iter().filter_map(row).collect();
    if !rows.is_empty() {
        text.push_str(&render::table(&["FILE", "OBJECT", "VERDICT"], rows));
    }
    let mut skipped: BTreeMap<&str, usize> = BTreeMap::new();
    for other in checked.iter().filter(|c| c.findings.is_none()) {
        *skipped.entry(other.manifest.kind()).or_default() += 1;
    }
    if !skipped.is_empty() {
        let counts: Vec<String> = skipped.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        text.push_str(&format!("skipped {}: only Jobs and CronJobs are checked\n", counts.join(", ")));
    }
    text
}

fn row(checked: &Checked) -> Option<Vec<String>> {
    let findings = checked.findings.as_ref()?;
    let manifest = &checked.manifest;
    let place = format!("{}:{}", manifest.source.name, manifest.position("").line);
    let kind = if manifest.kind().is_empty() { "object" } else { manifest.kind() };
    let name = if manifest.name().is_empty() { "(no name)" } else { manifest.name() };
    let object = format!("{}/{name}", kind.to_lowercase());
    let errors = findings.iter().filter(|f| f.is_error()).count();
    let counted = |count: usize, what: &str| match count {
        0 => String::new(),
        1 => format!(", 1 {what}"),
        n => format!(", {n} {what}s"),
    };
    let word = if errors == 0 { "valid" } else { "invalid" };
    let warnings = counted(findings.len() - errors, "warning");
    Some(vec![place, object, format!("{word}{}{warnings}", counted(errors, "error"))])
}
