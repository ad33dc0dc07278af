//! What a CronJob's sync sees, asks for and ends with.

use super::new_job::NewJob;
use crate::Timestamp;
use crate::spec::{CronJob, CronJobStatus, Job, JobStatus, ObjectMeta};
use crate::step::{CallError, Event};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A CronJob and the Jobs around it, as the controller's cache has them.
///
/// Every step of one sync must be given the same view.
#[derive(Clone, Copy, Debug)]
pub struct CronJobView<'a> {
    /// The CronJob.
    pub cron_job: &'a CronJob,
    /// Jobs that it may own, in any order; those whose controller has another UID are passed over
    /// (upstream `getCronJobJobsByIndexer`).
    pub jobs: &'a [ChildJob<'a>],
}

/// What a CronJob's sync reads of a Job.
#[derive(Clone, Copy, Debug)]
pub struct ChildJob<'a> {
    /// Its metadata.
    pub metadata: &'a ObjectMeta,
    /// Its status: conditions, start time, completion time.
    pub status: &'a JobStatus,
}

impl<'a> From<&'a Job> for ChildJob<'a> {
    fn from(job: &'a Job) -> Self {
        ChildJob { metadata: &job.metadata, status: &job.status }
    }
}

/// A call to the API server.
#[derive(Clone, Debug)]
pub enum Call {
    /// Read a Job; answered by [`Outcome::Job`].
    GetJob {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Read the CronJob afresh; answered by [`Outcome::CronJob`].
    GetCronJob {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Delete a Job, its Pods in the background (`metav1.DeletePropagationBackground`).
    DeleteJob {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Create a Job; answered by [`Outcome::Job`] with what the server made of it.
    CreateJob {
        /// The namespace to create it in.
        namespace: String,
        /// The Job.
        job: Box<NewJob>,
    },
    /// Replace the status of the CronJob of the view, at the view's resource version.
    UpdateStatus(Box<CronJobStatus>),
}

/// How a call went.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It was carried out and has nothing to tell.
    Done,
    /// The Job that was read or created.
    Job(Box<ObjectMeta>),
    /// The CronJob that was read.
    CronJob(Box<CronJob>),
    /// The server refused, or nobody knows.
    Failed(CallError),
}

/// What is left when a sync has come to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// When to look at the CronJob again. Without it and without an error, only a change brings it back.
    pub requeue: Option<Requeue>,
    /// Why the sync failed; it is to be tried again after a rate-limited delay.
    pub error: Option<SyncError>,
    /// Events to publish now.
    pub events: Vec<Event>,
    /// How long after its scheduled time the Job was created, for the metric
    /// `cronjob_controller_job_creation_skew_duration_seconds`.
    pub creation_skew_nanos: Option<i64>,
}

/// When to look at a CronJob again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requeue {
    /// The delay from the sync's instant; at once if not positive. Hugely negative when an exhausted schedule has no
    /// next time.
    pub after_nanos: i64,
    /// The same as an instant.
    pub at: Timestamp,
}

/// Why a sync failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncError {
    /// A call failed.
    Call(CallError),
    /// A Job that was to be replaced could not be deleted.
    NotReplaced {
        /// The Job's namespace.
        namespace: String,
        /// The Job's name.
        name: String,
    },
}

impl fmt::Display for SyncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SyncError::Call(error) => f.write_str(&error.message),
            SyncError::NotReplaced { namespace, name } => {
                write!(f, "could not replace job {namespace}/{name}")
            }
        }
    }
}

impl core::error::Error for SyncError {}
