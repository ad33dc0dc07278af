//! One kind of object as a stream of watch events.

use super::super::fetch::{Outline, OutlineMeta, Resource};
use super::super::reflect::Sink;
use super::super::state::Key;
use super::{Shared, lock};
use crate::diagnostic::Diagnostic;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Where all streams end: at one version of the cluster.
#[derive(Debug, Default)]
pub(super) struct Cut(Mutex<Ends>);

#[derive(Debug, Default)]
struct Ends {
    /// The highest version in any stream.
    highest: u64,
    /// Whether it stays the highest.
    closed: bool,
}

impl Cut {
    /// Lets nothing in that is newer than what is in already.
    pub(super) fn at_highest(&self) {
        lock(&self.0).closed = true;
    }

    /// Whether this version may still come in. One that is no number may: nothing can be said of it.
    fn lets_in(&self, version: &str) -> bool {
        let Ok(version) = version.parse::<u64>() else { return true };
        let mut ends = lock(&self.0);
        if ends.closed {
            return version <= ends.highest;
        }
        ends.highest = ends.highest.max(version);
        true
    }
}

/// A stream of one kind of object.
pub(super) struct Stream {
    resource: Resource,
    cut: Arc<Cut>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Lines that are not written yet.
    lines: Vec<u8>,
    count: u64,
    /// UID and version of what is there.
    known: HashMap<Key, (String, String)>,
    /// What a list no longer shows.
    vanished: Vec<Key>,
    notes: Vec<Diagnostic>,
}

impl Stream {
    pub(super) fn new(resource: Resource, cut: Arc<Cut>) -> Self {
        Stream { resource, cut, inner: Mutex::default() }
    }

    pub(super) fn resource(&self) -> Resource {
        self.resource
    }

    /// Takes the lines that have come.
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut lock(&self.inner).lines)
    }

    pub(super) fn count(&self) -> u64 {
        lock(&self.inner).count
    }

    pub(super) fn note(&self, note: Diagnostic) {
        lock(&self.inner).notes.push(note);
    }

    pub(super) fn notes(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut lock(&self.inner).notes)
    }

    fn changed(&self, json: &str) -> Option<Key> {
        let meta = serde_json::from_str::<Outline>(json).unwrap_or_default().metadata;
        let key = Key::new(&meta.namespace, &meta.name);
        let mut inner = lock(&self.inner);
        let event = match inner.known.get(&key) {
            // A list that follows on a watch shows again what has not changed.
            Some((uid, version)) if *uid == meta.uid && *version == meta.resource_version => {
                return Some(key);
            }
            Some((uid, _)) if *uid == meta.uid => "MODIFIED",
            Some(_) => {
                inner.write_gone(self.resource, &key, &meta.resource_version);
                "ADDED"
            }
            None => "ADDED",
        };
        if self.cut.lets_in(&meta.resource_version) {
            inner.write(event, &self.resource.with_kind(json));
            inner.known.insert(key.clone(), (meta.uid, meta.resource_version));
        }
        Some(key)
    }

    fn gone(&self, json: &str) {
        let OutlineMeta { namespace, name, resource_version, .. } =
            serde_json::from_str::<Outline>(json).unwrap_or_default().metadata;
        if self.cut.lets_in(&resource_version) {
            let mut inner = lock(&self.inner);
            inner.known.remove(&Key::new(&namespace, &name));
            inner.write("DELETED", &self.resource.with_kind(json));
        }
    }

    /// Marks the end of a list as the API server does where a watch begins with one.
    fn listed(&self, version: &str) {
        if !self.cut.lets_in(version) {
            return;
        }
        let mut inner = lock(&self.inner);
        for key in std::mem::take(&mut inner.vanished) {
            inner.write_gone(self.resource, &key, version);
        }
        let Resource { kind, api_version, .. } = self.resource;
        let version = serde_json::Value::from(version);
        inner.line(&format!(
            r#"{{"type":"BOOKMARK","object":{{"kind":"{kind}","apiVersion":"{api_version}","metadata":{{"resourceVersion":{version},"annotations":{{"k8s.io/initial-events-end":"true"}}}}}}}}"#
        ));
    }
}

impl Inner {
    fn line(&mut self, line: &str) {
        self.lines.extend_from_slice(line.as_bytes());
        self.lines.push(b'\n');
    }

    fn write(&mut self, event: &str, object: &str) {
        self.line(&format!(r#"{{"type":"{event}","object":{object}}}"#));
        self.count += 1;
    }

    /// Writes that an object went away unseen: all that is left of it is who it was.
    fn write_gone(&mut self, resource: Resource, key: &Key, version: &str) {
        let Some((uid, _)) = self.known.remove(key) else { return };
        let mut metadata = serde_json::json!({"name": &*key.name, "uid": uid, "resourceVersion": version});
        if !key.namespace.is_empty() {
            metadata["namespace"] = (&*key.namespace).into();
        }
        let Resource { kind, api_version, .. } = resource;
        let object = serde_json::json!({"kind": kind, "apiVersion": api_version, "metadata": metadata});
        self.write("DELETED", &object.to_string());
    }
}

impl Sink for Shared {
    fn resource(&self) -> &'static str {
        self.0.resource.name
    }

    fn applied(&self, json: &str) -> Option<Key> {
        self.0.changed(json)
    }

    fn deleted(&self, json: &str) {
        self.0.gone(json);
    }

    fn vanished(&self, key: &Key) {
        lock(&self.0.inner).vanished.push(key.clone());
    }

    fn keys(&self) -> Vec<Key> {
        lock(&self.0.inner).known.keys().cloned().collect()
    }

    fn reached(&self, _: &str) {}

    fn listed(&self, version: &str) {
        self.0.listed(version);
    }
}
