//! What metrics count of the status's counters.

use super::indexes::Intervals;
use super::sync::Sync;
use crate::spec::{Job, JobStatus};
use alloc::string::String;

/// The counters that metrics follow.
#[derive(Clone, Debug)]
pub(crate) struct Counters {
    succeeded: i32,
    failed: i32,
    completed_indexes: String,
    failed_indexes: Option<String>,
}

impl Counters {
    pub(crate) fn of(status: &JobStatus) -> Self {
        Counters {
            succeeded: status.succeeded,
            failed: status.failed,
            completed_indexes: status.completed_indexes.clone(),
            failed_indexes: status.failed_indexes.clone(),
        }
    }
}

/// What the write added to the counters (upstream `recordJobPodFinished`). Counters of metrics never go down: an
/// Indexed Job that was scaled down can lose succeeded indexes.
pub(crate) fn count_finished_pods(job: &Job, sync: &mut Sync, before: &mut Option<Counters>) {
    let written = before.take().unwrap_or_else(|| Counters::of(&job.status));
    count(job, sync, &written);
    *before = Some(Counters::of(sync.status.get(job)));
}

fn count(job: &Job, sync: &mut Sync, before: &Counters) {
    let bound = sync.shape.index_bound();
    let total = |text: &str| Intervals::parse(text, bound).total();
    let status = sync.status.get(job);
    let mut succeeded = i64::from(status.succeeded).saturating_sub(before.succeeded.into());
    if sync.shape.indexed {
        succeeded = 0;
        if status.completed_indexes != before.completed_indexes {
            succeeded = total(&status.completed_indexes).saturating_sub(total(&before.completed_indexes));
        }
        sync.counted.indexes_succeeded = sync.counted.indexes_succeeded.saturating_add(succeeded.max(0));
        if status.failed_indexes != before.failed_indexes {
            let of = |text: &Option<String>| text.as_deref().map_or(0, total);
            let failed = of(&status.failed_indexes).saturating_sub(of(&before.failed_indexes));
            sync.counted.indexes_failed = sync.counted.indexes_failed.saturating_add(failed.max(0));
        }
    }
    let failed = i64::from(status.failed).saturating_sub(before.failed.into());
    sync.counted.pods_succeeded = sync.counted.pods_succeeded.saturating_add(succeeded.max(0));
    sync.counted.pods_failed = sync.counted.pods_failed.saturating_add(failed.max(0));
}
