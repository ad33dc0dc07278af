//! The API server: one Job, its Pods, versions, finalizers, and what a watch would send.

use super::ledger::Ledger;
use policy_core::Timestamp;
use policy_core::job::PodRef;
use policy_core::spec::{JOB_TRACKING_FINALIZER, Job, JobStatus, OwnerReference, Pod};
use policy_core::step::CallErrorKind;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A change of a Pod, as a watch sends it.
#[derive(Clone, Debug)]
pub(crate) enum PodChange {
    Set(Pod),
    Gone(Pod),
}

pub(crate) struct Store {
    pub(crate) now: Timestamp,
    version: u64,
    /// `None` once it is deleted.
    pub(crate) job: Option<Job>,
    pub(crate) pods: BTreeMap<String, Pod>,
    pub(crate) job_log: Vec<Option<Job>>,
    pub(crate) pod_log: Vec<PodChange>,
    /// UIDs of Pods that the kubelet, or whoever forces their deletion, has let go.
    released: BTreeSet<String>,
    pub(crate) ledger: Ledger,
    /// Whether to tell what happens.
    pub(crate) verbose: bool,
}

pub(crate) type Answer<T> = Result<T, CallErrorKind>;

pub(crate) fn version_of(version: &str) -> u64 {
    version.parse().unwrap_or(0)
}

impl Store {
    pub(crate) fn new(job: Job, now: Timestamp) -> Self {
        let mut store = Store {
            now,
            version: 0,
            job: None,
            pods: BTreeMap::new(),
            job_log: Vec::new(),
            pod_log: Vec::new(),
            released: BTreeSet::new(),
            ledger: Ledger::default(),
            verbose: false,
        };
        store.put_job(job);
        store
    }

