//! The Job of a run (upstream `getJobFromTemplate2`).

use super::schedule::format_in_zone;
use super::zone::{TimeZones, Zone};
use crate::Timestamp;
use crate::spec::{CRON_JOB_SCHEDULED_TIMESTAMP, CronJob, ObjectMeta, ObjectReference, OwnerReference};
use alloc::boxed::Box;
use alloc::string::String;
use serde::Serialize;
use serde_json::value::RawValue;

/// The API version of Jobs and CronJobs.
const API_VERSION: &str = "batch/v1";

/// A Job to create: metadata of its own and the template's spec, untouched.
///
/// As upstream, it carries no namespace (the create call has it), and its creation timestamp is the scheduled time,
/// which a server overwrites. The template's name, namespace, finalizers and owners are not taken over.
#[derive(Clone, Debug, Serialize)]
pub struct NewJob {
    /// Name, labels, annotations, owner.
    pub metadata: ObjectMeta,
    /// The Job's spec as the CronJob's template has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<Box<RawValue>>,
}

impl NewJob {
    pub(super) fn new(cron_job: &CronJob, scheduled: Timestamp, zones: &dyn TimeZones) -> Self {
        let template = &cron_job.spec.job_template;
        // The zone was found before; upstream would end the sync with an error here.
        let zone =
            Zone::load(cron_job.spec.time_zone.as_deref().unwrap_or_default(), zones).unwrap_or(Zone::Utc);
        let mut annotations = template.metadata.annotations.clone();
        annotations.insert(CRON_JOB_SCHEDULED_TIMESTAMP.into(), format_in_zone(scheduled, zone, zones));
        let metadata = ObjectMeta {
            name: job_name(&cron_job.metadata.name, scheduled),
            labels: template.metadata.labels.clone(),
            annotations,
            creation_timestamp: Some(scheduled),
            owner_references: alloc::vec![OwnerReference::controlled_by(
                API_VERSION,
                "CronJob",
                &cron_job.metadata
            )],
            ..ObjectMeta::default()
        };
        NewJob { metadata, spec: template.spec.clone() }
    }
}

/// The name of the Job for a scheduled time: the CronJob's name and the minutes since the Unix epoch, so that two
/// runs within a minute share it (upstream `getJobName`).
pub fn job_name(cron_job_name: &str, scheduled: Timestamp) -> String {
    alloc::format!("{cron_job_name}-{}", scheduled.unix_seconds() / 60)
}

/// The reference to a Job in `status.active` (upstream `ref.GetReference`).
pub(super) fn reference_to(job: &ObjectMeta) -> ObjectReference {
    ObjectReference {
        kind: "Job".into(),
        namespace: job.namespace.clone(),
        name: job.name.clone(),
        uid: job.uid.clone(),
        api_version: API_VERSION.into(),
        resource_version: job.resource_version.clone(),
        field_path: String::new(),
    }
}
