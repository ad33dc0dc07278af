//! Calls to the API server: one rate limit, one idea of what an error is.

use super::limiter::Limiter;
use super::metrics::Metrics;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Bytes;
use kube::Client;
use kube::client::Body;
use policy_core::step::{CallError, CallErrorKind};
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long a call may take. What happens to it afterwards is unknown.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// How often a call is repeated that the server has put off (client-go's default).
const LONGEST_PUT_OFF: u32 = 10;
/// How many calls may be under way at once; each takes a connection.
const CALLS_AT_ONCE: usize = 64;

/// The API server as the controller uses it.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    limiter: Arc<Limiter>,
    metrics: Arc<Metrics>,
    under_way: Arc<Semaphore>,
}

/// A request to be sent.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
    accept: &'static str,
}

/// The content types of patches.
pub(super) const STRATEGIC_MERGE_PATCH: &str = "application/strategic-merge-patch+json";
const JSON: &str = "application/json";
/// Only the metadata of the object, where the server can.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

impl Call {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Call { method: Method::GET, path: path.into(), content_type: JSON, body: Vec::new(), accept: JSON }
    }

    pub(super) fn post(path: impl Into<String>, body: Vec<u8>) -> Self {
        Call { method: Method::POST, path: path.into(), content_type: JSON, body, accept: JSON }
    }

    pub(super) fn put(path: impl Into<String>, body: Vec<u8>) -> Self {
        Call { method: Method::PUT, path: path.into(), content_type: JSON, body, accept: JSON }
    }

    pub(super) fn delete(path: impl Into<String>, options: Vec<u8>) -> Self {
        Call { method: Method::DELETE, path: path.into(), content_type: JSON, body: options, accept: JSON }
    }

    pub(super) fn patch(path: impl Into<String>, body: Vec<u8>) -> Self {
        Call {
            method: Method::PATCH,
            path: path.into(),
            content_type: STRATEGIC_MERGE_PATCH,
            body,
            accept: JSON,
        }
    }

    /// Of the answer only the metadata is read.
    pub(super) fn for_metadata(mut self) -> Self {
        self.accept = METADATA;
        self
    }

    fn request(&self) -> Result<Request<Body>, http::Error> {
        Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .header(header::ACCEPT, self.accept)
            .header(header::CONTENT_TYPE, self.content_type)
            .body(Body::from(self.body.clone()))
    }
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiError {
    /// The HTTP status; 0 when there was no answer.
    pub(super) code: u16,
    /// The server's one word, such as `Conflict`.
    pub(super) reason: String,
    /// The server's words.
    pub(super) message: String,
    /// The reasons of the causes that the server gives.
    causes: Vec<String>,
}

impl ApiError {
    /// A call that was not answered, as far as anybody knows.
    pub(super) fn unanswered(message: impl fmt::Display) -> Self {
        ApiError { code: 0, reason: String::new(), message: message.to_string(), causes: Vec::new() }
    }

