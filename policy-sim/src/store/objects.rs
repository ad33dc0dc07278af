//! Objects other than Pods: Jobs and CronJobs as the controllers read them, everything else as it was written.

use super::{ChangeKind, Store};
use policy_core::spec::{CronJob, Job, ObjectMeta};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::fmt;
use std::sync::Arc;

/// The kind of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `batch/v1` Job.
    Job,
    /// `batch/v1` CronJob.
    CronJob,
    /// `v1` Pod.
    Pod,
    /// Any other kind.
    Other(Arc<str>),
}

impl Kind {
    /// The kind of that name, as manifests and `kubectl` write it: `Job`, `jobs`, `cj`.
    pub fn parse(name: &str) -> Kind {
        match name.to_ascii_lowercase().as_str() {
            "job" | "jobs" | "jobs.batch" | "job.batch" => Kind::Job,
            "cronjob" | "cronjobs" | "cj" | "cronjobs.batch" | "cronjob.batch" => Kind::CronJob,
            "pod" | "pods" | "po" => Kind::Pod,
            "service" | "services" | "svc" => Kind::Other("Service".into()),
            "configmap" | "configmaps" | "cm" => Kind::Other("ConfigMap".into()),
            _ => Kind::Other(name.into()),
        }
    }

    /// The kind as manifests write it.
    pub fn as_str(&self) -> &str {
        match self {
            Kind::Job => "Job",
            Kind::CronJob => "CronJob",
            Kind::Pod => "Pod",
            Kind::Other(kind) => kind,
        }
    }

    /// The resource as errors name it.
    pub fn resource(&self) -> String {
        match self {
            Kind::Job => "jobs.batch".into(),
            Kind::CronJob => "cronjobs.batch".into(),
            Kind::Pod => "pods".into(),
            Kind::Other(kind) => format!("{}s", kind.to_ascii_lowercase()),
        }
    }

