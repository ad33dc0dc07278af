//! Creating Pods in batches that double, so that a refusal is met once and not five hundred times.

use super::census::Census;
use super::facts::PodFacts;
use super::pod_failure_policy::counts;
use super::sync::{Cx, Sync};
use super::{Call, Stage};
use crate::explain::{Recorder, Rule};
use crate::step::{CallErrorKind, Event, Expect, Outcome, Wave};
use alloc::format;
use alloc::vec::{IntoIter, Vec};

/// The size of the first batch (upstream `SlowStartInitialBatchSize`).
const SLOW_START_INITIAL_BATCH_SIZE: usize = 1;

/// A Pod to create: what differs from Pod to Pod. [`PodDraft`](super::PodDraft) makes the Pod from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PodCreate {
    /// The completion index, for an Indexed Job.
    pub index: Option<i64>,
    /// Counted and ignored failures of the index so far, with `backoffLimitPerIndex`.
    pub index_failures: Option<IndexFailures>,
}

/// The failures of an index that its next Pod carries on in annotations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexFailures {
    /// Failures that count against `backoffLimitPerIndex`.
    pub counted: i32,
    /// Failures that a rule of the failure policy ignored.
    pub ignored: i32,
}

impl IndexFailures {
    /// The counts for the replacement of a Pod (upstream `getNewIndexFailureCounts`).
    fn after(replaced: Option<&PodFacts>) -> Self {
        let Some(pod) = replaced else { return IndexFailures::default() };
        let counted = i32::from(counts(pod.policy_match.as_deref()));
        IndexFailures {
            counted: pod.index_failure_count.wrapping_add(counted),
            ignored: pod.index_ignored_failure_count.wrapping_add(1_i32.wrapping_sub(counted)),
        }
    }
}

/// Creations that are under way, and those that wait for them to go well.
#[derive(Clone, Debug)]
pub(crate) struct Creation {
    batch_size: usize,
    rest: IntoIter<PodCreate>,
    succeeded: i64,
    failed: i64,
}

/// `count` Pods without an index.
pub(crate) fn unindexed(count: usize) -> Vec<PodCreate> {
    alloc::vec![PodCreate::default(); count]
}

/// A Pod for each of these indexes, and the place of the Pod that it replaces.
pub(crate) fn indexed(pods: &dyn Census, sync: &Sync, indexes: Vec<(i64, Option<u32>)>) -> Vec<PodCreate> {
    let per_index = sync.shape.backoff_limit_per_index.is_some();
    let failures = |replaced: Option<u32>| {
        per_index.then(|| IndexFailures::after(replaced.and_then(|place| pods.pod(place))))
    };
    let create = |(index, replaced)| PodCreate { index: Some(index), index_failures: failures(replaced) };
    indexes.into_iter().map(create).collect()
}

/// The first batch. All of the Pods count as active from here on; those that fail are taken off again.
pub(crate) fn begin<R: Recorder>(
    cx: &mut Cx<'_, R>,
    sync: &mut Sync,
    creates: Vec<PodCreate>,
    want_active: i32,
) -> Option<(Wave<Call>, Stage)> {
    let count = i32::try_from(creates.len()).unwrap_or(i32::MAX);
    cx.rec.note_calls(Rule::PodsCreated, count > 0, sync.next_calls(creates.len()), |evidence| {
        evidence.compared("active Pods", sync.active, format!("wanted {want_active}"));
        evidence.compared("spec.parallelism", sync.shape.parallelism, format!("created {count}"));
        for create in creates.iter().filter_map(|create| create.index).take(10) {
            evidence.value("index", create);
        }
        if sync.shape.indexed && creates.is_empty() {
            evidence.value("indexes that may get a Pod", "none");
        }
    });
    if creates.is_empty() {
        return None;
    }
    sync.active = sync.active.wrapping_add(count);
    sync.counted.creation_reason = creation_reason(sync);
    let expect = Expect { creations: Some(count.into()), ..Expect::default() };
    let creation = Creation {
        batch_size: SLOW_START_INITIAL_BATCH_SIZE,
        rest: creates.into_iter(),
        succeeded: 0,
        failed: 0,
    };
    Some(next_batch(sync, creation, expect))
}

fn next_batch(sync: &mut Sync, mut creation: Creation, expect: Expect) -> (Wave<Call>, Stage) {
    let calls: Vec<Call> = creation.rest.by_ref().take(creation.batch_size).map(Call::CreatePod).collect();
    (sync.wave(calls, expect), Stage::Create(creation))
}

/// After a batch: the next one, twice as large, unless a Pod was refused.
pub(crate) fn after_batch<R: Recorder>(
    cx: &mut Cx<'_, R>,
    sync: &mut Sync,
    mut creation: Creation,
    outcomes: &[Outcome],
) -> Option<(Wave<Call>, Stage)> {
    let failed_before = creation.failed;
    for outcome in outcomes {
        record_outcome(sync, &mut creation, outcome);
    }
    let refused = creation.failed > failed_before;
    let skipped = creation.rest.len();
    cx.rec.note(Rule::SlowStartStopped, refused && skipped > 0, |evidence| {
        evidence.value("refused creations", creation.failed).value("skipped creations", skipped);
    });
    if skipped == 0 || refused {
        sync.skip_calls(skipped);
        let skipped = i32::try_from(skipped).unwrap_or(i32::MAX);
        sync.active = sync.active.wrapping_sub(skipped);
        lower_creations(sync, skipped.into());
        sync.counted.creations_succeeded = creation.succeeded;
        sync.counted.creations_failed = creation.failed;
        return None;
    }
    creation.batch_size = creation.batch_size.saturating_mul(2);
    Some(next_batch(sync, creation, Expect::default()))
}

fn record_outcome(sync: &mut Sync, creation: &mut Creation, outcome: &Outcome) {
    match outcome {
        // A planned creation has no name yet, and so no event.
        Outcome::Done { name } if name.is_empty() => {}
        Outcome::Done { name } => {
            sync.events.push(Event::normal("SuccessfulCreate", format!("Created pod: {name}")));
        }
        // Every later creation would fail the same way. The Pod keeps counting as active, and expected.
        Outcome::Failed(error) if error.kind == CallErrorKind::NamespaceTerminating => return,
        Outcome::Failed(error) => {
            sync.events.push(Event::warning("FailedCreate", format!("Error creating: {}", error.message)));
            sync.active = sync.active.wrapping_sub(1);
            lower_creations(sync, 1);
            sync.keep_manage_error(&error.message);
            creation.failed = creation.failed.wrapping_add(1);
        }
        Outcome::Read { .. } => {}
    }
    // Upstream counts a refused creation as a success too.
    creation.succeeded = creation.succeeded.wrapping_add(1);
}

fn lower_creations(sync: &mut Sync, count: i64) {
    sync.delta.creations_not_coming = sync.delta.creations_not_coming.saturating_add(count);
}

/// The label `reason` of `job_pods_creation_total` (upstream `recordJobPodsCreationTotal`).
fn creation_reason(sync: &Sync) -> &'static str {
    if sync.shape.only_replaces_failed_pods && sync.failed > 0 {
        "recreate_failed"
    } else if sync.failed > 0 || sync.terminating > 0 {
        "recreate_terminating_or_failed"
    } else {
        "new"
    }
}
