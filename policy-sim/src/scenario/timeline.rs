//! The lives of Pods in a run, for drawing and for asking about Pods that are gone.

use crate::map::List;
use crate::object::{Phase, Pod, State};
use crate::store::{ChangeKind, PodChange};
use policy_core::Timestamp;
use policy_core::spec::OwnerReference;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// What a Pod does at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// It waits for a node, an image or a container.
    Pending,
    /// A container waits to be restarted, or its image to be pulled again.
    BackOff,
    /// Its containers run.
    Running,
    /// It is being deleted.
    Terminating,
    /// It has succeeded.
    Succeeded,
    /// It has failed.
    Failed,
    /// It is gone.
    Gone,
}

impl Stage {
    /// All of them.
    pub const ALL: [Stage; 7] = [
        Stage::Pending,
        Stage::BackOff,
        Stage::Running,
        Stage::Terminating,
        Stage::Succeeded,
        Stage::Failed,
        Stage::Gone,
    ];

    /// Its name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Pending => "pending",
            Stage::BackOff => "backOff",
            Stage::Running => "running",
            Stage::Terminating => "terminating",
            Stage::Succeeded => "succeeded",
            Stage::Failed => "failed",
            Stage::Gone => "gone",
        }
    }
}

/// The life of a Pod.
#[derive(Clone, Debug)]
pub struct PodLife {
    who: Who,
    /// Stages, each with the instant at which it began.
    stages: Box<[(Timestamp, Stage)]>,
    /// When containers were restarted.
    restarts: Box<[Timestamp]>,
}

/// Which Pod it is. One that exists is shared with the store; of one that is gone little is kept.
#[derive(Clone, Debug)]
enum Who {
    There(Arc<Pod>),
    Gone(Box<Gone>),
}

#[derive(Clone, Debug)]
struct Gone {
    name: Arc<str>,
    owners: Arc<[OwnerReference]>,
    index: Option<i64>,
    node: Option<Arc<str>>,
    exit_code: Option<i32>,
}

impl PodLife {
    /// The Pod's name.
    pub fn name(&self) -> &Arc<str> {
        match &self.who {
            Who::There(pod) => &pod.name,
            Who::Gone(gone) => &gone.name,
        }
    }

    /// The name of its Job.
    pub fn job(&self) -> Option<&str> {
        match &self.who {
            Who::There(pod) => job_of(pod),
            Who::Gone(gone) => job_among(&gone.owners),
        }
    }

    /// Its completion index.
    pub fn index(&self) -> Option<i64> {
        match &self.who {
            Who::There(pod) => pod.index,
            Who::Gone(gone) => gone.index,
        }
    }

    /// The node that it was bound to.
    pub fn node(&self) -> Option<&str> {
        match &self.who {
            Who::There(pod) => pod.node.as_deref(),
            Who::Gone(gone) => gone.node.as_deref(),
        }
    }

    /// The exit code of the container that failed it.
    pub fn exit_code(&self) -> Option<i32> {
        match &self.who {
            Who::There(pod) => exit_code(pod),
            Who::Gone(gone) => gone.exit_code,
        }
    }

    /// Stages, each with the instant at which it began.
    pub fn stages(&self) -> &[(Timestamp, Stage)] {
        &self.stages
    }

    /// When containers were restarted.
    pub fn restarts(&self) -> &[Timestamp] {
        &self.restarts
    }

    /// What the Pod did at an instant; `None` before it was there.
    pub fn stage_at(&self, at: Timestamp) -> Option<Stage> {
        let place = self.stages.partition_point(|(since, _)| *since <= at).checked_sub(1)?;
        self.stages.get(place).map(|(_, stage)| *stage)
    }

    /// The Pod itself, while it exists.
    pub fn pod(&self) -> Option<&Pod> {
        match &self.who {
            Who::There(pod) => Some(pod),
            Who::Gone(_) => None,
        }
    }

    /// How long its containers have run up to an instant, those that end in time included.
    pub fn running_nanos(&self, now: Timestamp) -> i64 {
        let ends = self.stages.iter().skip(1).map(|(at, _)| *at).chain([now]);
        let runs = self
            .stages
            .iter()
            .zip(ends)
            .filter(|((_, stage), _)| matches!(stage, Stage::Running | Stage::Terminating));
        runs.map(|((since, _), end)| end.min(now).nanos_since(*since).max(0)).sum()
    }

