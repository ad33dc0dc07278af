//! The objects of a listing, sorted so that each Job is shown its own and not those of a whole cluster.

use super::event::EventRecord;
use policy_core::spec::{CronJob, Job, ObjectMeta, Pod};
use std::collections::HashMap;

/// What was listed, in any order.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    /// Jobs.
    pub jobs: Vec<Job>,
    /// CronJobs.
    pub cron_jobs: Vec<CronJob>,
    /// Pods.
    pub pods: Vec<Pod>,
    /// Events.
    pub events: Vec<EventRecord>,
}

/// The objects, sorted.
#[derive(Debug)]
pub struct World<'o> {
    pub(super) objects: &'o Objects,
    /// Places of Pods by namespace and the UID of their controller, which is empty for Pods without one.
    pods: HashMap<(&'o str, &'o str), Vec<usize>>,
    pod_names: HashMap<(&'o str, &'o str), usize>,
    /// Jobs by namespace and the UID of their controller.
    jobs: HashMap<(&'o str, &'o str), Vec<&'o Job>>,
    jobs_of_namespace: HashMap<&'o str, Vec<&'o ObjectMeta>>,
    /// Events by namespace and name of the object that they are about.
    events: HashMap<(&'o str, &'o str), Vec<&'o EventRecord>>,
}

fn controller(meta: &ObjectMeta) -> &str {
    meta.controller().map_or("", |owner| owner.uid.as_str())
}

impl<'o> World<'o> {
    /// Sorts the objects.
    pub fn new(objects: &'o Objects) -> Self {
        let mut world = World {
            objects,
            pods: HashMap::new(),
            pod_names: HashMap::new(),
            jobs: HashMap::new(),
            jobs_of_namespace: HashMap::new(),
            events: HashMap::new(),
        };
        for (place, pod) in objects.pods.iter().enumerate() {
            let meta = &pod.metadata;
            world.pods.entry((&meta.namespace, controller(meta))).or_default().push(place);
            world.pod_names.insert((&meta.namespace, &meta.name), place);
        }
        for job in &objects.jobs {
            let meta = &job.metadata;
            world.jobs.entry((&meta.namespace, controller(meta))).or_default().push(job);
            world.jobs_of_namespace.entry(&meta.namespace).or_default().push(meta);
        }
        for event in &objects.events {
            world.events.entry((&event.namespace, &event.name)).or_default().push(event);
        }
        world
    }

    /// The Pods that the Job controls, and those that nobody does, in the order of the listing.
    pub(super) fn pods_of<'a>(&'a self, job: &'a Job) -> Vec<&'a Pod> {
        let meta = &job.metadata;
        let of =
            |uid: &'a str| self.pods.get(&(&*meta.namespace, uid)).map(Vec::as_slice).unwrap_or_default();
        let mut places = [of(&meta.uid), of("")].concat();
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|place| self.objects.pods.get(place)).collect()
    }

    /// Whether a Pod of that name is there.
    pub(super) fn has_pod(&self, namespace: &str, name: &str) -> bool {
        self.pod_names.contains_key(&(namespace, name))
    }

    /// The Jobs that the CronJob controls.
    pub(super) fn jobs_of<'a>(&'a self, cron_job: &'a CronJob) -> &'a [&'a Job] {
        let meta = &cron_job.metadata;
        self.jobs.get(&(&*meta.namespace, &*meta.uid)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Every Job of a namespace.
    pub(super) fn jobs_of_namespace<'a>(&'a self, namespace: &'a str) -> &'a [&'a ObjectMeta] {
        self.jobs_of_namespace.get(namespace).map(Vec::as_slice).unwrap_or_default()
    }

    /// Events about an object of that namespace and name, of any kind.
    pub(super) fn events_of<'a>(&'a self, meta: &'a ObjectMeta) -> &'a [&'a EventRecord] {
        self.events.get(&(&*meta.namespace, &*meta.name)).map(Vec::as_slice).unwrap_or_default()
    }
}
