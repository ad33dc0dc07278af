//! What came of a replay.

use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// Kinds of writes, in the order in which they are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The Job controller wrote a Job's status.
    JobStatus,
    /// The Job controller created a Pod.
    PodCreate,
    /// The Job controller deleted a Pod.
    PodDelete,
    /// The Job controller took the tracking finalizer off a Pod.
    FinalizerRemoval,
    /// The Job controller made itself a Pod's controller.
    PodAdopt,
    /// The Job controller gave a Pod up.
    PodRelease,
    /// The CronJob controller wrote a CronJob's status.
    #[serde(rename = "cronjob-status")]
    CronJobStatus,
    /// The CronJob controller created a Job.
    JobCreate,
    /// The CronJob controller deleted a Job.
    JobDelete,
    /// One of the controllers published an event.
    Event,
}

impl Kind {
    /// The name in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::JobStatus => "job-status",
            Kind::PodCreate => "pod-create",
            Kind::PodDelete => "pod-delete",
            Kind::FinalizerRemoval => "finalizer-removal",
            Kind::PodAdopt => "pod-adopt",
            Kind::PodRelease => "pod-release",
            Kind::CronJobStatus => "cronjob-status",
            Kind::JobCreate => "job-create",
            Kind::JobDelete => "job-delete",
            Kind::Event => "event",
        }
    }
}

/// How many there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// All of them.
    pub all: usize,
    /// Those that our decisions explain.
    pub explained: usize,
}

impl Count {
    /// Those that they do not.
    pub fn unexplained(self) -> usize {
        self.all - self.explained
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut count = serializer.serialize_struct("Count", 3)?;
        count.serialize_field("all", &self.all)?;
        count.serialize_field("explained", &self.explained)?;
        count.serialize_field("unexplained", &self.unexplained())?;
        count.end()
    }
}

/// A write that no decision of ours leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unexplained {
    /// What kind of write it is.
    pub kind: Kind,
    /// Namespace and name of the object written.
    pub object: String,
    /// The version that the write made.
    pub resource_version: String,
    /// What we decided instead.
    pub difference: String,
}

/// All writes of the controllers in a recording, and which of them are explained.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Counts by kind; kinds that did not occur are left out.
    pub by_kind: BTreeMap<Kind, Count>,
    /// The writes that are not explained, in the order in which the server took them.
    pub unexplained: Vec<Unexplained>,
}

impl Report {
    /// The counts of all kinds together.
    pub fn total(&self) -> Count {
        self.by_kind.values().fold(Count::default(), |sum, count| Count {
            all: sum.all + count.all,
            explained: sum.explained + count.explained,
        })
    }

    /// Counts a write; `difference` is given if it is not explained.
    pub(super) fn add(
        &mut self,
        kind: Kind,
        object: String,
        resource_version: u64,
        difference: Option<String>,
    ) {
        let count = self.by_kind.entry(kind).or_default();
        count.all += 1;
        match difference {
            None => count.explained += 1,
            Some(difference) => {
                let resource_version = resource_version.to_string();
                self.unexplained.push(Unexplained { kind, object, resource_version, difference });
            }
        }
    }

    /// Puts what is unexplained in the server's order.
    pub(super) fn sort(&mut self) {
        let revision = |write: &Unexplained| write.resource_version.parse::<u64>().unwrap_or(u64::MAX);
        self.unexplained.sort_by(|a, b| revision(a).cmp(&revision(b)).then_with(|| a.kind.cmp(&b.kind)));
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct ByKind<'a>(&'a BTreeMap<Kind, Count>);
        impl Serialize for ByKind<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(Some(self.0.len()))?;
                for (kind, count) in self.0 {
                    map.serialize_entry(kind.as_str(), count)?;
                }
                map.end()
            }
        }
        let total = self.total();
        let mut report = serializer.serialize_struct("Report", 4)?;
        report.serialize_field("all", &total.all)?;
        report.serialize_field("explained", &total.explained)?;
        report.serialize_field("unexplained", &self.unexplained)?;
        report.serialize_field("byKind", &ByKind(&self.by_kind))?;
        report.end()
    }
}
