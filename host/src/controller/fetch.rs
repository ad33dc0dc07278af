//! Reading a Job or CronJob and what belongs to it from a cluster, as a listing that `explain` takes like any other.

use super::api::{Api, ApiError, Call};
use super::clock::Clock;
use super::connect::{self, Connection};
use super::limiter::Limiter;
use super::metrics::Metrics;
use super::reflect::{self, escape};
use crate::diagnostic::Diagnostic;
use crate::explain::rules::distance;
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;

/// Calls a second and at once; reading one Job takes some five.
const CALLS: (f64, u32) = (20.0, 30);

/// Which cluster, and where in it.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// The kubeconfig; without it, what the environment says.
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig; without it, the current one.
    pub context: Option<String>,
    /// The namespace; without it, that of the context.
    pub namespace: Option<String>,
}

/// The connection of a command that only reads.
pub(super) struct Reader {
    pub(super) api: Api,
    pub(super) server: String,
    pub(super) namespace: String,
}

impl Cluster {
    pub(super) async fn connect(&self) -> Result<Reader, Diagnostic> {
        let connected = connect::connect(self.kubeconfig.as_deref(), self.context.as_deref()).await?;
        let Connection { client, server, namespace, .. } = connected;
        let limiter = Arc::new(Limiter::new(Clock::new(), CALLS.0, CALLS.1));
        let api = Api::new(client, limiter, Arc::new(Metrics::default()));
        let namespace = self.namespace.clone().unwrap_or(namespace);
        Ok(Reader { api, server, namespace })
    }
}

/// A kind of object, and where the API server has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resource {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) api_version: &'static str,
    group: &'static str,
}

pub(super) const JOBS: Resource =
    Resource { name: "jobs", kind: "Job", api_version: "batch/v1", group: "/apis/batch/v1" };
pub(super) const CRON_JOBS: Resource =
    Resource { name: "cronjobs", kind: "CronJob", api_version: "batch/v1", group: "/apis/batch/v1" };
pub(super) const PODS: Resource = Resource { name: "pods", kind: "Pod", api_version: "v1", group: "/api/v1" };
const EVENTS: Resource = Resource { name: "events", kind: "Event", api_version: "v1", group: "/api/v1" };

impl Resource {
    pub(super) const fn new(
        name: &'static str,
        kind: &'static str,
        api_version: &'static str,
        group: &'static str,
    ) -> Self {
        Resource { name, kind, api_version, group }
    }

    /// The path of the objects of a namespace, or of all.
    pub(super) fn path(self, namespace: Option<&str>) -> String {
        match namespace {
            Some(namespace) => format!("{}/namespaces/{}/{}", self.group, escape(namespace), self.name),
            None => format!("{}/{}", self.group, self.name),
        }
    }

    /// The object with its kind, which the items of a list lack.
    pub(super) fn with_kind(self, json: &str) -> String {
        let typed = serde_json::from_str::<Outline>(json).is_ok_and(|outline| !outline.kind.is_empty());
        match json.trim_start().strip_prefix('{') {
            Some(rest) if !typed => {
                let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
                format!(r#"{{"kind":"{}","apiVersion":"{}"{comma}{rest}"#, self.kind, self.api_version)
            }
            _ => json.to_owned(),
        }
    }
}

/// What an object is and whose.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Outline {
    pub(super) kind: String,
    pub(super) metadata: OutlineMeta,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct OutlineMeta {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) resource_version: String,
    owner_references: Vec<Owner>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Owner {
    uid: String,
    controller: bool,
}

impl OutlineMeta {
    fn controller(&self) -> Option<&str> {
        self.owner_references.iter().find(|owner| owner.controller).map(|owner| owner.uid.as_str())
    }
}

/// Reads an object with its Pods or Jobs and its events, as the JSON text of a `List`.
///
/// # Errors
/// No cluster, no answer, no such object, or a right is missing.
pub fn fetch(cluster: &Cluster, cron_job: bool, name: &str) -> Result<String, Diagnostic> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Diagnostic::error(format!("cannot start the connection: {error}")))?;
    let listing = runtime.block_on(async { read(&cluster.connect().await?, cron_job, name).await });
    runtime.shutdown_background();
    listing
}

