//! Lists of indexes in the status that outgrow what etcd takes in one request.

use super::proof::{Proof, job_name};
use super::subject::Subject;
use super::{Finding, codes};
use crate::store::limits::MAX_REQUEST_BYTES;
use policy_core::job::Intervals;
use serde_json::json;

/// The model in the proof: so many Pods at once.
const MODEL_PODS: i64 = 300;
/// Bytes for the status beside the lists, in the model.
const MODEL_STATUS_BYTES: usize = 2_048;

pub(super) fn too_large(subject: &Subject) -> Option<Finding> {
    let spec = &subject.job.spec;
    let completions = i64::from(spec.completions.filter(|_| spec.is_indexed())?);
    let parallelism = i64::from(spec.parallelism.unwrap_or(1));
    let failed = match spec.backoff_limit_per_index {
        Some(_) => spec.max_failed_indexes.map_or(completions, i64::from).min(completions),
        None => 0,
    };
    let bytes = longest_list(completions, parallelism.saturating_add(failed))
        .saturating_add(list_of_singles(completions, failed));
    if bytes <= MAX_REQUEST_BYTES {
        return None;
    }
    let message = format!(
        "with {parallelism} Pods at once of {completions}, the lists of indexes in the status can take {bytes} bytes, and etcd refuses more than {MAX_REQUEST_BYTES}: then no progress is recorded any more"
    );
    let instead = format!(
        "lower `{}`, which bounds the gaps in the list, or make several Jobs",
        subject.path("parallelism")
    );
    let path = subject.path("completions");
    Some(subject.finding(&codes::INDEX_LIST_TOO_LARGE, path, message, instead, proof(subject)))
}

/// The length of the longest list of completed indexes with so many gaps. Two neighbours are both written, so pairs with
/// gaps of one make the longest; they are taken from the end, where numbers are longest.
fn longest_list(completions: i64, gaps: i64) -> usize {
    let pairs = gaps.saturating_add(1).min(completions / 3);
    let width = completions.to_string().len() as i64 + 1;
    // What cannot be too long is not written out.
    if pairs.saturating_mul(2 * width) <= (MAX_REQUEST_BYTES / 2) as i64 {
        return 0;
    }
    let pairs = pairs.min(MAX_REQUEST_BYTES as i64);
    let first = completions - pairs * 3;
    let indexes = (0..pairs).flat_map(|pair| [first + pair * 3, first + pair * 3 + 1]);
    Intervals::default().with_ordered(indexes).to_text().len()
}

/// The length of a list of so many failed indexes, none next to another.
fn list_of_singles(completions: i64, failed: i64) -> usize {
    let failed = failed.min(completions / 2).min(MAX_REQUEST_BYTES as i64);
    let first = completions - failed * 2;
    Intervals::default().with_ordered((0..failed).map(|place| first + place * 2)).to_text().len()
}

/// The same at a smaller scale: fewer Pods, and a limit that their list outgrows.
fn proof(subject: &Subject) -> serde_json::Value {
    let name = job_name(subject);
    let limit = subject.manifest.to_string().len() + MODEL_STATUS_BYTES;
    let gaps: Vec<String> = (0..MODEL_PODS).map(|gap| (gap * 3 + 2).to_string()).collect();
    let cluster = json!({
        "nodes": [{"name": "node-1", "pods": 10 * MODEL_PODS}],
        "api": {"requestBytes": limit},
        "controller": {"qps": 10_000, "burst": 10_000, "maxUncountedPods": 10, "syncBatchPeriod": "10ms"},
    });
    let title =
        format!("At a smaller scale: {MODEL_PODS} Pods at once, and {limit} bytes where etcd takes 1.5 MiB");
    let counted = json!({"name": name, "fields": {"status.succeeded": {"max": 2 * MODEL_PODS - 100}}});
    Proof::with_job_of(codes::INDEX_LIST_TOO_LARGE.name, title, subject, 10 * MODEL_PODS)
        .with_field("parallelism", MODEL_PODS)
        .behaviour(json!({"indexes": gaps.join(",")}), json!(["block"]))
        .others_end(subject)
        .set("cluster", cluster)
        .until_seconds(1_800)
        .asserts(json!({"text": "The status counts fewer Pods than could have succeeded", "job": counted}))
        .asserts(json!({"text": "Pods have succeeded that it does not count",
            "pods": {"job": name, "phase": "Succeeded", "fields": {"metadata.finalizers": {"absent": false}}, "count": {"min": 10}}}))
        .asserts(json!({"text": "The Job has not ended", "outcome": "deadline"}))
        .build()
}
