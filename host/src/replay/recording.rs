//! A recording: versions of objects in the order in which the server made them.

use super::authors::Authors;
use super::clock::{Clock, exact_time};
use super::read::EventType;
use policy_core::Timestamp;
use policy_core::spec::{CronJob, Job, JobStatus, ObjectMeta, Pod};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Recorded watch streams, read with [`Recording::read`] and lined up with [`replay`](super::replay).
#[derive(Debug, Default)]
pub struct Recording {
    /// In order of resource version.
    pub(super) versions: Vec<Version>,
    /// Up to this resource version streams may begin with objects as they were found: what happened before is unknown.
    pub(super) found_until: u64,
    pub(super) clock: Clock,
    /// The manager whose writes are the controllers'.
    pub(super) manager: Option<String>,
}

/// One watch event.
#[derive(Debug)]
pub(super) struct Version {
    pub(super) event: EventType,
    pub(super) resource_version: u64,
    pub(super) uid: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) object: Object,
    pub(super) authors: Authors,
    /// When the server took the write, where the version tells.
    pub(super) time: Option<Timestamp>,
    /// The version of the same object before this one, by place in the recording.
    pub(super) before: Option<usize>,
    /// The object as sent, where its creation was recorded.
    pub(super) created: Option<Value>,
}

/// The part of an object that is looked at.
#[derive(Debug)]
pub(super) enum Object {
    Job(Box<Job>),
    Pod(Box<Pod>),
    CronJob(Box<CronJob>),
    Event(Box<Published>),
    /// Any other: it only tells the time.
    Other,
}

/// An event that a controller has published.
#[derive(Clone, Debug, Default)]
pub(super) struct Published {
    pub(super) regarding: String,
    pub(super) regarding_name: String,
    pub(super) component: String,
    pub(super) kind: String,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) count: i64,
    pub(super) time: Option<Timestamp>,
}

impl Version {
    /// How messages name the object.
    pub(super) fn full_name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    pub(super) fn job(&self) -> Option<&Job> {
        if let Object::Job(job) = &self.object { Some(job) } else { None }
    }

    pub(super) fn pod(&self) -> Option<&Pod> {
        if let Object::Pod(pod) = &self.object { Some(pod) } else { None }
    }

    pub(super) fn cron_job(&self) -> Option<&CronJob> {
        if let Object::CronJob(cron_job) = &self.object { Some(cron_job) } else { None }
    }

    pub(super) fn published(&self) -> Option<&Published> {
        if let Object::Event(published) = &self.object { Some(published) } else { None }
    }

    /// The metadata of what is decided about.
    pub(super) fn metadata(&self) -> Option<&ObjectMeta> {
        match &self.object {
            Object::Job(job) => Some(&job.metadata),
            Object::Pod(pod) => Some(&pod.metadata),
            Object::CronJob(cron_job) => Some(&cron_job.metadata),
            Object::Event(_) | Object::Other => None,
        }
    }

    pub(super) fn is_deleted(&self) -> bool {
        self.event == EventType::Deleted
    }
}

impl Recording {
    /// Whether there is anything to line up.
    pub(super) fn has_jobs(&self) -> bool {
        self.versions.iter().any(|version| version.job().is_some() || version.cron_job().is_some())
    }

    /// Whether any version tells who wrote it.
    pub(super) fn tells_authors(&self) -> bool {
        self.versions.iter().any(|version| version.authors.latest.is_some())
    }

    /// The manager whose writes are taken for the controllers': the one that wrote the status of Jobs most often,
    /// leaving aside Jobs that are managed elsewhere. `None` when nobody did.
    pub fn manager(&self) -> Option<&str> {
        self.manager.as_deref()
    }

    /// Everybody who wrote the status of Jobs that are not managed elsewhere.
    pub fn status_writers(&self) -> Vec<&str> {
        status_writers(&self.versions).into_keys().collect()
    }

    /// Takes the writes of another manager for the controllers'.
    pub fn set_manager(&mut self, manager: &str) {
        self.manager = Some(manager.to_owned());
    }

    /// The version of the same object before this one.
    pub(super) fn before(&self, version: &Version) -> Option<&Version> {
        version.before.and_then(|place| self.versions.get(place))
    }
}

/// An object that is not of the expected form: the place in its text, if known, and why.
#[derive(Debug)]
pub(super) struct ObjectError {
    pub(super) place: (usize, usize),
    pub(super) message: String,
}

impl ObjectError {
    fn new(expected: &str, error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let why = text.rsplit_once(" at line ").map_or(text.as_str(), |(why, _)| why);
        ObjectError { place: (error.line(), error.column()), message: format!("expected {expected}: {why}") }
    }
}

/// Collects streams into a recording.
#[derive(Default)]
pub(super) struct Builder {
    versions: Vec<Version>,
    /// The newest version of each object, to see what the next one changed.
    latest: HashMap<String, Value>,
    found_until: u64,
    /// The highest resource version of the stream so far.
    highest: u64,
}

