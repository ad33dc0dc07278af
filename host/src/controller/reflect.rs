//! Lists and watches one kind of object, for as long as the process runs.
//!
//! The first list is consistent: without a resource version it is answered from the newest state, never from a cache
//! that may be behind. Objects are handed on as text, so that only what is read of them is ever kept.

use super::api::{Api, ApiError, Call};
use super::state::Key;
use http_body_util::BodyExt;
use kube::client::Body;
use policy_core::spec::ObjectMeta;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Objects in a page of a list.
const PAGE: u32 = 500;
/// How long a watch may last before the server ends it, and how long it may be silent: bookmarks come every minute.
const WATCH_SECONDS: u32 = 480;
const SILENCE: Duration = Duration::from_secs(120);
/// Waits after failures double between these.
pub(super) const FIRST_DELAY: Duration = Duration::from_millis(500);
pub(super) const LONGEST_DELAY: Duration = Duration::from_secs(15);
/// A line of a watch that is longer than this is none.
const LONGEST_LINE: usize = 64 << 20;

/// What a kind of object is shown to.
pub(super) trait Sink: Send + Sync {
    /// What is listed, such as `jobs`.
    fn resource(&self) -> &'static str;
    /// An object was added or has changed; its key, if it could be read.
    fn applied(&self, json: &str) -> Option<Key>;
    /// An object is gone.
    fn deleted(&self, json: &str);
    /// An object went away unseen.
    fn vanished(&self, key: &Key);
    /// The keys of all objects that are known.
    fn keys(&self) -> Vec<Key>;
    /// How far the watch has come.
    fn reached(&self, version: &str);
    /// A list is complete, and is of this version.
    fn listed(&self, version: &str) {
        self.reached(version);
    }
}

/// Why the state of the cluster cannot be followed now.
pub(super) type Trouble = watch::Sender<Option<String>>;

/// Follows the objects at a path. `synced` becomes true when the first list is complete.
pub(super) async fn follow(
    api: Api,
    path: String,
    sink: impl Sink + 'static,
    synced: watch::Sender<bool>,
    trouble: Trouble,
) {
    let mut delay = FIRST_DELAY;
    loop {
        match list(&api, &path, &sink).await {
            Ok(version) => {
                delay = FIRST_DELAY;
                trouble.send_replace(None);
                synced.send_replace(true);
                watch_from(&api, &path, &sink, version).await;
            }
            Err(error) => {
                let message = explain(&error, "list", sink.resource());
                tracing::warn!("{message}");
                trouble.send_replace(Some(message));
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(LONGEST_DELAY);
            }
        }
    }
}

/// What went wrong, and which right is missing if one is.
fn explain(error: &ApiError, verb: &str, resource: &str) -> String {
    if error.is_forbidden() {
        return format!(
            "not allowed to {verb} {resource}: {error}; the ClusterRole needs `{verb}` on `{resource}`"
        );
    }
    format!("cannot {verb} {resource}: {error}")
}

/// Shows everything that is there; returns the version of the list.
pub(super) async fn list(api: &Api, path: &str, sink: &impl Sink) -> Result<String, ApiError> {
    let mut seen = HashSet::new();
    let mut next = String::new();
    let mut restarts = 0;
    loop {
        // A list that outlives its snapshot starts again, in the end all at once.
        let limit = if restarts < 2 { format!("limit={PAGE}") } else { String::new() };
        let query = if next.is_empty() { limit } else { format!("{limit}&continue={}", escape(&next)) };
        let answer = match api.call_at_once(&Call::get(joined(path, &query))).await {
            Err(error) if error.is_expired() && !next.is_empty() => {
                (next, restarts) = (String::new(), restarts + 1);
                seen.clear();
                continue;
            }
            answer => answer?,
        };
        let page: Page<'_> = serde_json::from_slice(&answer).map_err(ApiError::unanswered)?;
        seen.extend(page.items.iter().flatten().filter_map(|item| sink.applied(item.get())));
        if page.metadata.next.is_empty() {
            for key in sink.keys().iter().filter(|key| !seen.contains(*key)) {
                sink.vanished(key);
            }
            sink.listed(&page.metadata.resource_version);
            return Ok(page.metadata.resource_version);
        }
        next = page.metadata.next;
    }
}

/// What of each object at a path is wanted, by its key, listed once.
pub(super) async fn list_wanted<T: Send>(
    api: &Api,
    path: &str,
    resource: &'static str,
    wanted: impl Fn(&str) -> Option<T> + Send + Sync,
) -> Result<BTreeMap<Key, T>, ApiError> {
    let collector = Collector { resource, wanted, found: Mutex::default() };
    list(api, path, &collector).await?;
    Ok(collector.found.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Keeps what is wanted of listed objects; a list that began again shows an object twice.
struct Collector<T, F> {
    resource: &'static str,
    wanted: F,
    found: Mutex<BTreeMap<Key, T>>,
}

impl<T: Send, F: Fn(&str) -> Option<T> + Send + Sync> Sink for Collector<T, F> {
    fn resource(&self) -> &'static str {
        self.resource
    }

    fn applied(&self, json: &str) -> Option<Key> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Named {
            metadata: ObjectMeta,
        }
        // What is not an object is said by whoever reads what is found.
        let metadata = serde_json::from_str::<Named>(json).unwrap_or_default().metadata;
        let key = Key::new(&metadata.namespace, &metadata.name);
        if let Some(wanted) = (self.wanted)(json) {
            self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), wanted);
        }
        Some(key)
    }

    fn deleted(&self, _: &str) {}

    fn vanished(&self, _: &Key) {}

    fn keys(&self) -> Vec<Key> {
        Vec::new()
    }

    fn reached(&self, _: &str) {}
}

