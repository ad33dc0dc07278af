//! PUT and PATCH of Jobs, CronJobs and other objects, with optimistic concurrency.

use super::admission::{accepted, raw, refusal, with_rules};
use super::objects::Typed;
use super::{ApiError, Kind, Object, ObjectKey, Other, Store};
use crate::typed::typed;
use policy_core::Timestamp;
use policy_core::spec::validation::{Subresource, validate_update};
use policy_core::spec::{CronJob, CronJobStatus, Job, JobStatus};
use serde_json::Value;
use std::sync::Arc;

impl Store {
    /// Replaces the status of a Job that was read at `version`.
    ///
    /// # Errors
    /// 404 when there is none, 409 when it has changed since, 422 when the status is not valid, 500 when it is too large.
    pub(crate) fn write_job_status(
        &mut self,
        namespace: &str,
        name: &str,
        version: &str,
        status: &JobStatus,
    ) -> Result<Arc<Job>, ApiError> {
        let old = self.job(namespace, name).ok_or_else(|| ApiError::not_found("jobs.batch", name))?;
        if old.metadata.resource_version != version {
            return Err(ApiError::conflict("jobs.batch", name));
        }
        let mut new = (**old).clone();
        new.status = as_written(status);
        let texts = (raw(&Typed::new("Job", &**old))?, raw(&Typed::new("Job", &new))?);
        with_rules(|rules| {
            let review = validate_update(&texts.0, &texts.1, Subresource::Status, rules);
            refusal(&review, &Kind::Job, name).map_or(Ok(()), Err)
        })?;
        self.limits.check_size(texts.1.get().len())?;
        match self.put(Object::Job(Arc::new(new))) {
            Object::Job(job) => Ok(job),
            _ => Err(ApiError::internal("the Job changed its kind")),
        }
    }

    /// Replaces the status of a CronJob that was read at `version`.
    ///
    /// # Errors
    /// 404 when there is none, 409 when it has changed since.
    pub(crate) fn write_cron_job_status(
        &mut self,
        namespace: &str,
        name: &str,
        version: &str,
        status: &CronJobStatus,
    ) -> Result<(), ApiError> {
        let resource = Kind::CronJob.resource();
        let old = self.cron_job(namespace, name).ok_or_else(|| ApiError::not_found(&resource, name))?;
        if old.metadata.resource_version != version {
            return Err(ApiError::conflict(&resource, name));
        }
        let mut new = (**old).clone();
        new.status = status.clone();
        for time in [&mut new.status.last_schedule_time, &mut new.status.last_successful_time] {
            *time = time.map(Timestamp::truncated);
        }
        self.put(Object::CronJob(Arc::new(new)));
        Ok(())
    }

    /// Replaces an object other than a Pod. A resource version in `new` is a precondition.
    ///
    /// # Errors
    /// The API server's, for a change that it would refuse.
    pub(crate) fn replace(&mut self, key: &ObjectKey, mut new: Value) -> Result<Object, ApiError> {
        let resource = key.kind.resource();
        let old = self.object(key).cloned().ok_or_else(|| ApiError::not_found(&resource, &key.name))?;
        let metadata = old.metadata();
        match new["metadata"]["resourceVersion"].as_str() {
            Some(version) if version != metadata.resource_version => {
                return Err(ApiError::conflict(&resource, &key.name));
            }
            _ => new["metadata"]["resourceVersion"] = metadata.resource_version.as_str().into(),
        }
        let object = check(&old, &new)?;
        if object.to_json() == old.to_json() {
            return Ok(old);
        }
        if matches!(object, Object::Job(_) | Object::CronJob(_)) {
            self.limits.check_size(new.to_string().len())?;
        }
        if object.metadata().is_deleting() && object.metadata().finalizers.is_empty() {
            self.take(key);
            return Ok(object);
        }
        Ok(self.put(object))
    }
}

/// The object as it would be stored after an update.
fn check(old: &Object, new: &Value) -> Result<Object, ApiError> {
    let (kind, name) = (old.key().kind, old.metadata().name.as_str());
    if let Object::Other(other) = old {
        let mut body = new.as_object().cloned().unwrap_or_default();
        let metadata = typed(&body.remove("metadata").unwrap_or_default())
            .map_err(|error| ApiError::bad_request(format!("metadata cannot be read: {error}")))?;
        return Ok(Object::Other(Arc::new(Other { kind: other.kind.clone(), metadata, body })));
    }
    let (old_text, new_text) = (raw(&old.to_json())?, raw(new)?);
    with_rules(|rules| {
        let review = validate_update(&old_text, &new_text, Subresource::Main, rules);
        match kind {
            Kind::Job => accepted::<Job>(review, &kind, name).map(|job| Object::Job(Arc::new(job))),
            _ => accepted::<CronJob>(review, &kind, name).map(|it| Object::CronJob(Arc::new(it))),
        }
    })
}

/// The status as it reads back after being written: without fractions of a second.
fn as_written(status: &JobStatus) -> JobStatus {
    let mut status = status.clone();
    for time in [&mut status.start_time, &mut status.completion_time] {
        *time = time.map(Timestamp::truncated);
    }
    for condition in &mut status.conditions {
        for time in [&mut condition.last_probe_time, &mut condition.last_transition_time] {
            *time = time.map(Timestamp::truncated);
        }
    }
    status
}