    /// The kind with its group, as errors about an object's content name it.
    pub(crate) fn with_group(&self) -> String {
        match self {
            Kind::Job | Kind::CronJob => format!("{}.batch", self.as_str()),
            _ => self.as_str().into(),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What names an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectKey {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl ObjectKey {
    /// The key of the object of that kind, namespace and name.
    pub fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        ObjectKey { kind, namespace: namespace.into(), name: name.into() }
    }
}

/// An object that no controller here reads: its metadata, and the rest as it was written.
#[derive(Clone, Debug)]
pub struct Other {
    /// Its kind.
    pub kind: Arc<str>,
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// Everything but the metadata.
    pub body: Map<String, Value>,
}

/// An object other than a Pod.
#[derive(Clone, Debug)]
pub enum Object {
    /// A Job.
    Job(Arc<Job>),
    /// A CronJob.
    CronJob(Arc<CronJob>),
    /// Anything else.
    Other(Arc<Other>),
}

impl Object {
    /// Its metadata.
    pub fn metadata(&self) -> &ObjectMeta {
        match self {
            Object::Job(job) => &job.metadata,
            Object::CronJob(cron_job) => &cron_job.metadata,
            Object::Other(other) => &other.metadata,
        }
    }

    /// Its metadata, to change.
    pub(crate) fn metadata_mut(&mut self) -> &mut ObjectMeta {
        match self {
            Object::Job(job) => &mut Arc::make_mut(job).metadata,
            Object::CronJob(cron_job) => &mut Arc::make_mut(cron_job).metadata,
            Object::Other(other) => &mut Arc::make_mut(other).metadata,
        }
    }

    /// Its key.
    pub fn key(&self) -> ObjectKey {
        let kind = match self {
            Object::Job(_) => Kind::Job,
            Object::CronJob(_) => Kind::CronJob,
            Object::Other(other) => Kind::Other(other.kind.clone()),
        };
        ObjectKey::new(kind, &self.metadata().namespace, &self.metadata().name)
    }

    /// The whole object as the API would show it.
    pub fn to_json(&self) -> Value {
        let written = match self {
            Object::Job(job) => serde_json::to_value(Typed::new("Job", &**job)),
            Object::CronJob(cron_job) => serde_json::to_value(Typed::new("CronJob", &**cron_job)),
            Object::Other(other) => {
                let mut body = other.body.clone();
                body.insert("metadata".into(), json!(other.metadata));
                return Value::Object(body);
            }
        };
        // What was read from JSON can be written as JSON.
        written.unwrap_or_default()
    }

    fn is_unfinished_job(&self) -> bool {
        matches!(self, Object::Job(job) if job.status.finished().is_none())
    }
}

/// A Job or CronJob with its type, as it is written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Typed<'o, T> {
    api_version: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    object: &'o T,
}

impl<'o, T> Typed<'o, T> {
    pub(super) fn new(kind: &'static str, object: &'o T) -> Self {
        Typed { api_version: "batch/v1", kind, object }
    }
}

/// A change of an object other than a Pod.
#[derive(Clone, Debug)]
pub struct ObjectChange {
    /// What happened.
    pub kind: ChangeKind,
    /// The object after it (for a deletion: the last state).
    pub object: Object,
}

impl Store {
    /// An object by its key.
    pub fn object(&self, key: &ObjectKey) -> Option<&Object> {
        self.objects.get(key)
    }

    /// All objects other than Pods, by kind, namespace and name.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.values()
    }

    /// A Job by namespace and name.
    pub fn job(&self, namespace: &str, name: &str) -> Option<&Arc<Job>> {
        match self.objects.get(&ObjectKey::new(Kind::Job, namespace, name))? {
            Object::Job(job) => Some(job),
            _ => None,
        }
    }

    /// A CronJob by namespace and name.
    pub fn cron_job(&self, namespace: &str, name: &str) -> Option<&Arc<CronJob>> {
        match self.objects.get(&ObjectKey::new(Kind::CronJob, namespace, name))? {
            Object::CronJob(cron_job) => Some(cron_job),
            _ => None,
        }
    }

    /// The Jobs that exist, by namespace and name.
    pub fn jobs(&self) -> impl Iterator<Item = &Arc<Job>> {
        self.objects.values().filter_map(|object| match object {
            Object::Job(job) => Some(job),
            _ => None,
        })
    }

    /// The CronJobs that exist, by namespace and name.
    pub fn cron_jobs(&self) -> impl Iterator<Item = &Arc<CronJob>> {
        self.objects.values().filter_map(|object| match object {
            Object::CronJob(cron_job) => Some(cron_job),
            _ => None,
        })
    }

    /// Whether a Job has not finished.
    pub fn has_unfinished_jobs(&self) -> bool {
        self.unfinished_jobs > 0
    }

    /// Whether there is a CronJob.
    pub fn has_cron_jobs(&self) -> bool {
        self.cron_jobs > 0
    }

    /// The object with this UID.
    pub fn object_with_uid(&self, uid: &str) -> Option<&Object> {
        self.objects.get(self.object_uids.get(uid)?)
    }

    /// Writes an object, with a new resource version.
    pub(super) fn put(&mut self, mut object: Object) -> Object {
        let version = self.next_version();
        object.metadata_mut().resource_version = version.to_string();
        let key = object.key();
        self.object_uids.insert(object.metadata().uid.clone(), key.clone());
        let before = self.objects.insert(key, object.clone());
        self.count_objects(before.as_ref(), Some(&object));
        let kind = if before.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
        self.object_changes.push(ObjectChange { kind, object: object.clone() });
        object
    }

    /// Takes an object away.
    pub(super) fn take(&mut self, key: &ObjectKey) {
        let Some(mut object) = self.objects.remove(key) else { return };
        let version = self.next_version();
        object.metadata_mut().resource_version = version.to_string();
        self.object_uids.remove(&object.metadata().uid);
        self.count_objects(Some(&object), None);
        if let Object::Job(job) = &object {
            self.deleted_jobs.push(job.clone());
        }
        self.object_changes.push(ObjectChange { kind: ChangeKind::Deleted, object });
    }

    fn count_objects(&mut self, before: Option<&Object>, after: Option<&Object>) {
        let unfinished = |object: Option<&Object>| usize::from(object.is_some_and(Object::is_unfinished_job));
        let cron = |object: Option<&Object>| usize::from(matches!(object, Some(Object::CronJob(_))));
        self.unfinished_jobs = self.unfinished_jobs + unfinished(after) - unfinished(before);
        self.cron_jobs = self.cron_jobs + cron(after) - cron(before);
    }

    /// The objects other than Pods that name this UID as an owner.
    pub(crate) fn objects_owned_by(&self, uid: &str) -> Vec<ObjectKey> {
        let owned =
            |object: &&Object| object.metadata().owner_references.iter().any(|owner| owner.uid == uid);
        self.objects.values().filter(owned).map(Object::key).collect()
    }
}