/// Watches until the version is too old to watch from.
async fn watch_from(api: &Api, path: &str, sink: &impl Sink, mut version: String) {
    let mut delay = FIRST_DELAY;
    loop {
        let before = version.clone();
        let ended = watch_once(api, path, sink, &mut version).await;
        if version != before {
            delay = FIRST_DELAY;
        }
        match ended {
            // Whoever cuts watches short must not make this a busy loop.
            Ok(()) => tokio::time::sleep(FIRST_DELAY / 5).await,
            Err(error) if error.is_expired() => {
                tracing::info!(resource = sink.resource(), "the watch is too far behind, listing again");
                return;
            }
            Err(error) => {
                tracing::warn!("{}", explain(&error, "watch", sink.resource()));
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(LONGEST_DELAY);
            }
        }
    }
}

/// Watches until the server or an error ends the watch; `version` tells how far it came.
pub(super) async fn watch_once(
    api: &Api,
    path: &str,
    sink: &impl Sink,
    version: &mut String,
) -> Result<(), ApiError> {
    let query =
        format!("watch=1&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&resourceVersion={version}");
    let body = api.stream(&joined(path, &query)).await?;
    watch(body, sink, version).await
}

/// A path, which may have a query, with more of it.
fn joined(path: &str, query: &str) -> String {
    format!("{path}{}{query}", if path.contains('?') { '&' } else { '?' })
}

/// Takes a watch's events in until it ends.
async fn watch(mut body: Body, sink: &impl Sink, version: &mut String) -> Result<(), ApiError> {
    let mut buffer: Vec<u8> = Vec::new();
    let mut searched = 0;
    loop {
        let silent = |_| ApiError::unanswered(format!("nothing heard for {} s", SILENCE.as_secs()));
        let Some(frame) = tokio::time::timeout(SILENCE, body.frame()).await.map_err(silent)? else {
            return Ok(());
        };
        let Ok(data) = frame.map_err(ApiError::unanswered)?.into_data() else { continue };
        buffer.extend_from_slice(&data);
        let mut start = 0;
        while let Some(length) = memchr::memchr(b'\n', buffer.get(searched..).unwrap_or_default()) {
            let end = searched + length;
            take_in(buffer.get(start..end).unwrap_or_default(), sink, version)?;
            (start, searched) = (end + 1, end + 1);
        }
        buffer.drain(..start);
        searched = buffer.len();
        if buffer.is_empty() && buffer.capacity() > 1 << 20 {
            buffer = Vec::new();
        }
        if buffer.len() > LONGEST_LINE {
            return Err(ApiError::unanswered("an event of the watch is too long"));
        }
    }
}

/// Takes in one event of a watch.
fn take_in(line: &[u8], sink: &impl Sink, version: &mut String) -> Result<(), ApiError> {
    let event: WatchEvent<'_> = serde_json::from_slice(line).map_err(ApiError::unanswered)?;
    let object = event.object.get();
    if event.kind == "ERROR" {
        return Err(ApiError::of_status(object.as_bytes()));
    }
    let meta: Versioned = serde_json::from_str(object).map_err(ApiError::unanswered)?;
    match &*event.kind {
        "ADDED" | "MODIFIED" => drop(sink.applied(object)),
        "DELETED" => sink.deleted(object),
        // A bookmark only says how far the watch has come.
        _ => {}
    }
    *version = meta.metadata.resource_version;
    sink.reached(version);
    Ok(())
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(default)]
    metadata: PageMeta,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PageMeta {
    resource_version: String,
    #[serde(rename = "continue")]
    next: String,
}

#[derive(Deserialize)]
struct WatchEvent<'a> {
    #[serde(rename = "type")]
    kind: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Versioned {
    metadata: PageMeta,
}

/// A token within a query.
pub(super) fn escape(token: &str) -> String {
    let mut escaped = String::with_capacity(token.len());
    for byte in token.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Log(Mutex<Vec<String>>);

    impl Sink for Log {
        fn resource(&self) -> &'static str {
            "jobs"
        }
        fn applied(&self, json: &str) -> Option<Key> {
            self.0.lock().unwrap().push(format!("applied {json}"));
            None
        }
        fn deleted(&self, _: &str) {
            self.0.lock().unwrap().push("deleted".into());
        }
        fn vanished(&self, _: &Key) {}
        fn keys(&self) -> Vec<Key> {
            Vec::new()
        }
        fn reached(&self, version: &str) {
            self.0.lock().unwrap().push(version.into());
        }
    }

    #[tokio::test]
    async fn events_are_taken_in_and_an_error_ends_the_watch() {
        let lines = concat!(
            r#"{"type":"ADDED","object":{"metadata":{"resourceVersion":"3"}}}"#,
            "\n",
            r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"5"}}}"#,
            "\n",
            r#"{"type":"DELETED","object":{"metadata":{"resourceVersion":"6"}}}"#,
            "\n",
            r#"{"type":"ERROR","object":{"code":410,"reason":"Expired","message":"too old"}}"#,
            "\n",
        );
        let (log, mut version) = (Log::default(), "1".to_string());
        let error = watch(Body::from(lines.as_bytes().to_vec()), &log, &mut version).await.unwrap_err();
        assert!(error.is_expired());
        assert_eq!(version, "6");
        let applied = r#"applied {"metadata":{"resourceVersion":"3"}}"#;
        assert_eq!(*log.0.lock().unwrap(), [applied, "3", "5", "deleted", "6"]);
    }

    #[test]
    fn tokens_are_escaped() {
        assert_eq!(escape("a+/=b"), "a%2B%2F%3Db");
    }
}
