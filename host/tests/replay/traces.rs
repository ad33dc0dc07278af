//! Recorded streams as values that tests can change.

use flate2::read::GzDecoder;
use jobpolicy::replay::{Recording, Report, replay};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

pub(crate) fn directory(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "tests", "traces", name].iter().collect()
}

/// Watch events by stream.
#[derive(Clone)]
pub(crate) struct Trace(BTreeMap<&'static str, Vec<Value>>);

impl Trace {
    pub(crate) fn read(name: &str) -> Self {
        let mut streams = BTreeMap::new();
        for stream in ["cronjobs", "events", "jobs", "nodes", "pods"] {
            let Ok(file) = File::open(directory(name).join(format!("{stream}.ndjson.gz"))) else { continue };
            let mut text = String::new();
            GzDecoder::new(file).read_to_string(&mut text).unwrap();
            let events = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            streams.insert(stream, events);
        }
        Trace(streams)
    }

    /// Leaves out everything but the Jobs of this name, their Pods and their events.
    pub(crate) fn only(mut self, job: &str) -> Self {
        let name =
            |event: &Value| event["object"]["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let owner = |event: &Value| {
            let owners = &event["object"]["metadata"]["ownerReferences"];
            owners[0]["name"].as_str().unwrap_or_default().to_owned()
        };
        self.stream("jobs").retain(|event| name(event) == job);
        self.stream("pods").retain(|event| owner(event) == job);
        self.stream("events").retain(|event| event["object"]["regarding"]["name"] == job);
        self.0.retain(|stream, _| !matches!(*stream, "cronjobs" | "nodes"));
        self
    }

    pub(crate) fn stream(&mut self, stream: &'static str) -> &mut Vec<Value> {
        self.0.entry(stream).or_default()
    }

    pub(crate) fn names(&self, stream: &str) -> Vec<String> {
        let events = self.0.get(stream).into_iter().flatten();
        let mut names: Vec<String> =
            events.map(|event| event["object"]["metadata"]["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The place of the event with this resource version.
    pub(crate) fn place(&mut self, stream: &'static str, version: &str) -> usize {
        let is_it = |event: &Value| event["object"]["metadata"]["resourceVersion"] == version;
        self.stream(stream).iter().position(is_it).unwrap()
    }

    /// Changes the object with this resource version.
    pub(crate) fn edit(&mut self, stream: &'static str, version: &str, change: impl FnOnce(&mut Value)) {
        let place = self.place(stream, version);
        change(&mut self.stream(stream)[place]["object"]);
    }

    /// Adds a version after that with this resource version, one higher.
    pub(crate) fn insert_after(
        &mut self,
        stream: &'static str,
        version: &str,
        change: impl FnOnce(&mut Value),
    ) {
        let place = self.place(stream, version);
        let mut event = self.stream(stream)[place].clone();
        event["type"] = json!("MODIFIED");
        change(&mut event["object"]);
        let next = version.parse::<u64>().unwrap() + 1;
        event["object"]["metadata"]["resourceVersion"] = json!(next.to_string());
        self.stream(stream).insert(place + 1, event);
    }

    pub(crate) fn replay(&self) -> Report {
        let text = |events: &Vec<Value>| events.iter().map(|event| format!("{event}\n")).collect::<String>();
        let streams: Vec<(&str, String)> =
            self.0.iter().map(|(name, events)| (*name, text(events))).collect();
        let streams = streams.iter().map(|(name, text)| (*name, &**text));
        replay(&Recording::from_streams(streams).unwrap(), |_, _| {})
    }
}
