//! Ways to name objects whose names are not known beforehand.

use crate::typed::typed;
use serde::{Deserialize, de};
use serde_json::Value;
use std::collections::BTreeMap;

/// Selects Pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PodSelector {
    /// The name; `*` stands for anything.
    pub name: Option<String>,
    /// The name of the Job; `*` stands for anything.
    pub job: Option<String>,
    /// The completion index.
    pub index: Option<i64>,
    /// The how-manieth of those selected, from 1, oldest first.
    pub nth: Option<usize>,
    /// The phase.
    pub phase: Option<String>,
    /// Neither ended nor being deleted.
    pub active: Option<bool>,
    /// The node; empty for none.
    pub node: Option<String>,
    /// Labels that it has.
    pub labels: BTreeMap<String, String>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeSelector {
    /// By name.
    Name(String),
    /// The node of the first Pod selected.
    OfPod(PodSelector),
}

impl<'de> Deserialize<'de> for NodeSelector {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct OfPod {
            of_pod: PodSelector,
        }
        match Value::deserialize(deserializer)? {
            Value::String(name) => Ok(NodeSelector::Name(name)),
            other => {
                let found: OfPod = typed(&other).map_err(de::Error::custom)?;
                Ok(NodeSelector::OfPod(found.of_pod))
            }
        }
    }
}

/// Objects that something is done to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The kind, such as `Job`; empty when `pod` selects.
    pub kind: String,
    /// The name; all objects with the labels when left out.
    pub name: Option<String>,
    /// Labels that they have.
    pub labels: BTreeMap<String, String>,
    /// Pods, in place of the above.
    pub pod: Option<PodSelector>,
}

impl Target {
    /// The keys of a target that is a mapping.
    pub(crate) const KEYS: &[&str] = &["kind", "name", "labels", "pod"];

    /// The words of `kubectl` for a kind.
    pub(crate) const KINDS: &[(&str, &[&str])] = &[
        ("Job", &["job", "jobs", "job.batch"]),
        ("CronJob", &["cronjob", "cronjobs", "cj", "cronjob.batch"]),
        ("Pod", &["pod", "pods", "po"]),
        ("Service", &["service", "services", "svc"]),
        ("ConfigMap", &["configmap", "configmaps", "cm"]),
        ("Secret", &["secret", "secrets"]),
        ("Node", &["node", "nodes", "no"]),
    ];

    /// Reads `kind/name`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (kind, name) = text.split_once('/').ok_or_else(|| format!("`{text}` is not like `job/NAME`"))?;
        let known = Self::KINDS.iter().find(|(_, words)| words.contains(&kind.to_lowercase().as_str()));
        let (kind, _) = known.ok_or_else(|| format!("`{kind}` is not a kind of object known here"))?;
        Ok(Target { kind: (*kind).to_owned(), name: Some(name.to_owned()), ..Target::default() })
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct Full {
            kind: String,
            name: Option<String>,
            labels: BTreeMap<String, String>,
            pod: Option<PodSelector>,
        }
        match Value::deserialize(deserializer)? {
            Value::String(text) => Target::parse(&text).map_err(de::Error::custom),
            full => {
                let Full { kind, name, labels, pod } = typed(&full).map_err(de::Error::custom)?;
                Ok(Target { kind, name, labels, pod })
            }
        }
    }
}

/// Whether a text is like a pattern in which `*` stands for anything.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        let cases = [
            ("a*c", "abc", true),
            ("a*", "a", true),
            ("*", "", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*a", "a", false),
            ("abc", "abcd", false),
            ("*b", "ab", true),
            ("pod default/*-0 has", "pod default/x-0 has", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(like(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn targets_are_written_as_for_kubectl() {
        let read =
            |text: &str| Target::parse(text).map(|target| (target.kind, target.name.unwrap_or_default()));
        assert_eq!(read("cj/hello"), Ok(("CronJob".into(), "hello".into())));
        assert_eq!(read("job.batch/pi"), Ok(("Job".into(), "pi".into())));
        assert!(read("deployment/x").unwrap_err().contains("`deployment` is not a kind"));
    }
}
