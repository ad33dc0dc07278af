//! Refusals, in the API server's words.

use policy_core::step::{CallError, CallErrorKind};
use serde::Serialize;
use std::fmt;

/// Why the API server refused a request (`metav1.Status`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiError {
    /// The HTTP status code.
    pub code: u16,
    /// One word for machines, as `NotFound`.
    pub reason: &'static str,
    /// Words for people.
    pub message: String,
    /// After how many seconds to try again, where the server says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u32>,
}

impl ApiError {
    fn new(code: u16, reason: &'static str, message: String) -> Self {
        ApiError { code, reason, message, retry_after_seconds: None }
    }

    /// `apierrors.NewNotFound`; `resource` as `jobs.batch`.
    pub fn not_found(resource: &str, name: &str) -> Self {
        ApiError::new(404, "NotFound", format!("{resource} \"{name}\" not found"))
    }

    /// `apierrors.NewAlreadyExists`.
    pub fn already_exists(resource: &str, name: &str) -> Self {
        ApiError::new(409, "AlreadyExists", format!("{resource} \"{name}\" already exists"))
    }

    /// `apierrors.NewConflict` with the words of a resource version that is not the latest.
    pub fn conflict(resource: &str, name: &str) -> Self {
        let what =
            "the object has been modified; please apply your changes to the latest version and try again";
        ApiError::conflict_because(resource, name, what)
    }

    /// `apierrors.NewConflict`.
    pub fn conflict_because(resource: &str, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {resource} \"{name}\": {why}");
        ApiError::new(409, "Conflict", message)
    }

    /// `apierrors.NewInvalid`; `kind` as `Job.batch`.
    pub fn invalid(kind: &str, name: &str, errors: &[String]) -> Self {
        let errors = match errors {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        ApiError::new(422, "Invalid", format!("{kind} \"{name}\" is invalid: {errors}"))
    }

    /// `apierrors.NewBadRequest`.
    pub fn bad_request(message: impl Into<String>) -> Self {
        ApiError::new(400, "BadRequest", message.into())
    }

    /// `apierrors.NewForbidden`, as the quota plugin words it.
    pub fn quota_exceeded(resource: &str, name: &str, what: &str, used: u32, limit: u32) -> Self {
        let message = format!(
            "{resource} \"{name}\" is forbidden: exceeded quota: quota, requested: {what}=1, used: {what}={used}, \
             limited: {what}={limit}"
        );
        ApiError::new(403, "Forbidden", message)
    }

    /// What client-go makes of a 429 from priority and fairness.
    pub fn too_many_requests(verb: &str, resource: &str) -> Self {
        let message = format!(
            "the server has received too many requests and has asked us to try again later ({verb} {resource})"
        );
        let retry_after_seconds = Some(1);
        ApiError { retry_after_seconds, ..ApiError::new(429, "TooManyRequests", message) }
    }

    /// What the API server makes of etcd's refusal of a request that is too large (`rpctypes.ErrRequestTooLarge`).
    pub fn request_too_large() -> Self {
        ApiError::new(500, "", "etcdserver: request is too large".into())
    }

    /// `apierrors.NewInternalError`.
    pub fn internal(what: &str) -> Self {
        ApiError::new(500, "InternalError", format!("Internal error occurred: {what}"))
    }

    /// `apierrors.NewTimeoutError`, also for an answer that got lost.
    pub fn timeout() -> Self {
        let message =
            "Timeout: request did not complete within requested timeout - context deadline exceeded";
        ApiError::new(504, "Timeout", message.into())
    }

    /// A creation in a namespace that is being deleted.
    pub fn namespace_terminating(resource: &str, name: &str, namespace: &str) -> Self {
        let message = format!(
            "{resource} \"{name}\" is forbidden: unable to create new content in namespace {namespace} because it is \
             being terminated"
        );
        ApiError::new(403, "NamespaceTerminating", message)
    }

    /// The error as decisions see it.
    pub fn to_call_error(&self) -> CallError {
        let kind = match self.reason {
            "NotFound" => CallErrorKind::NotFound,
            "AlreadyExists" => CallErrorKind::AlreadyExists,
            "Conflict" => CallErrorKind::Conflict,
            "NamespaceTerminating" => CallErrorKind::NamespaceTerminating,
            _ => CallErrorKind::Other,
        };
        CallError { kind, message: self.message.clone() }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}
