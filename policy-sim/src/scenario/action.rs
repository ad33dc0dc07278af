//! What is done in a scenario, and when.

use super::assertion::Check;
use super::duration::Duration;
use super::select::{NodeSelector, PodSelector, Target};
use serde::{Deserialize, de};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// An action: a verb with its time.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Action {
    /// When, and how often.
    pub timing: Timing,
    /// What is done.
    pub verb: Verb,
}

/// When something is done.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Timing {
    /// A name, for others' `after` and for variants.
    pub name: Option<String>,
    /// Counted from the start.
    pub at: Option<Duration>,
    /// After the action of that name.
    pub after: Option<String>,
    /// As soon as this holds.
    pub when: Option<Check>,
    /// So much later than `after` or `when` says.
    pub delay: Duration,
    /// Again and again, so far apart.
    pub every: Option<Duration>,
    /// How often in all.
    pub times: Option<u32>,
    /// The message with which the server has to refuse it.
    pub refused: Option<String>,
}

/// The keys of [`Timing`].
const TIMING: &[&str] = &["name", "at", "after", "when", "delay", "every", "times", "refused"];

impl TryFrom<Map<String, Value>> for Action {
    type Error = serde_json::Error;

    fn try_from(fields: Map<String, Value>) -> Result<Self, Self::Error> {
        let (timing, verb): (Map<_, _>, Map<_, _>) =
            fields.into_iter().partition(|(key, _)| TIMING.contains(&key.as_str()));
        Ok(Action {
            timing: serde_json::from_value(timing.into())?,
            verb: serde_json::from_value(verb.into())?,
        })
    }
}

/// What is done.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Verb {
    /// Creates objects, or changes those that exist.
    #[serde(deserialize_with = "one_or_several")]
    Apply(Vec<Value>),
    /// Deletes objects.
    Delete(Deletion),
    /// Patches objects.
    Patch(Patch),
    /// Changes a Job's size.
    Scale(Scale),
    /// Suspends a Job or CronJob.
    Suspend(Target),
    /// Resumes a Job or CronJob.
    Resume(Target),
    /// Labels objects.
    Label(Labelling),
    /// Cordons a node and evicts its Pods.
    Drain(Drain),
    /// Keeps new Pods off a node.
    Cordon(NodeSelector),
    /// Lets new Pods onto a node again.
    Uncordon(NodeSelector),
    /// A node loses power.
    CrashNode(NodeSelector),
    /// A node comes back.
    RecoverNode(NodeSelector),
    /// A node loses its network.
    PartitionNode(NodeSelector),
    /// Kills containers.
    Kill(Kill),
    /// Evicts Pods.
    Evict(Eviction),
    /// Fills a queue.
    Push(Push),
    /// A fault of the control plane.
    Fault(Value),
}

fn one_or_several<'de, D: de::Deserializer<'de>>(deserializer: D) -> Result<Vec<Value>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Array(several) => several,
        one => vec![one],
    })
}

/// What happens to the objects that a deleted one owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cascade {
    /// They are deleted afterwards.
    #[default]
    Background,
    /// They are deleted first.
    Foreground,
    /// They stay.
    Orphan,
}

/// A deletion.
#[derive(Clone, Debug, Default)]
pub struct Deletion {
    /// What is deleted.
    pub target: Target,
    /// What happens to what it owns.
    pub cascade: Cascade,
    /// The grace period, for Pods; the Pod's own when left out.
    pub grace_period: Option<Duration>,
}

impl<'de> Deserialize<'de> for Deletion {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields, default)]
        struct How {
            cascade: Cascade,
            grace_period: Option<Duration>,
        }
        let (target, rest) = split_target(Value::deserialize(deserializer)?).map_err(de::Error::custom)?;
        let how: How = serde_json::from_value(rest.into()).map_err(de::Error::custom)?;
        Ok(Deletion { target, cascade: how.cascade, grace_period: how.grace_period })
    }
}

