//! `jobpolicy uninstall`: what still needs the controller, and waiting until nothing does.

use super::api::{ApiError, Call};
use super::fetch::{CRON_JOBS, Cluster, JOBS, PODS, Reader, Resource};
use super::reflect::{self, escape};
use super::state::Key;
use super::{Stop, stop_signal};
use crate::diagnostic::Diagnostic;
use policy_core::spec::{JOB_TRACKING_FINALIZER, JobStatus, ObjectMeta};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;
use tokio::time::Instant;

/// How often the cluster is looked at.
const PERIOD: Duration = Duration::from_secs(2);
/// How often in a row the cluster may be out of reach while it is waited for.
const MOST_FAILURES: u32 = 30;
/// The binding of `deploy/base/opt-in.yaml`, and the label that it looks for.
const OPT_IN: &str = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings/jobpolicy-opt-in";
const OPT_IN_LABEL: &str = "jobpolicy.dev/opt-in=true";
const NAMESPACES: Resource = Resource::new("namespaces", "Namespace", "v1", "/api/v1");

/// What is done about Jobs that still need the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    List,
    /// They are waited for.
    Wait,
    /// They are deleted, and waited for.
    Delete,
}

/// What is looked at and what is done.
#[derive(Clone, Debug)]
pub struct Options {
    /// The cluster; without a namespace, all of them.
    pub cluster: Cluster,
    /// The value of `spec.managedBy` that means the controller.
    pub managed_by: String,
    /// What is done.
    pub action: Action,
    /// How long is waited; without it, until the process is asked to end.
    pub timeout: Option<Duration>,
}

/// How far a Job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// It is not finished.
    Unfinished,
    /// It is not finished, and does not become so before it is resumed.
    Suspended,
    /// It is being deleted, and Pods of it keep the tracking finalizer.
    Deleting,
    /// It is finished, and Pods of it keep the tracking finalizer.
    Finished,
}

/// A Job that needs the controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Left {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// How far it is.
    pub standing: Standing,
    /// How many of its Pods have the tracking finalizer, which only the controller takes off.
    pub held_pods: usize,
    #[serde(skip)]
    uid: String,
}

/// What still needs the controller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The value of `spec.managedBy` that was looked for.
    pub managed_by: String,
    /// Jobs, by namespace and name.
    pub jobs: Vec<Left>,
    /// CronJobs whose template names the controller, as `namespace/name`: they go on making such Jobs.
    pub cron_jobs: Vec<String>,
    /// Namespaces that opt in: Jobs that are made there become the controller's.
    pub opted_in_namespaces: Vec<String>,
}

impl Report {
    /// Whether the controller can be taken away without anything hanging or being forgotten.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.jobs.is_empty() && self.cron_jobs.is_empty() && self.opted_in_namespaces.is_empty()
    }
}

/// Who is told how it goes.
pub trait Observer {
    /// How many of the Jobs that were seen are done with.
    fn progress(&self, done: usize, seen: usize);
    /// Something that is worth knowing.
    fn warning(&self, warning: Diagnostic);
}

/// Looks at what needs the controller, and waits as asked; what is left at the end.
///
/// # Errors
/// No cluster, or a missing right.
pub fn uninstall(options: &Options, observer: &dyn Observer) -> Result<Report, Diagnostic> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Diagnostic::error(format!("cannot start the connection: {error}")))?;
    let report = runtime.block_on(run(options, observer));
    runtime.shutdown_background();
    report
}

async fn run(options: &Options, observer: &dyn Observer) -> Result<Report, Diagnostic> {
    let stop = stop_signal()?;
    let reader = options.cluster.connect().await?;
    let mut work = Work { options, reader, observer, seen: BTreeSet::new() };
    let (cron_jobs, opted_in_namespaces) = (work.cron_jobs().await?, work.opted_in().await?);
    let first = work.left(true).await?;
    let jobs = match options.action {
        Action::List => first,
        Action::Wait | Action::Delete => work.finish(first, stop).await?,
    };
    Ok(Report { managed_by: options.managed_by.clone(), jobs, cron_jobs, opted_in_namespaces })
}