    /// A call that failed on its way; what lies below says most.
    fn broken(error: &(dyn std::error::Error + 'static)) -> Self {
        let causes = std::iter::successors(Some(error), |error| error.source());
        let mut words: Vec<String> = causes.map(ToString::to_string).collect();
        words.dedup_by(|next, earlier| earlier.contains(next.as_str()));
        ApiError::unanswered(words.join(": "))
    }

    fn answered(code: StatusCode, body: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Status {
            reason: Option<String>,
            message: Option<String>,
            details: Option<Details>,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Details {
            causes: Option<Vec<Cause>>,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Cause {
            reason: Option<String>,
        }
        let status: Status = serde_json::from_slice(body).unwrap_or_default();
        let causes = status.details.and_then(|details| details.causes).unwrap_or_default();
        let text = || format!("{code}: {}", String::from_utf8_lossy(body.get(..300).unwrap_or(body)));
        ApiError {
            code: code.as_u16(),
            reason: status.reason.unwrap_or_default(),
            message: status.message.unwrap_or_else(text),
            causes: causes.into_iter().filter_map(|cause| cause.reason).collect(),
        }
    }

    /// The error that a watch delivers in place of an event.
    pub(super) fn of_status(status: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Code {
            code: u16,
        }
        let code = serde_json::from_slice::<Code>(status).unwrap_or_default().code;
        ApiError::answered(StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), status)
    }

    /// `apierrors.IsNotFound`.
    pub(super) fn is_not_found(&self) -> bool {
        self.reason == "NotFound" || (self.reason.is_empty() && self.code == 404)
    }

    /// `apierrors.IsConflict`.
    pub(super) fn is_conflict(&self) -> bool {
        self.reason == "Conflict"
    }

    /// `apierrors.IsInvalid`.
    pub(super) fn is_invalid(&self) -> bool {
        self.reason == "Invalid"
    }

    /// `apierrors.IsResourceExpired` or `IsGone`: what was asked for is too long ago.
    pub(super) fn is_expired(&self) -> bool {
        self.code == 410 || self.reason == "Expired" || self.reason == "Gone"
    }

    /// Whether the server knows us and refuses.
    pub(super) fn is_forbidden(&self) -> bool {
        self.code == 401 || self.code == 403
    }

    /// As decisions tell errors apart.
    pub(super) fn to_call_error(&self) -> CallError {
        let kind = if self.causes.iter().any(|cause| cause == "NamespaceTerminating") {
            CallErrorKind::NamespaceTerminating
        } else if self.is_not_found() {
            CallErrorKind::NotFound
        } else if self.reason == "AlreadyExists" {
            CallErrorKind::AlreadyExists
        } else if self.is_conflict() {
            CallErrorKind::Conflict
        } else {
            CallErrorKind::Other
        };
        CallError { kind, message: self.message.clone() }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Api {
    pub(super) fn new(client: Client, limiter: Arc<Limiter>, metrics: Arc<Metrics>) -> Self {
        Api { client, limiter, metrics, under_way: Arc::new(Semaphore::new(CALLS_AT_ONCE)) }
    }

    /// Waits for a turn and makes the call. What the server puts off (429, or 5xx with `Retry-After`) is repeated, as
    /// client-go does: the server has not acted on it.
    pub(super) async fn call(&self, call: &Call) -> Result<Bytes, ApiError> {
        let mut put_off = 0;
        loop {
            self.limiter.turn().await;
            match self.call_unlimited(call).await {
                Err((error, Some(delay))) if put_off < LONGEST_PUT_OFF => {
                    tracing::debug!(path = call.path, %error, ?delay, "the API server puts the call off");
                    put_off += 1;
                    tokio::time::sleep(delay).await;
                }
                Err((error, _)) => return Err(error),
                Ok(body) => return Ok(body),
            }
        }
    }

    /// A call outside the rate limit: for leases, which must not wait behind other calls.
    pub(super) async fn call_at_once(&self, call: &Call) -> Result<Bytes, ApiError> {
        self.call_unlimited(call).await.map_err(|(error, _)| error)
    }

    async fn call_unlimited(&self, call: &Call) -> Result<Bytes, (ApiError, Option<Duration>)> {
        let answer = async {
            let _permit = self.under_way.acquire().await;
            let request = call.request().map_err(ApiError::unanswered)?;
            let response = self.client.send(request).await.map_err(|error| ApiError::broken(&error))?;
            let (head, body) = response.into_parts();
            let body = body.collect().await.map_err(ApiError::unanswered)?.to_bytes();
            Ok((head, body))
        };
        let answer = tokio::time::timeout(CALL_TIMEOUT, answer).await;
        let late = || ApiError::unanswered(format!("no answer within {} s", CALL_TIMEOUT.as_secs()));
        let answer = answer.unwrap_or_else(|_| Err(late()));
        let code = answer.as_ref().map_or("none".to_string(), |(head, _)| head.status.as_u16().to_string());
        self.metrics.called(call.method.as_str(), &code);
        let (head, body) = answer.map_err(|error| (error, None))?;
        if head.status.is_success() {
            return Ok(body);
        }
        let delay = retry_after(&head.headers)
            .filter(|_| head.status == StatusCode::TOO_MANY_REQUESTS || head.status.is_server_error());
        Err((ApiError::answered(head.status, &body), delay))
    }

    /// Opens a stream, outside the rate limit.
    pub(super) async fn stream(&self, path: &str) -> Result<Body, ApiError> {
        let request = Call::get(path).request().map_err(ApiError::unanswered)?;
        let response = tokio::time::timeout(CALL_TIMEOUT, self.client.send(request)).await;
        let late = |_| ApiError::unanswered(format!("no answer within {} s", CALL_TIMEOUT.as_secs()));
        let response = response.map_err(late)?.map_err(|error| ApiError::broken(&error))?;
        if response.status().is_success() {
            return Ok(response.into_body());
        }
        let status = response.status();
        let body = response.into_body().collect().await.map_err(ApiError::unanswered)?.to_bytes();
        Err(ApiError::answered(status, &body))
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(code: u16, body: &str) -> CallErrorKind {
        ApiError::answered(StatusCode::from_u16(code).unwrap(), body.as_bytes()).to_call_error().kind
    }

    #[test]
    fn errors_are_told_apart_by_the_servers_reason() {
        assert_eq!(kind(404, r#"{"reason":"NotFound"}"#), CallErrorKind::NotFound);
        assert_eq!(kind(409, r#"{"reason":"AlreadyExists"}"#), CallErrorKind::AlreadyExists);
        assert_eq!(kind(409, r#"{"reason":"Conflict"}"#), CallErrorKind::Conflict);
        let terminating =
            r#"{"reason":"Forbidden","details":{"causes":[{"reason":"NamespaceTerminating"}]}}"#;
        assert_eq!(kind(403, terminating), CallErrorKind::NamespaceTerminating);
        assert_eq!(kind(503, "<html>"), CallErrorKind::Other);
    }

    #[test]
    fn answers_that_are_no_status_are_shown_as_they_are() {
        let error = ApiError::answered(StatusCode::BAD_GATEWAY, b"upstream down");
        assert_eq!(error.to_string(), "502 Bad Gateway: upstream down");
    }
}
