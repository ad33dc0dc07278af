//! The end of a run as JSON, the same bytes for the same seed.

use crate::World;
use crate::store::Object;
use crate::world::Ending;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

/// What a run has come to. It is written object by object: nothing is held twice.
#[derive(Debug)]
pub struct Report<'w> {
    world: &'w World,
    ending: Ending,
}

impl World {
    /// The report of a run that ended so.
    pub fn report(&self, ending: Ending) -> Report<'_> {
        Report { world: self, ending }
    }
}

impl Ending {
    /// The ending's name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Ending::Finished => "finished",
            Ending::Quiescent => "quiescent",
            Ending::Deadline => "deadline",
        }
    }
}

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.entries(&mut map)?;
        map.end()
    }
}

impl Report<'_> {
    /// Writes the entries of the report into a larger one.
    pub(crate) fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let world = self.world;
        let seconds = world.now().nanos_since(world.config.start) as f64 / 1e9;
        let store = &world.store;
        let jobs = || store.objects().filter(|object| matches!(object, Object::Job(_))).map(Object::to_json);
        let cron_jobs =
            || store.objects().filter(|object| matches!(object, Object::CronJob(_))).map(Object::to_json);
        let deleted = || store.deleted_jobs.iter().map(|job| Object::Job(job.clone()).to_json());
        map.serialize_entry("outcome", self.ending.as_str())?;
        map.serialize_entry("virtualSeconds", &seconds)?;
        map.serialize_entry("jobs", &List(jobs))?;
        map.serialize_entry("cronJobs", &List(cron_jobs))?;
        map.serialize_entry("pods", &List(|| store.pods().map(crate::object::Pod::to_json)))?;
        map.serialize_entry("deletedJobs", &List(deleted))?;
        map.serialize_entry("events", &List(|| world.record.events.iter()))?;
        map.serialize_entry("logs", &Logs(world))?;
        map.serialize_entry("decisions", &List(|| world.record.decisions.iter().map(|decision| &**decision)))
    }
}

/// A list whose items are made when they are written.
struct List<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for List<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for item in (self.0)() {
            list.serialize_element(&item)?;
        }
        list.end()
    }
}

struct Logs<'w>(&'w World);

impl Serialize for Logs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let logs = self.0.record.logs.iter();
        serializer.collect_map(logs.map(|(pod, lines)| (&**pod, &**lines)))
    }
}
