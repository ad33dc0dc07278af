//! Which fields would bound what nothing bounds, and what the bound would be.

use super::WorstCase;
use super::environment::Environment;
use super::facts::Facts;
use super::limit::{Bound, Field, Remedy};
use super::pods::policy_field;
use super::reckoning::Reckoning;
use super::{pods, time};
use policy_core::spec::Job;

/// The deadline that stands as an example: an hour.
const EXAMPLE_SECONDS: i64 = 3_600;
/// The API server's default.
const DEFAULT_BACKOFF_LIMIT: i32 = 6;

/// Adds what would help to each bound that is open.
pub(super) fn add(worst: &mut WorstCase, job: &Job, environment: &Environment) {
    let compute: [fn(&Reckoning<'_>) -> Bound; 5] =
        [pods::at_once, pods::ever, pods::failed, time::to_end, time::longest_backoff];
    let open = worst.bounds().iter().any(|(_, bound)| bound.limit.is_unbounded());
    if !open {
        return;
    }
    for (field, changed) in candidates(job, environment) {
        let facts = Facts::of(&changed, environment);
        let reckoning = Reckoning::new(&facts, environment);
        for (bound, compute) in worst.bounds_mut().into_iter().zip(compute) {
            let limit = compute(&reckoning).limit;
            if bound.limit.is_unbounded() && !limit.is_unbounded() {
                bound.remedies.push(Remedy { field: field.clone(), limit });
            }
        }
    }
}

/// The Job with one field changed, in all ways that may help.
fn candidates(job: &Job, environment: &Environment) -> Vec<(Field, Job)> {
    let mut list = Vec::new();
    if job.spec.active_deadline_seconds.is_none() {
        let mut changed = job.clone();
        changed.spec.active_deadline_seconds = Some(EXAMPLE_SECONDS);
        list.push((Field::new("spec.activeDeadlineSeconds", EXAMPLE_SECONDS), changed));
    }
    if job.spec.backoff_limit == Some(i32::MAX) {
        let mut changed = job.clone();
        changed.spec.backoff_limit = Some(DEFAULT_BACKOFF_LIMIT);
        list.push((Field::new("spec.backoffLimit", DEFAULT_BACKOFF_LIMIT), changed));
    }
    if job.spec.parallelism == Some(0) {
        let mut changed = job.clone();
        changed.spec.parallelism = Some(1);
        list.push((Field::new("spec.parallelism", 1), changed));
    }
    let ignored = Facts::of(job, environment).actions.ignore;
    if let Some(rule) = ignored {
        let mut changed = job.clone();
        let rules = changed.spec.pod_failure_policy.iter_mut().flat_map(|policy| &mut policy.rules);
        for ignoring in rules.filter(|rule| rule.action == "Ignore") {
            ignoring.action = "Count".into();
        }
        list.push((policy_field("Count")(rule), changed));
    }
    list
}
