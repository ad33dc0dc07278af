//! The names that a scenario may refer to.

use crate::config::Config;
use crate::scenario::action::{Expansion, Verb};
use crate::scenario::model::Scenario;
use serde_json::Value;
use std::collections::BTreeSet;

/// What there is in a scenario, or may come into it.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Objects by kind and name.
    objects: BTreeSet<(String, String)>,
    /// Beginnings of names that are completed while the scenario runs.
    job_prefixes: BTreeSet<String>,
    pub(super) containers: BTreeSet<String>,
    pub(super) images: BTreeSet<String>,
    pub(super) nodes: BTreeSet<String>,
    pub(super) queues: BTreeSet<String>,
}

impl Names {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let mut names = Names { queues: scenario.queues.keys().cloned().collect(), ..Names::default() };
        names.nodes = match &scenario.cluster.nodes {
            Some(nodes) => nodes.iter().map(|node| node.name.clone()).collect(),
            None => Config::default().nodes.into_iter().map(|node| node.name).collect(),
        };
        let applied = scenario.actions.iter().flat_map(|action| match &action.verb {
            Verb::Apply(objects) => objects.as_slice(),
            Verb::Patch(patch) => std::slice::from_ref(&patch.patch),
            _ => &[],
        });
        for manifest in scenario.manifests.iter().chain(applied) {
            names.add(manifest);
        }
        for action in &scenario.actions {
            if let Verb::Expand(expansion) = &action.verb {
                // The first and the last stand for all, which may be very many.
                names.add(&expansion.object(0));
                names.add(&expansion.object(expansion.len().saturating_sub(1)));
                names.expanded(expansion);
            }
        }
        names
    }

    /// Jobs of a template, of which there may be thousands, are known by the beginning of their names.
    fn expanded(&mut self, expansion: &Expansion) {
        let name = expansion.template["metadata"]["name"].as_str().unwrap_or_default();
        let stem = name.split('$').next().unwrap_or_default();
        if expansion.template["kind"] == "Job" && !stem.is_empty() {
            self.job_prefixes.insert(stem.to_owned());
        }
    }

    fn add(&mut self, manifest: &Value) {
        let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let kind = text("/kind").unwrap_or_default();
        match (text("/metadata/name"), text("/metadata/generateName")) {
            (Some(name), _) => {
                if kind == "CronJob" {
                    self.job_prefixes.insert(format!("{name}-"));
                }
                self.objects.insert((kind, name));
            }
            (None, Some(prefix)) if kind == "Job" => drop(self.job_prefixes.insert(prefix)),
            _ => {}
        }
        self.add_containers(manifest);
    }

    /// Containers stand at different depths in Pods, Jobs and CronJobs.
    fn add_containers(&mut self, value: &Value) {
        let Some(fields) = value.as_object() else { return };
        for (key, inner) in fields {
            if key != "containers" && key != "initContainers" {
                self.add_containers(inner);
                continue;
            }
            for container in inner.as_array().into_iter().flatten() {
                let text = |key: &str| container[key].as_str().map(str::to_owned);
                self.containers.extend(text("name"));
                self.images.extend(text("image"));
            }
        }
    }

    /// The names of the objects of a kind.
    pub(super) fn objects_of(&self, kind: &str) -> Vec<&str> {
        self.objects.iter().filter(|(known, _)| known == kind).map(|(_, name)| name.as_str()).collect()
    }

    /// Whether there may be a Job whose name is like this.
    pub(super) fn has_job(&self, pattern: &str) -> bool {
        let stem = pattern.split('*').next().unwrap_or_default();
        self.objects_of("Job").iter().any(|name| super::fits(pattern, name))
            || self.job_prefixes.iter().any(|prefix| {
                stem.starts_with(prefix.as_str()) || (pattern.contains('*') && prefix.starts_with(stem))
            })
    }
}
