//! What is looked at before anything is done: the server's version, our rights, and whether somebody else is at work.

use super::api::{Api, ApiError, Call};
use super::clock::Clock;
use super::options::Options;
use super::rights::{Right, needed};
use crate::diagnostic::Diagnostic;
use policy_core::Timestamp;
use policy_core::job::external_controller;
use policy_core::spec::Job;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// The oldest minor version of Kubernetes 1 whose API has what is used here: `managedBy` for everybody, and resource
/// versions that may be compared.
const OLDEST_MINOR: u32 = 35;
/// How often reaching the server is tried at the start.
const TRIES: u32 = 5;
/// Statuses written by others less long ago than this mean that they are at work.
const RECENT_SECONDS: i64 = 600;
/// The name under which our writes are filed in `managedFields`: the start of the user agent.
pub(super) const FIELD_MANAGER: &str = "jobpolicy";

/// Looks at the server's version.
pub(super) async fn server(api: &Api, server: &str) -> Result<(), Diagnostic> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Version {
        major: String,
        minor: String,
        git_version: String,
    }
    let answer = reach(api, server).await?;
    let version: Version = serde_json::from_slice(&answer).map_err(|error| {
        Diagnostic::error(format!("{server} does not answer as a Kubernetes API server: {error}"))
            .help("look at the server's address in the kubeconfig")
    })?;
    let minor: String = version.minor.chars().take_while(char::is_ascii_digit).collect();
    let minor: u32 = minor.parse().unwrap_or(0);
    if version.major != "1" || minor < OLDEST_MINOR {
        let message = format!(
            "the API server is too old: it is {}, and at least v1.{OLDEST_MINOR} is needed",
            version.git_version
        );
        return Err(Diagnostic::error(message)
            .help("before 1.35 resource versions may not be compared, and `managedBy` may be missing"));
    }
    tracing::info!(server, version = version.git_version, "connected");
    Ok(())
}

async fn reach(api: &Api, server: &str) -> Result<hyper::body::Bytes, Diagnostic> {
    let mut attempt = 1;
    loop {
        match api.call_at_once(&Call::get("/version")).await {
            Ok(answer) => return Ok(answer),
            Err(error) if error.is_forbidden() => {
                let message = format!("{server} does not know who we are: {error}");
                return Err(Diagnostic::error(message).help("look at the credentials in the kubeconfig"));
            }
            Err(error) if attempt == TRIES => {
                return Err(Diagnostic::error(format!("cannot reach the API server at {server}: {error}"))
                    .help("`kubectl version` with the same kubeconfig shows whether it answers"));
            }
            Err(error) => {
                tracing::warn!(server, %error, "the API server does not answer yet");
                attempt += 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Looks at our rights, all of them, so that one message names all that is missing.
pub(super) async fn rights(api: &Api, options: &Options) -> Result<(), Diagnostic> {
    let mut missing: Vec<String> = Vec::new();
    for right in needed(options) {
        match is_allowed(api, right, options.namespace.as_deref()).await {
            Ok(true) => {}
            Ok(false) => missing.push(name(right)),
            Err(error) => {
                tracing::warn!(%error, "our rights cannot be looked at");
                return Ok(());
            }
        }
    }
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Diagnostic::error(format!("rights are missing: {}", missing.join(", ")))
        .help("bind what `jobpolicy controller --print-rbac` prints to the account of the controller"))
}

fn name(Right { verb, group, resource, subresource }: Right) -> String {
    let slash = if subresource.is_empty() { "" } else { "/" };
    let group = if group.is_empty() { String::new() } else { format!(".{group}") };
    format!("`{verb}` on `{resource}{group}{slash}{subresource}`")
}

async fn is_allowed(
    api: &Api,
    Right { verb, group, resource, subresource }: Right,
    namespace: Option<&str>,
) -> Result<bool, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Review {
        status: Status,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Status {
        allowed: bool,
    }
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {
            "verb": verb,
            "group": group,
            "resource": resource,
            "subresource": subresource,
            "namespace": namespace.unwrap_or_default(),
        }},
    });
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let answer = api.call_at_once(&Call::post(path, body.to_string().into_bytes())).await?;
    let review: Review = serde_json::from_slice(&answer).map_err(ApiError::unanswered)?;
    Ok(review.status.allowed)
}

/// Looks for another controller that writes the statuses of Jobs that would be ours.
pub(super) async fn others(api: &Api, options: &Options, clock: Clock) -> Result<(), Diagnostic> {
    let mut next = String::new();
    loop {
        let path = match &options.namespace {
            Some(namespace) => format!("/apis/batch/v1/namespaces/{namespace}/jobs"),
            None => "/apis/batch/v1/jobs".into(),
        };
        let answer =
            api.call_at_once(&Call::get(format!("{path}?limit=500{next}"))).await.map_err(|error| {
                Diagnostic::error(format!("cannot list jobs: {error}"))
                    .help("pass --force to start all the same")
            })?;
        let page: Page = serde_json::from_slice(&answer)
            .map_err(|error| Diagnostic::error(format!("cannot read the list of jobs: {error}")))?;
        for item in page.items.unwrap_or_default() {
            if let Some(found) = another(&item, options, clock.wall()) {
                return Err(found);
            }
        }
        if page.metadata.next.is_empty() {
            return Ok(());
        }
        next = format!("&continue={}", super::reflect::escape(&page.metadata.next));
    }
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMeta,
    items: Option<Vec<Item>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PageMeta {
    #[serde(rename = "continue")]
    next: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    metadata: ItemMeta,
    spec: ItemSpec,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ItemMeta {
    name: String,
    namespace: String,
    managed_fields: Vec<ManagedFields>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ItemSpec {
    managed_by: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ManagedFields {
    manager: String,
    subresource: String,
    time: Option<Timestamp>,
}

/// Who else has written the status lately.
fn another(item: &Item, options: &Options, now: Timestamp) -> Option<Diagnostic> {
    let mut job = Job::default();
    job.spec.managed_by.clone_from(&item.spec.managed_by);
    if external_controller(&job, &options.settings).is_some() {
        return None;
    }
    let is_recent = |fields: &&ManagedFields| {
        fields.time.is_some_and(|at| now.nanos_since(at) < RECENT_SECONDS * 1_000_000_000)
    };
    let mut statuses = item.metadata.managed_fields.iter().filter(|fields| fields.subresource == "status");
    let found = statuses.find(|fields| fields.manager != FIELD_MANAGER && is_recent(fields))?;
    let ItemMeta { namespace, name, .. } = &item.metadata;
    let (manager, time) = (&found.manager, found.time.unwrap_or(now));
    let message = format!(
        "another controller is at work: `{manager}` wrote the status of job/{name} in {namespace} at {time}"
    );
    Some(Diagnostic::error(message).help(
        "turn the built-in controllers off (--controllers=*,-job-controller,-cronjob-controller) or leave out --all; \
         --force starts all the same",
    ))
}