    /// Tells what happens, when a life is lived again to look at it.
    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        if self.verbose {
            println!("{:?} {}", self.now, what());
        }
    }

    fn next_version(&mut self) -> String {
        self.version += 1;
        self.version.to_string()
    }

    fn put_job(&mut self, mut job: Job) {
        job.metadata.resource_version = self.next_version();
        self.tell(|| format!("job {} {:?}", job.metadata.resource_version, job.status));
        self.job_log.push(Some(job.clone()));
        self.job = Some(job);
    }

    /// A change of the Job by a user.
    pub(crate) fn edit_job(&mut self, edit: impl FnOnce(&mut Job)) {
        if let Some(mut job) = self.job.clone() {
            edit(&mut job);
            self.put_job(job);
        }
    }

    /// The Pods of a Job that is being deleted, or gone, are deleted, and the Job goes once none is left (foreground
    /// deletion).
    pub(crate) fn collect_garbage(&mut self) {
        if self.job.as_ref().is_some_and(|job| !job.metadata.is_deleting()) {
            return;
        }
        let owned = self.owned_pods();
        for name in &owned {
            // It was there a line ago.
            let _ = self.delete_pod(name);
        }
        if owned.is_empty() && self.job.take().is_some() {
            self.job_log.push(None);
        }
    }

    /// The names of the Pods that the Job controls.
    pub(crate) fn owned_pods(&self) -> Vec<String> {
        let uid = |pod: &Pod| pod.metadata.controller().map(|owner| owner.uid.clone());
        self.pods.values().filter(|pod| uid(pod).is_some()).map(|pod| pod.metadata.name.clone()).collect()
    }

    /// Writes a status if `version` is the stored one; times lose their fraction on the way.
    pub(crate) fn write_status(&mut self, version: u64, status: &JobStatus) -> Answer<u64> {
        let mut job = self.job.clone().ok_or(CallErrorKind::NotFound)?;
        if version_of(&job.metadata.resource_version) != version {
            return Err(CallErrorKind::Conflict);
        }
        let written: JobStatus = serde_json::from_value(serde_json::to_value(status).unwrap()).unwrap();
        self.ledger.status_written(&job, &written);
        job.status = written;
        self.put_job(job);
        Ok(self.version)
    }

    pub(crate) fn put_pod(&mut self, mut pod: Pod) {
        pod.metadata.resource_version = self.next_version();
        self.ledger.pod_changed(&pod);
        self.tell(|| {
            let (meta, version) = (&pod.metadata, &pod.metadata.resource_version);
            let (deleting, finalizers) = (meta.is_deleting(), &meta.finalizers);
            format!(
                "pod {version} {} {} {} deleting {deleting} {finalizers:?}",
                meta.name, meta.uid, pod.status.phase
            )
        });
        let name = pod.metadata.name.clone();
        if pod.metadata.is_deleting()
            && pod.metadata.finalizers.is_empty()
            && self.released.contains(&pod.metadata.uid)
        {
            self.pods.remove(&name);
            self.pod_log.push(PodChange::Gone(pod));
            return;
        }
        self.pods.insert(name, pod.clone());
        self.pod_log.push(PodChange::Set(pod));
    }

    pub(crate) fn create_pod(&mut self, pod: &Value) -> Answer<String> {
        let mut pod: Pod = serde_json::from_value(pod.clone()).unwrap();
        let serial = self.version + 1;
        pod.metadata.name = format!("{}{serial:05}", pod.metadata.generate_name);
        pod.metadata.uid = format!("uid-{serial}");
        pod.metadata.namespace = "default".into();
        pod.metadata.creation_timestamp = Some(self.now.truncated());
        pod.status.phase = "Pending".into();
        let name = pod.metadata.name.clone();
        self.put_pod(pod);
        Ok(name)
    }

    fn pod(&self, name: &str) -> Answer<Pod> {
        self.pods.get(name).cloned().ok_or(CallErrorKind::NotFound)
    }

    /// A deletion with a grace period; a Pod that never got to a node goes at once.
    pub(crate) fn delete_pod(&mut self, name: &str) -> Answer<()> {
        let mut pod = self.pod(name)?;
        if pod.metadata.is_deleting() {
            return Ok(());
        }
        pod.metadata.deletion_timestamp = Some(self.now.truncated());
        pod.metadata.deletion_grace_period_seconds = Some(0);
        let ended = matches!(pod.status.phase.as_str(), "Succeeded" | "Failed");
        if ended || pod.spec.node_name.is_empty() {
            self.released.insert(pod.metadata.uid.clone());
        }
        self.put_pod(pod);
        Ok(())
    }

    /// The kubelet, or somebody who forces the deletion, lets go of a Pod.
    pub(crate) fn release_to_deletion(&mut self, pod: Pod) {
        self.released.insert(pod.metadata.uid.clone());
        self.put_pod(pod);
    }

    pub(crate) fn remove_finalizer(&mut self, pod: &PodRef) -> Answer<()> {
        let mut stored = self.pod(pod.name())?;
        if !stored.metadata.has_finalizer(JOB_TRACKING_FINALIZER) {
            return Ok(());
        }
        stored.metadata.finalizers.retain(|finalizer| finalizer != JOB_TRACKING_FINALIZER);
        self.put_pod(stored);
        Ok(())
    }

    pub(crate) fn adopt(&mut self, pod: &PodRef, job: &Job) -> Answer<()> {
        let mut stored = self.pod(pod.name())?;
        let owner = OwnerReference::controlled_by("batch/v1", "Job", &job.metadata);
        stored.metadata.owner_references.push(owner);
        if !stored.metadata.has_finalizer(JOB_TRACKING_FINALIZER) {
            stored.metadata.finalizers.push(JOB_TRACKING_FINALIZER.into());
        }
        self.put_pod(stored);
        Ok(())
    }

    pub(crate) fn release(&mut self, pod: &PodRef, job: &Job) -> Answer<()> {
        let mut stored = self.pod(pod.name())?;
        stored.metadata.owner_references.retain(|owner| owner.uid != job.metadata.uid);
        stored.metadata.finalizers.retain(|finalizer| finalizer != JOB_TRACKING_FINALIZER);
        self.put_pod(stored);
        Ok(())
    }
}