/// Takes the keys of a [`Target`] out of a mapping; text is a target as a whole.
fn split_target(value: Value) -> Result<(Target, Map<String, Value>), serde_json::Error> {
    match value {
        Value::Object(fields) => {
            let (target, rest): (Map<_, _>, Map<_, _>) =
                fields.into_iter().partition(|(key, _)| Target::KEYS.contains(&key.as_str()));
            Ok((serde_json::from_value(target.into())?, rest))
        }
        other => Ok((serde_json::from_value(other)?, Map::new())),
    }
}

/// How a patch is laid over an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PatchType {
    /// JSON merge patch: lists are replaced.
    Merge,
    /// Lists with a merge key merge by it, as `kubectl patch` does by default.
    #[default]
    Strategic,
}

/// A patch.
#[derive(Clone, Debug)]
pub struct Patch {
    /// What is patched.
    pub target: Target,
    /// The patch.
    pub patch: Value,
    /// `status` or `scale`.
    pub subresource: Option<String>,
    /// How it is laid over the object.
    pub kind: PatchType,
}

impl<'de> Deserialize<'de> for Patch {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct How {
            patch: Value,
            subresource: Option<String>,
            #[serde(default, rename = "type")]
            kind: PatchType,
        }
        let (target, rest) = split_target(Value::deserialize(deserializer)?).map_err(de::Error::custom)?;
        let how: How = serde_json::from_value(rest.into()).map_err(de::Error::custom)?;
        Ok(Patch { target, patch: how.patch, subresource: how.subresource, kind: how.kind })
    }
}

/// A change of a Job's size.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scale {
    /// The Job.
    pub job: String,
    /// The new parallelism.
    pub parallelism: Option<u32>,
    /// The new completions.
    pub completions: Option<u32>,
}

/// Labels to set; `None` takes one away.
#[derive(Clone, Debug)]
pub struct Labelling {
    /// What is labelled.
    pub target: Target,
    /// The labels.
    pub set: BTreeMap<String, Option<String>>,
}

impl<'de> Deserialize<'de> for Labelling {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct How {
            set: BTreeMap<String, Option<String>>,
        }
        let (target, rest) = split_target(Value::deserialize(deserializer)?).map_err(de::Error::custom)?;
        let how: How = serde_json::from_value(rest.into()).map_err(de::Error::custom)?;
        Ok(Labelling { target, set: how.set })
    }
}

/// A drain, as `kubectl drain --ignore-daemonsets`.
#[derive(Clone, Debug)]
pub struct Drain {
    /// The node.
    pub node: NodeSelector,
    /// The grace period for its Pods; their own when left out.
    pub grace_period: Option<Duration>,
}

impl<'de> Deserialize<'de> for Drain {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct Full {
            node: NodeSelector,
            grace_period: Option<Duration>,
        }
        match Value::deserialize(deserializer)? {
            Value::String(name) => Ok(Drain { node: NodeSelector::Name(name), grace_period: None }),
            full => {
                let full: Full = serde_json::from_value(full).map_err(de::Error::custom)?;
                Ok(Drain { node: full.node, grace_period: full.grace_period })
            }
        }
    }
}

/// A kill of a container.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kill {
    /// The Pods.
    pub pod: PodSelector,
    /// The container; the first when left out.
    pub container: Option<String>,
    /// The exit code.
    #[serde(default = "killed")]
    pub exit_code: i32,
}

fn killed() -> i32 {
    137
}

/// An eviction.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Eviction {
    /// The Pods.
    pub pod: PodSelector,
    /// The reason of their condition `DisruptionTarget`.
    #[serde(default = "by_eviction_api")]
    pub reason: String,
}

fn by_eviction_api() -> String {
    "EvictionByEvictionAPI".into()
}

/// Items for a queue.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Push {
    /// The queue, as `host/name`.
    pub queue: String,
    /// The items.
    pub items: Vec<String>,
}
