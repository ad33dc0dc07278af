//! What is done in a scenario, and when.

use super::assertion::Check;
use super::duration::Duration;
use super::fault::FaultSpec;
use super::select::{NodeSelector, PodSelector, Target};
use crate::config::ApiConfig;
use crate::typed::typed;
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
        Ok(Action { timing: typed(&timing.into())?, verb: typed(&verb.into())? })
    }
}

/// What is done.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Verb {
    /// Creates objects, or changes those that exist.
    #[serde(deserialize_with = "one_or_several")]
    Apply(Vec<Value>),
    /// Applies a template once for each item.
    Expand(Expansion),
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
    /// A node is deleted from the API.
    DeleteNode(NodeSelector),
    /// A node is shut down in an orderly way.
    ShutdownNode(Drain),
    /// Adds a taint to a node.
    Taint(Tainting),
    /// Takes a taint off a node.
    Untaint(Tainting),
    /// Kills containers.
    Kill(Kill),
    /// Evicts Pods.
    Evict(Eviction),
    /// An image cannot be pulled any more, and nodes have lost it.
    BreakImage(BrokenImage),
    /// An image can be pulled again.
    RepairImage(RepairedImage),
    /// Fills a queue.
    Push(Push),
    /// Changes the limits of the API server.
    Limit(ApiConfig),
    /// Something that goes wrong in the control plane.
    Fault(FaultSpec),
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
        let how: How = typed(&rest.into()).map_err(de::Error::custom)?;
        Ok(Deletion { target, cascade: how.cascade, grace_period: how.grace_period })
    }
}

/// Takes the keys of a [`Target`] out of a mapping; text is a target as a whole.
fn split_target(value: Value) -> Result<(Target, Map<String, Value>), serde_json::Error> {
    match value {
        Value::Object(fields) => {
            let (target, rest): (Map<_, _>, Map<_, _>) =
                fields.into_iter().partition(|(key, _)| Target::KEYS.contains(&key.as_str()));
            Ok((typed(&target.into())?, rest))
        }
        other => Ok((typed(&other)?, Map::new())),
    }
}

/// A patch.
#[derive(Clone, Debug)]
pub struct Patch {
    /// What is patched.
    pub target: Target,
    /// The patch.
    pub patch: Value,
    /// `status`, as `kubectl` has to be told for Pods; the patch itself says what it changes.
    pub subresource: Option<String>,
}

impl<'de> Deserialize<'de> for Patch {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct How {
            patch: Value,
            subresource: Option<String>,
        }
        let (target, rest) = split_target(Value::deserialize(deserializer)?).map_err(de::Error::custom)?;
        let how: How = typed(&rest.into()).map_err(de::Error::custom)?;
        Ok(Patch { target, patch: how.patch, subresource: how.subresource })
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
        let how: How = typed(&rest.into()).map_err(de::Error::custom)?;
        Ok(Labelling { target, set: how.set })
    }
}

/// A drain, as `kubectl drain --ignore-daemonsets`, or a shutdown.
#[derive(Clone, Debug)]
pub struct Drain {
    /// The node.
    pub node: NodeSelector,
    /// The grace period for its Pods.
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
                let full: Full = typed(&full).map_err(de::Error::custom)?;
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
    /// Whether it is for using too much memory.
    #[serde(default)]
    pub oom: bool,
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
    /// The resource that is short.
    #[serde(default = "memory")]
    pub resource: String,
}

fn memory() -> String {
    "memory".into()
}

/// A taint for a node.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tainting {
    /// The node.
    pub node: NodeSelector,
    /// The taint, as `key=value:Effect`.
    pub taint: String,
}

/// A template for many objects.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expansion {
    /// An object in which `$NAME` stands for the item.
    pub template: Value,
    /// The placeholder's name.
    #[serde(default = "item")]
    pub parameter: String,
    /// The items.
    pub items: Option<Vec<String>>,
    /// So many items, in place of a list.
    pub count: Option<u32>,
    /// How much later what the server refuses for its quota is tried again; not at all when unset.
    pub retry: Option<Duration>,
}

fn item() -> String {
    "ITEM".into()
}

impl Expansion {
    /// How many objects it makes.
    pub fn len(&self) -> usize {
        self.items.as_ref().map_or(self.count.unwrap_or(0) as usize, Vec::len)
    }

    /// Whether it makes nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The object of an item.
    pub fn object(&self, place: usize) -> Value {
        let item = match &self.items {
            Some(items) => items.get(place).cloned().unwrap_or_default(),
            None => place.to_string(),
        };
        filled(&self.template, &self.parameter, &item)
    }
}

/// The value with `$NAME` and `${NAME}` replaced in all texts.
fn filled(value: &Value, name: &str, item: &str) -> Value {
    match value {
        Value::String(found) => Value::String(filled_text(found, name, item)),
        Value::Array(items) => items.iter().map(|inner| filled(inner, name, item)).collect(),
        Value::Object(fields) => {
            let field =
                |(key, inner): (&String, &Value)| (filled_text(key, name, item), filled(inner, name, item));
            Value::Object(fields.iter().map(field).collect())
        }
        other => other.clone(),
    }
}

/// `$ITEMS` is another name than `$ITEM`.
fn filled_text(text: &str, name: &str, item: &str) -> String {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let braced = after.strip_prefix('{').and_then(|after| after.strip_prefix(name)?.strip_prefix('}'));
        let plain = after.strip_prefix(name).filter(|after| !after.starts_with(goes_on));
        let filled = braced.or(plain);
        out.push_str(if filled.is_some() { item } else { "$" });
        rest = filled.unwrap_or(after);
    }
    out.push_str(rest);
    out
}

/// An image that cannot be pulled.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokenImage {
    /// The image.
    pub image: String,
    /// Why not.
    #[serde(default = "not_found")]
    pub error: String,
}

fn not_found() -> String {
    "not found".into()
}

/// An image that can be pulled again.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepairedImage {
    /// The image.
    pub image: String,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_whole_names() {
        let filled = |text: &str| filled_text(text, "ITEM", "apple");
        assert_eq!(filled("a-$ITEM-${ITEM} $ITEMS ${ITEMS} $"), "a-apple-apple $ITEMS ${ITEMS} $");
    }
}