async fn read(reader: &Reader, cron_job: bool, name: &str) -> Result<String, Diagnostic> {
    let resource = if cron_job { CRON_JOBS } else { JOBS };
    let object = reader.get(resource, name).await?;
    let outline: Outline = serde_json::from_str(&object).unwrap_or_default();
    if outline.kind != resource.kind || outline.metadata.uid.is_empty() {
        let title = format!("the API server at {} answered, but not with a {}", reader.server, resource.kind);
        return Err(Diagnostic::error(title).help("is it the address of a Kubernetes API server?"));
    }
    let uid = outline.metadata.uid;
    // Those that nobody controls matter too: a Job may adopt such Pods, and a CronJob's next Job may meet such a name.
    let belongs = |meta: &OutlineMeta| cron_job || meta.controller().is_none_or(|owner| owner == uid);
    let dependents = if cron_job { JOBS } else { PODS };
    let mut items = vec![object];
    items.extend(reader.list(dependents, "", belongs).await?);
    let about = format!("?fieldSelector={}", escape(&format!("involvedObject.name={name}")));
    items.extend(reader.list(EVENTS, &about, |_| true).await?);
    Ok(format!(r#"{{"kind":"List","apiVersion":"v1","items":[{}]}}"#, items.join(",\n")))
}

impl Reader {
    async fn get(&self, resource: Resource, name: &str) -> Result<String, Diagnostic> {
        let path = format!("{}/{}", resource.path(Some(&self.namespace)), escape(name));
        match self.api.call(&Call::get(path)).await {
            Ok(body) => Ok(resource.with_kind(&String::from_utf8_lossy(&body))),
            Err(error) if error.is_not_found() => Err(self.not_found(resource, name).await),
            Err(error) => Err(self.failed(&error, "get", resource, Some(&self.namespace))),
        }
    }

    /// Says that there is no such object, and which names are like it if we may list them.
    async fn not_found(&self, resource: Resource, name: &str) -> Diagnostic {
        let (kind, namespace) = (resource.kind, &self.namespace);
        let missing =
            Diagnostic::error(format!("there is no {kind} `{name}` in the namespace `{namespace}`"));
        let path = resource.path(Some(namespace));
        let Ok(names) = reflect::list_wanted(&self.api, &path, resource.name, |_| Some(())).await else {
            return missing.help("check the name and the namespace (`-n`)");
        };
        let mut near: Vec<(usize, &str)> =
            names.keys().filter_map(|other| Some((likeness(name, &other.name)?, &*other.name))).collect();
        near.sort();
        let near: Vec<String> = near.iter().take(3).map(|(_, name)| format!("`{name}`")).collect();
        match (near.is_empty(), names.is_empty()) {
            (false, _) => missing.help(format!("did you mean {}?", near.join(" or "))),
            (true, true) => missing.help(format!("there is no {kind} in that namespace; `-n` picks another")),
            (true, false) => missing.help("no name there is like it; `-n` picks another namespace"),
        }
    }

    async fn list(
        &self,
        resource: Resource,
        query: &str,
        wanted: impl Fn(&OutlineMeta) -> bool + Sync + Send,
    ) -> Result<Vec<String>, Diagnostic> {
        let path = format!("{}{query}", resource.path(Some(&self.namespace)));
        let item = |json: &str| {
            let outline = serde_json::from_str::<Outline>(json).unwrap_or_default();
            wanted(&outline.metadata).then(|| resource.with_kind(json))
        };
        let listed = reflect::list_wanted(&self.api, &path, resource.name, item).await;
        let listed = listed.map_err(|error| self.failed(&error, "list", resource, Some(&self.namespace)))?;
        Ok(listed.into_values().collect())
    }

    /// What a call that failed means to somebody who only reads.
    pub(super) fn failed(
        &self,
        error: &ApiError,
        verb: &str,
        resource: Resource,
        namespace: Option<&str>,
    ) -> Diagnostic {
        let (what, server) = (resource.name, &self.server);
        let (place, flag) = match namespace {
            Some(namespace) => (format!(" in the namespace `{namespace}`"), format!(" -n {namespace}")),
            None => (" in all namespaces".to_owned(), " --all-namespaces".to_owned()),
        };
        match error.code {
            0 => Diagnostic::error(format!("cannot {verb} {what} at {server}: {error}"))
                .help("is the API server there? `kubectl cluster-info` asks it with the same kubeconfig"),
            401 => Diagnostic::error(format!("{server} does not accept the credentials: {error}"))
                .help("look at the user of the context in the kubeconfig"),
            403 => Diagnostic::error(format!("not allowed to {verb} {what}{place}: {error}")).help(format!(
                "a Role must allow the verb `{verb}` on the resource `{what}`; `kubectl auth can-i {verb} {what}{flag}` \
                 tells whether one does"
            )),
            code => Diagnostic::error(format!("cannot {verb} {what}{place}: {server} answered {code}: {error}"))
                .help("try again; if it stays so, look at the log of the API server"),
        }
    }
}

/// How far apart two names are, if they are alike: one contains the other, or a third of the letters differs at most.
fn likeness(wanted: &str, other: &str) -> Option<usize> {
    let apart = distance(wanted, other);
    let contained =
        wanted.len() > 2 && (other.contains(wanted) || (other.len() > 2 && wanted.contains(other)));
    (contained || apart * 3 <= wanted.chars().count().max(3)).then_some(apart)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_get_the_kind_that_lists_leave_out() {
        assert_eq!(JOBS.with_kind(r#"{"spec":1}"#), r#"{"kind":"Job","apiVersion":"batch/v1","spec":1}"#);
        assert_eq!(JOBS.with_kind("{}"), r#"{"kind":"Job","apiVersion":"batch/v1"}"#);
        assert_eq!(JOBS.with_kind(r#"{"kind":"Job"}"#), r#"{"kind":"Job"}"#);
    }

    #[test]
    fn names_are_alike_when_a_few_letters_differ() {
        assert_eq!(likeness("import", "imprt"), Some(1));
        assert_eq!(likeness("import", "import-nightly"), Some(8));
        assert_eq!(likeness("pi", "import"), None);
    }
}