    /// What the Pod does now.
    pub fn stage(&self) -> Option<Stage> {
        self.stages.last().map(|(_, stage)| *stage)
    }

    fn note(&mut self, change: &PodChange, now: Timestamp) {
        let pod = &change.pod;
        let before = match &self.who {
            Who::There(known) => restarts(known),
            Who::Gone(_) => return,
        };
        if restarts(pod) > before {
            push(&mut self.restarts, now);
        }
        let gone = change.kind == ChangeKind::Deleted;
        let stage = if gone { Stage::Gone } else { stage_of(pod) };
        if self.stage() != Some(stage) {
            push(&mut self.stages, (now, stage));
        }
        self.who = if gone { Who::Gone(Box::new(Gone::from(&**pod))) } else { Who::There(pod.clone()) };
    }
}

impl From<&Pod> for Gone {
    fn from(pod: &Pod) -> Self {
        Gone {
            name: pod.name.clone(),
            owners: pod.owners.clone(),
            index: pod.index,
            node: pod.node.clone(),
            exit_code: exit_code(pod),
        }
    }
}

impl Serialize for PodLife {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut life = serializer.serialize_struct("life", 7)?;
        life.serialize_field("name", &**self.name())?;
        life.serialize_field("job", &self.job())?;
        life.serialize_field("index", &self.index())?;
        life.serialize_field("node", &self.node())?;
        life.serialize_field("stages", self.stages())?;
        life.serialize_field("restarts", self.restarts())?;
        life.serialize_field("exitCode", &self.exit_code())?;
        life.end()
    }
}

/// The name of the Job that controls a Pod.
pub(crate) fn job_of(pod: &Pod) -> Option<&str> {
    job_among(&pod.owners)
}

fn job_among(owners: &[OwnerReference]) -> Option<&str> {
    let owner = owners.iter().find(|owner| owner.controller == Some(true) && owner.kind == "Job");
    owner.map(|owner| owner.name.as_str())
}

/// Lists are short and there are many, so none has room to spare.
fn push<T>(list: &mut Box<[T]>, item: T) {
    let mut longer = std::mem::take(list).into_vec();
    longer.reserve_exact(1);
    longer.push(item);
    *list = longer.into_boxed_slice();
}

fn restarts(pod: &Pod) -> i32 {
    pod.containers.iter().map(|container| container.restarts).sum()
}

/// The lives of all Pods of a run, in the order of their creation.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// By the Pods' places in the store.
    lives: List<Option<PodLife>>,
}

impl Timeline {
    /// The lives, oldest Pod first.
    pub fn lives(&self) -> impl Iterator<Item = &PodLife> {
        self.lives.iter().flatten()
    }

    /// The life of the Pod of that name; the last one's, if there were several.
    pub fn named(&self, name: &str) -> Option<&PodLife> {
        self.lives.iter().rev().flatten().find(|life| &**life.name() == name)
    }

    /// Takes note of changes that happened at `now`.
    pub(crate) fn note(&mut self, changes: Vec<PodChange>, now: Timestamp) {
        for change in changes {
            let new = || PodLife {
                who: Who::There(change.pod.clone()),
                stages: Box::default(),
                restarts: Box::default(),
            };
            let place = change.pod.id.0 as usize;
            self.lives.grow_with(place + 1, || None);
            if let Some(slot) = self.lives.get_mut(place) {
                slot.get_or_insert_with(new).note(&change, now);
            }
        }
    }
}

fn stage_of(pod: &Pod) -> Stage {
    match pod.phase {
        Phase::Succeeded => Stage::Succeeded,
        Phase::Failed => Stage::Failed,
        _ if pod.deletion_timestamp.is_some() => Stage::Terminating,
        _ if backs_off(pod) => Stage::BackOff,
        Phase::Running => Stage::Running,
        _ => Stage::Pending,
    }
}

fn backs_off(pod: &Pod) -> bool {
    pod.containers.iter().any(|container| {
        matches!(container.state, State::Waiting("CrashLoopBackOff" | "ImagePullBackOff" | "ErrImagePull"))
    })
}

fn exit_code(pod: &Pod) -> Option<i32> {
    if pod.phase != Phase::Failed {
        return None;
    }
    let ends = pod.containers.iter().filter_map(|container| match &container.state {
        State::Terminated(ended) => Some(ended.exit_code),
        _ => None,
    });
    ends.max_by_key(|code| *code != 0).filter(|code| *code != 0)
}
