//! `spec.scheduling` of a Job. With the gate WorkloadWithJob off it is dropped from new objects, yet an object that
//! has it already keeps it and is checked.

use super::error::Errors;
use super::field::Field;
use alloc::format;

/// `validateGangMinCount` and `validateJobScheduling`.
pub(super) fn scheduling(spec: &Field<'_, '_>, errors: &mut Errors) {
    let scheduling = spec.child("scheduling");
    if !scheduling.is_set() {
        return;
    }
    let policy = scheduling.child("schedulingPolicy");
    let gang = policy.child("gang");
    let min_count = gang.child("minCount");
    let parallelism = spec.child("parallelism").int().unwrap_or(1);
    if min_count.int().is_some_and(|min| min > parallelism) {
        errors.invalid(&min_count, format!("must not be greater than parallelism ({parallelism})"));
    }
    // Basic is the policy of a Job that names none; of two disruption modes the first counts.
    let basic = policy.child("basic").is_set() || !gang.is_set();
    let disruption = scheduling.child("disruptionMode");
    if basic && disruption.child("all").is_set() && !disruption.child("single").is_set() {
        let detail = "the disruptionMode `all` is not supported with the Basic scheduling policy";
        errors.invalid_value(&disruption, "", detail);
    }
}

/// `validateJobSchedulingUpdate`: the variant of the policy is frozen.
pub(super) fn update(new: &Field<'_, '_>, old: &Field<'_, '_>, errors: &mut Errors) {
    let (new_scheduling, old_scheduling) = (new.child("scheduling"), old.child("scheduling"));
    let (new, old) = (new_scheduling.child("schedulingPolicy"), old_scheduling.child("schedulingPolicy"));
    if new.is_set() && old.is_set() && new.child("basic").is_set() != old.child("basic").is_set() {
        errors.invalid_null(
            &new,
            "the basic/gang policy variant is immutable after creation; only schedulingPolicy.gang.minCount may be updated",
        );
    }
}

/// The declarative rules of `Validate_JobSpec` that are enforced, which come after all others. They look at changes
/// only: with the gate off any change of the field is forbidden, and clearing it is invalid.
pub(super) fn declarative(new: &Field<'_, '_>, old: &Field<'_, '_>, errors: &mut Errors) {
    let scheduling = new.child("scheduling");
    match (scheduling.node(), old.child("scheduling").node()) {
        (Some(new), Some(old)) if !new.same(old) => errors.forbidden(&scheduling, ""),
        (Some(_), None) => {
            errors.forbidden(&scheduling, "");
            errors.invalid_null(&scheduling, "field cannot be set once created");
        }
        (None, Some(_)) => errors.invalid_null(&scheduling, "field cannot be cleared once set"),
        _ => {}
    }
}