/// What a Job says of itself here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Job {
    metadata: ObjectMeta,
    spec: Spec,
    status: JobStatus,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    managed_by: Option<String>,
    suspend: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct CronJob {
    metadata: ObjectMeta,
    spec: CronSpec,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct CronSpec {
    job_template: Template,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Template {
    spec: Spec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Object {
    metadata: ObjectMeta,
}

struct Work<'w> {
    options: &'w Options,
    reader: Reader,
    observer: &'w dyn Observer,
    /// The UIDs of all Jobs that needed the controller at some time.
    seen: BTreeSet<String>,
}

impl Work<'_> {
    fn namespace(&self) -> Option<&str> {
        self.options.cluster.namespace.as_deref()
    }

    /// What of each listed object is wanted, by its key.
    async fn list<T: Send>(
        &self,
        resource: Resource,
        path: &str,
        wanted: impl Fn(&str) -> Option<T> + Send + Sync,
    ) -> Result<BTreeMap<Key, T>, ApiError> {
        reflect::list_wanted(&self.reader.api, path, resource.name, wanted).await
    }

    /// The Jobs of ours that need the controller. Pods are asked for only where they can change the answer, unless
    /// `whole`: then each Job is shown with how many hang on it.
    async fn left(&mut self, whole: bool) -> Result<Vec<Left>, Diagnostic> {
        let left = self.try_left(whole).await;
        let left =
            left.map_err(|(resource, error)| self.reader.failed(&error, "list", resource, self.namespace()))?;
        self.note(&left);
        Ok(left)
    }

    async fn try_left(&self, whole: bool) -> Result<Vec<Left>, (Resource, ApiError)> {
        let ours = |json: &str| {
            let job: Job = serde_json::from_str(json).ok()?;
            let is_ours = job.spec.managed_by.as_deref() == Some(self.options.managed_by.as_str());
            is_ours.then(|| left_of(job))
        };
        let path = JOBS.path(self.namespace());
        let mut jobs: Vec<Left> =
            self.list(JOBS, &path, ours).await.map_err(|error| (JOBS, error))?.into_values().collect();
        let runs = |job: &Left| matches!(job.standing, Standing::Unfinished | Standing::Suspended);
        if whole || !jobs.iter().any(runs) {
            self.count_held(&mut jobs).await.map_err(|error| (PODS, error))?;
        }
        jobs.retain(|job| runs(job) || job.held_pods > 0);
        Ok(jobs)
    }

    async fn count_held(&self, jobs: &mut [Left]) -> Result<(), ApiError> {
        let namespaces: BTreeSet<String> = jobs.iter().map(|job| job.namespace.clone()).collect();
        let mut held: HashMap<String, usize> = HashMap::new();
        for namespace in &namespaces {
            let owners = self.list(PODS, &PODS.path(Some(namespace)), holder).await?;
            for owner in owners.into_values() {
                *held.entry(owner).or_default() += 1;
            }
        }
        for job in jobs {
            job.held_pods = held.get(&job.uid).copied().unwrap_or(0);
        }
        Ok(())
    }

    fn note(&mut self, left: &[Left]) {
        self.seen.extend(left.iter().map(|job| job.uid.clone()));
        self.observer.progress(self.seen.len() - left.len(), self.seen.len());
    }

    /// CronJobs that make Jobs of ours.
    async fn cron_jobs(&self) -> Result<Vec<String>, Diagnostic> {
        let ours = |json: &str| {
            let cron_job: CronJob = serde_json::from_str(json).ok()?;
            let managed_by = cron_job.spec.job_template.spec.managed_by;
            (managed_by.as_deref() == Some(self.options.managed_by.as_str())).then_some(cron_job.metadata)
        };
        let found = self.list(CRON_JOBS, &CRON_JOBS.path(self.namespace()), ours).await;
        match found {
            Ok(found) => Ok(found.into_keys().map(|key| key.to_string()).collect()),
            Err(error) if error.is_forbidden() => {
                let warning = self.reader.failed(&error, "list", CRON_JOBS, self.namespace());
                let help = "CronJobs whose jobTemplate names the controller are not found";
                self.observer.warning(Diagnostic::warning(warning.title).help(help));
                Ok(Vec::new())
            }
            Err(error) => Err(self.reader.failed(&error, "list", CRON_JOBS, self.namespace())),
        }
    }

    /// Namespaces in which new Jobs become ours.
    async fn opted_in(&self) -> Result<Vec<String>, Diagnostic> {
        if self.options.managed_by != super::MANAGED_BY {
            // The manifests name this one only.
            return Ok(Vec::new());
        }
        let opted_in = async {
            match self.reader.api.call(&Call::get(OPT_IN)).await {
                Err(error) if error.is_not_found() => return Ok(Vec::new()),
                answer => answer?,
            };
            let path = format!("{}?labelSelector={}", NAMESPACES.path(None), escape(OPT_IN_LABEL));
            let found = self.list(NAMESPACES, &path, |_| Some(())).await?;
            let names = found.into_keys().map(|key| key.name.to_string());
            Ok(names.filter(|name| self.namespace().is_none_or(|wanted| wanted == name)).collect())
        };
        match opted_in.await {
            Ok(names) => Ok(names),
            Err(error) if ApiError::is_forbidden(&error) => {
                let title = format!("whether namespaces opt in cannot be seen: {error}");
                let help = "Jobs that are made in such namespaces become the controller's";
                self.observer.warning(Diagnostic::warning(title).help(help));
                Ok(Vec::new())
            }
            Err(error) => Err(self.reader.failed(&error, "list", NAMESPACES, None)),
        }
    }

    /// Waits until no Job needs the controller, the time is over, or the process is asked to end; what is left then.
    async fn finish(&mut self, mut left: Vec<Left>, stop: Stop) -> Result<Vec<Left>, Diagnostic> {
        let end = self.options.timeout.map(|timeout| Instant::now() + timeout);
        let mut failures = 0;
        while !left.is_empty() && end.is_none_or(|end| Instant::now() < end) {
            if self.options.action == Action::Delete {
                self.delete(&left).await?;
            }
            tokio::select! {
                () = tokio::time::sleep(PERIOD) => {}
                () = stop.clone().wait() => break,
            }
            match self.try_left(false).await {
                Ok(now) => {
                    (left, failures) = (now, 0);
                    self.note(&left);
                }
                // A server that restarts is no reason to give up what may have taken hours.
                Err((_, error)) if !error.is_forbidden() && failures < MOST_FAILURES => failures += 1,
                Err((resource, error)) => {
                    return Err(self.reader.failed(&error, "list", resource, self.namespace()));
                }
            }
        }
        // The Jobs that are left are shown with what hangs on them.
        if left.is_empty() { Ok(left) } else { self.left(true).await }
    }

    /// Deletes in the foreground: the Job stays until its Pods are gone, and while it is there the controller takes
    /// the finalizer off them. A Job that were gone at once would leave them to nobody.
    async fn delete(&self, jobs: &[Left]) -> Result<(), Diagnostic> {
        for job in jobs {
            if !matches!(job.standing, Standing::Unfinished | Standing::Suspended) {
                continue;
            }
            let options = json!({
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "propagationPolicy": "Foreground",
                "preconditions": {"uid": job.uid},
            });
            let path = format!("{}/{}", JOBS.path(Some(&job.namespace)), escape(&job.name));
            match self.reader.api.call(&Call::delete(path, options.to_string().into_bytes())).await {
                Err(error) if error.is_forbidden() => {
                    return Err(self.reader.failed(&error, "delete", JOBS, Some(&job.namespace)));
                }
                // Gone, another Job of that name, or a server that is busy: the next look shows.
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }
}

/// The Job as it stands; whether Pods hang on it is not known yet.
fn left_of(job: Job) -> Left {
    let standing = match (job.metadata.is_deleting(), job.status.finished(), job.spec.suspend) {
        (true, _, _) => Standing::Deleting,
        (false, Some(_), _) => Standing::Finished,
        (false, None, Some(true)) => Standing::Suspended,
        (false, None, _) => Standing::Unfinished,
    };
    let ObjectMeta { namespace, name, uid, .. } = job.metadata;
    Left { namespace, name, standing, held_pods: 0, uid }
}

/// The UID of the Job that controls a Pod with the tracking finalizer.
fn holder(json: &str) -> Option<String> {
    let metadata = serde_json::from_str::<Object>(json).ok()?.metadata;
    let is_tracked = metadata.finalizers.iter().any(|finalizer| finalizer == JOB_TRACKING_FINALIZER);
    let owner = metadata.controller().filter(|owner| is_tracked && owner.kind == "Job")?;
    Some(owner.uid.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn standing(job: Value) -> Standing {
        left_of(serde_json::from_value(job).unwrap()).standing
    }

    #[test]
    fn a_job_stands_where_the_controller_left_it() {
        let complete = json!({"conditions": [{"type": "Complete", "status": "True"}]});
        assert_eq!(standing(json!({})), Standing::Unfinished);
        assert_eq!(standing(json!({"spec": {"suspend": true}})), Standing::Suspended);
        assert_eq!(standing(json!({"status": complete})), Standing::Finished);
        let deleting = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
        assert_eq!(standing(json!({"metadata": deleting, "status": complete})), Standing::Deleting);
    }

    #[test]
    fn pods_are_held_by_the_finalizer_of_a_job_that_controls_them() {
        let pod = |finalizer: &str, kind: &str| {
            let owner = json!({"kind": kind, "uid": "u", "name": "n", "controller": true});
            json!({"metadata": {"finalizers": [finalizer], "ownerReferences": [owner]}}).to_string()
        };
        assert_eq!(holder(&pod(JOB_TRACKING_FINALIZER, "Job")), Some("u".to_owned()));
        assert_eq!(holder(&pod("other", "Job")), None);
        assert_eq!(holder(&pod(JOB_TRACKING_FINALIZER, "ReplicaSet")), None);
    }
}