impl Builder {
    /// Adds the next event of a stream.
    pub(super) fn push(&mut self, event: EventType, text: &str) -> Result<(), ObjectError> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| ObjectError::new("an object", &error))?;
        let text_at = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let resource_version = text_at("/metadata/resourceVersion").parse::<u64>();
        let (Ok(resource_version), uid @ [_, ..]) = (resource_version, text_at("/metadata/uid").as_bytes())
        else {
            let message = "expected metadata.uid and a numeric metadata.resourceVersion".into();
            return Err(ObjectError { place: (1, 1), message });
        };
        let uid = String::from_utf8_lossy(uid).into_owned();
        // Events come in order; what comes out of order was found when the watch began.
        if resource_version < self.highest {
            self.found_until = self.found_until.max(self.highest);
        }
        self.highest = self.highest.max(resource_version);
        let before = self.latest.get(&uid);
        let version = Version {
            event,
            resource_version,
            namespace: text_at("/metadata/namespace").into(),
            name: text_at("/metadata/name").into(),
            object: Object::read(text_at("/kind"), text, &value)?,
            authors: Authors::of(before, &value),
            time: None,
            before: None,
            created: (event == EventType::Added && before.is_none()).then(|| value.clone()),
            uid: uid.clone(),
        };
        self.versions.push(version);
        if event == EventType::Deleted {
            self.latest.remove(&uid);
        } else {
            self.latest.insert(uid, value);
        }
        Ok(())
    }

    /// Takes in a bookmark. One that ends a list says that everything before it was found, not seen to happen
    /// (upstream `InitialEventsAnnotationKey`).
    pub(super) fn bookmark(&mut self, text: &str) {
        // Bookmarks of other forms say nothing that matters here.
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let ends_list = value
            .pointer("/metadata/annotations/k8s.io~1initial-events-end")
            .is_some_and(|end| end == "true");
        let version = value.pointer("/metadata/resourceVersion").and_then(Value::as_str);
        if let Some(version) = version.filter(|_| ends_list).and_then(|version| version.parse().ok()) {
            self.found_until = self.found_until.max(version);
        }
    }

    /// Ends a stream.
    pub(super) fn end_stream(&mut self) {
        self.highest = 0;
    }

    /// Puts the streams together.
    pub(super) fn finish(self) -> Recording {
        let Builder { mut versions, found_until, .. } = self;
        versions.sort_by_key(|version| version.resource_version);
        link(&mut versions, found_until);
        let clock = Clock::of(&versions);
        let writers = status_writers(&versions).into_iter();
        let manager = writers.max_by_key(|(_, writes)| *writes).map(|(manager, _)| manager.to_owned());
        Recording { versions, found_until, clock, manager }
    }
}

impl Object {
    fn read(kind: &str, text: &str, value: &Value) -> Result<Self, ObjectError> {
        fn typed<'t, T: Deserialize<'t>>(expected: &str, text: &'t str) -> Result<Box<T>, ObjectError> {
            serde_json::from_str(text).map(Box::new).map_err(|error| ObjectError::new(expected, &error))
        }
        Ok(match kind {
            "Job" => Object::Job(typed("a Job", text)?),
            "Pod" => Object::Pod(typed("a Pod", text)?),
            "CronJob" => Object::CronJob(typed("a CronJob", text)?),
            "Event" => Object::Event(Box::new(Published::of(value))),
            _ => Object::Other,
        })
    }
}

impl Published {
    /// Reads an event of either API, `v1` or `events.k8s.io/v1`.
    fn of(value: &Value) -> Self {
        let text = |pointers: &[&str]| {
            let mut found = pointers.iter().filter_map(|pointer| value.pointer(pointer)?.as_str());
            found.find(|text| !text.is_empty()).unwrap_or_default().to_owned()
        };
        let counts = ["/series/count", "/count", "/deprecatedCount"];
        let count = counts.iter().find_map(|pointer| value.pointer(pointer)?.as_i64());
        let times = ["/series/lastObservedTime", "/lastTimestamp", "/deprecatedLastTimestamp", "/eventTime"];
        Published {
            regarding: text(&["/regarding/uid", "/involvedObject/uid"]),
            regarding_name: text(&["/regarding/name", "/involvedObject/name"]),
            component: text(&[
                "/reportingController",
                "/reportingComponent",
                "/deprecatedSource/component",
                "/source/component",
            ]),
            kind: text(&["/type"]),
            reason: text(&["/reason"]),
            message: text(&["/note", "/message"]),
            count: count.unwrap_or(1),
            time: Timestamp::parse(&text(&times)).ok(),
        }
    }
}

/// Fills in what a version says only beside the one before it.
fn link(versions: &mut [Version], found_until: u64) {
    let mut latest: HashMap<String, usize> = HashMap::new();
    for place in 0..versions.len() {
        let (earlier, rest) = versions.split_at_mut(place);
        let Some(version) = rest.first_mut() else { return };
        version.before = latest.insert(version.uid.clone(), place);
        let found = version.resource_version <= found_until;
        if found || !matches!(version.object, Object::Job(_) | Object::Pod(_)) {
            version.created = None;
        }
        if !found {
            version.time = exact_time(version, version.before.and_then(|place| earlier.get(place)));
        }
    }
}

/// How often each manager wrote the status of Jobs, those that are managed elsewhere left aside.
fn status_writers(versions: &[Version]) -> BTreeMap<&str, usize> {
    let mut writes: BTreeMap<&str, usize> = BTreeMap::new();
    for version in versions {
        let Some(job) = version.job().filter(|job| job.spec.managed_by.is_none()) else { continue };
        if job.status != JobStatus::default() {
            version.authors.setters("status").for_each(|manager| *writes.entry(manager).or_default() += 1);
        }
    }
    writes
}
