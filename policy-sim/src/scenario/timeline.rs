//! The lives of Pods in a run, for drawing and for asking about Pods that are gone.

use crate::object::{Phase, Pod, PodId, State};
use crate::store::{ChangeKind, PodChange};
use policy_core::Timestamp;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
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
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodLife {
    /// Its place in the store.
    #[serde(skip)]
    pub id: PodId,
    /// Its name.
    #[serde(serialize_with = "as_text")]
    pub name: Arc<str>,
    /// The name of its Job.
    pub job: Option<String>,
    /// Its completion index.
    pub index: Option<i64>,
    /// The node that it was bound to.
    #[serde(serialize_with = "as_text_or_nothing")]
    pub node: Option<Arc<str>>,
    /// Stages, each with the instant at which it began.
    pub stages: Vec<(Timestamp, Stage)>,
    /// When containers were restarted.
    pub restarts: Vec<Timestamp>,
    /// The exit code of the container that failed it.
    pub exit_code: Option<i32>,
}

fn as_text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

fn as_text_or_nothing<S: Serializer>(text: &Option<Arc<str>>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_deref().serialize(serializer)
}

impl PodLife {
    fn of(pod: &Pod) -> Self {
        PodLife {
            id: pod.id,
            name: pod.name.clone(),
            job: job_of(pod).map(str::to_owned),
            index: pod.index,
            node: None,
            stages: Vec::new(),
            restarts: Vec::new(),
            exit_code: None,
        }
    }

    /// What the Pod did at an instant; `None` before it was there.
    pub fn stage_at(&self, at: Timestamp) -> Option<Stage> {
        let place = self.stages.partition_point(|(since, _)| *since <= at).checked_sub(1)?;
        self.stages.get(place).map(|(_, stage)| *stage)
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
}

/// The name of the Job that controls a Pod.
pub(crate) fn job_of(pod: &Pod) -> Option<&str> {
    let owner = pod.owners.iter().find(|owner| owner.controller == Some(true) && owner.kind == "Job");
    owner.map(|owner| owner.name.as_str())
}

/// A life, and the restarts that it has been told of.
#[derive(Clone, Debug)]
struct Told {
    life: PodLife,
    restarts: i32,
}

/// The lives of all Pods of a run, in the order of their creation.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    lives: BTreeMap<PodId, Arc<Told>>,
}

impl Timeline {
    /// The lives, oldest Pod first.
    pub fn lives(&self) -> impl Iterator<Item = &PodLife> {
        self.lives.values().map(|told| &told.life)
    }

    /// The life of the Pod of that name; the last one's, if there were several.
    pub fn named(&self, name: &str) -> Option<&PodLife> {
        self.lives.values().rev().map(|told| &told.life).find(|life| &*life.name == name)
    }

    /// Takes note of changes that happened at `now`.
    pub(crate) fn note(&mut self, changes: Vec<PodChange>, now: Timestamp) {
        for change in changes {
            let pod = &change.pod;
            let told = self
                .lives
                .entry(pod.id)
                .or_insert_with(|| Arc::new(Told { life: PodLife::of(pod), restarts: 0 }));
            let Told { life, restarts } = Arc::make_mut(told);
            life.node = pod.node.clone().or(life.node.take());
            let stage = if change.kind == ChangeKind::Deleted { Stage::Gone } else { stage_of(pod) };
            if life.stage() != Some(stage) {
                life.stages.push((now, stage));
            }
            let count: i32 = pod.containers.iter().map(|container| container.restarts).sum();
            if count > *restarts {
                *restarts = count;
                life.restarts.push(now);
            }
            if life.exit_code.is_none() && pod.phase == Phase::Failed {
                life.exit_code = exit_code(pod);
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
    let ends = pod.containers.iter().filter_map(|container| match &container.state {
        State::Terminated(ended) => Some(ended.exit_code),
        _ => None,
    });
    ends.max_by_key(|code| *code != 0).filter(|code| *code != 0)
}
