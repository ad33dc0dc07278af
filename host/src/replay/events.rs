//! Lining up the events that the controllers have published.

use super::recording::{Published, Recording, Version};
use super::report::{Kind, Report};
use super::search::Publication;
use std::collections::HashMap;

/// Who publishes events about Jobs and CronJobs.
const CONTROLLERS: [&str; 2] = ["job-controller", "cronjob-controller"];

/// What our decisions publish, by UID of the Job or CronJob.
pub(super) type Decided<'r> = HashMap<&'r str, Vec<Publication>>;

/// Adds every event about a Job or CronJob. An event is explained if the syncs that the writes were lined up with
/// publish it, after the write that it follows; or if a sync that writes nothing does, which `idle` tells.
pub(super) fn line_up<'r>(
    report: &mut Report,
    recording: &'r Recording,
    mut decided: Decided<'r>,
    idle: impl Fn(&Version, &Published) -> bool,
) {
    for version in recording.versions.iter().filter(|v| v.resource_version > recording.found_until) {
        let Some(published) = version.published() else { continue };
        if version.is_deleted() || !CONTROLLERS.contains(&&*published.component) {
            continue;
        }
        let Some(of_object) = decided.get_mut(&*published.regarding) else { continue };
        let before = recording.before(version).and_then(Version::published).map_or(0, |event| event.count);
        for _ in before..published.count {
            let fits = |(since, event): &Publication| {
                *since < version.resource_version
                    && (event.kind, &*event.reason, &*event.message)
                        == (&*published.kind, &*published.reason, &*published.message)
            };
            let explained = match of_object.iter().position(fits) {
                Some(place) => {
                    of_object.swap_remove(place);
                    true
                }
                None => idle(version, published),
            };
            let difference = (!explained)
                .then(|| format!("no decision publishes {} `{}`", published.reason, published.message));
            let object = format!("{}/{}", version.namespace, published.regarding_name);
            report.add(Kind::Event, object, version.resource_version, difference);
        }
    }
}
