//! Warnings about what is accepted but will not do what it seems to (`WarningsForJobSpec`).

use super::field::Field;
use super::job;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub(super) fn job_spec(spec: &Field<'_, '_>, found: &mut Vec<String>) {
    let number = |name: &str| spec.child(name).int_or_zero();
    if job::is_indexed(spec)
        && number("completions") > job::COMPLETIONS_SOFT_LIMIT
        && number("parallelism") > 10_000
    {
        found.push(format!("{spec}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail"));
    }
    let template = spec.child("template");
    let pod = template.child("spec");
    let grace = pod.child("terminationGracePeriodSeconds");
    if grace.int_or_zero() < 0 {
        found.push(format!("{grace}: must be >= 0; negative values are invalid and will be treated as 1"));
    }
}
