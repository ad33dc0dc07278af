//! Checks what the schema cannot say: that names name something and that times can be.

use super::action::{Action, Verb};
use super::assertion::{Bounds, Check, Moment};
use super::duration::Duration;
use super::manifests;
use super::model::{Scenario, Step};
use super::problem::{FieldPath, Problem};
use super::select::{NodeSelector, PodSelector, Target, like};
use serde_json::Value;
use std::collections::BTreeSet;

mod names;
mod times;

use names::Names;

/// Everything that is wrong with a scenario that the schema has accepted.
pub(super) fn problems(scenario: &Scenario, value: &Value) -> Vec<Problem> {
    let root = FieldPath::default();
    let mut checker = Checker { names: Names::of(scenario), until: scenario.until, problems: Vec::new() };
    checker.names_once(value);
    checker.one_moment_each(value);
    for (index, manifest) in scenario.manifests.iter().enumerate() {
        checker.problems.extend(manifests::problems(manifest, &root.key("manifests").index(index)));
    }
    checker.cluster(scenario, &root.key("cluster"));
    checker.behaviours(scenario, &root.key("behaviours"));
    checker.actions(scenario, &root.key("actions"));
    checker.assertions(scenario, &root.key("assertions"));
    checker.problems
}

struct Checker {
    names: Names,
    until: Duration,
    problems: Vec<Problem>,
}

impl Checker {
    fn report(&mut self, path: &FieldPath, message: impl Into<String>) {
        self.problems.push(Problem::new(path, message));
    }

    /// Names by which variants and others find things are unique.
    fn names_once(&mut self, value: &Value) {
        for list in ["behaviours", "actions", "assertions", "variants"] {
            let mut seen = BTreeSet::new();
            for (index, item) in value[list].as_array().into_iter().flatten().enumerate() {
                let Some(name) = item["name"].as_str() else { continue };
                if !seen.insert(name) || (list == "variants" && name == super::BASE) {
                    let path = FieldPath::default().key(list).index(index).key("name");
                    self.report(&path, format!("the name `{name}` is taken already"));
                }
            }
        }
    }

    fn one_moment_each(&mut self, value: &Value) {
        for (index, item) in value["assertions"].as_array().into_iter().flatten().enumerate() {
            let mut given =
                ["at", "throughout", "never", "first"].into_iter().filter(|key| item.get(key).is_some());
            if let (Some(first), Some(second)) = (given.next(), given.next()) {
                let path = FieldPath::default().key("assertions").index(index).key(second);
                self.report(&path, format!("`{first}` and `{second}` exclude each other"));
            }
        }
    }

    fn cluster(&mut self, scenario: &Scenario, path: &FieldPath) {
        for (index, node) in scenario.cluster.nodes.iter().flatten().enumerate() {
            let path = path.key("nodes").index(index);
            for (key, value) in [("cpu", &node.cpu), ("memory", &node.memory)] {
                if value.as_ref().is_some_and(|value| super::quantity::thousandths(value).is_none()) {
                    self.report(&path.key(key), "expected a quantity like `4`, `500m` or `32Gi`");
                }
            }
            for (taint, text) in node.taints.iter().enumerate() {
                if !text.ends_with(":NoSchedule")
                    && !text.ends_with(":NoExecute")
                    && !text.ends_with(":PreferNoSchedule")
                {
                    let path = path.key("taints").index(taint);
                    self.report(&path, format!("`{text}` is not like `key=value:NoSchedule`"));
                }
            }
        }
        let images: Vec<String> = scenario.cluster.images.keys().cloned().collect();
        for image in images {
            if !self.names.images.contains(&image) {
                let problem = Problem::new(
                    &path.key("images").key(&image),
                    format!("no container uses the image `{image}`"),
                );
                self.problems.push(problem.suggest(&image, self.names.images.iter().map(String::as_str)));
            }
        }
    }

    fn behaviours(&mut self, scenario: &Scenario, path: &FieldPath) {
        for (index, behaviour) in scenario.behaviours.iter().enumerate() {
            let path = path.index(index);
            let matches = path.key("matches");
            if let Some(job) = &behaviour.matches.job {
                self.job(job, &matches.key("job"));
            }
            if let Some(container) = &behaviour.matches.container {
                self.container(container, &matches.key("container"));
            }
            if behaviour.matches.indexes.as_ref().is_some_and(|text| !are_indexes(text)) {
                self.report(&matches.key("indexes"), "expected indexes like `0,2-4`");
            }
            self.script(&behaviour.script, &path.key("script"));
        }
    }

    fn script(&mut self, script: &[Step], path: &FieldPath) {
        for (index, step) in script.iter().enumerate() {
            if let Some((queue, work)) = step.queue() {
                let verb = if matches!(step, Step::Consume { .. }) { "consume" } else { "workList" };
                let path = path.index(index).key(verb);
                self.queue(queue, &path.key("queue"));
                self.script(work, &path.key("work"));
            }
            let ends = matches!(step, Step::Exit(_) | Step::OomKill | Step::Block);
            if ends && index + 1 < script.len() {
                self.report(
                    &path.index(index + 1),
                    "this step is never reached: the one before ends the script",
                );
            }
        }
    }

    fn actions(&mut self, scenario: &Scenario, path: &FieldPath) {
        for (index, action) in scenario.actions.iter().enumerate() {
            let path = path.index(index);
            self.action_time(scenario, index, &path);
            if let Some(check) = &action.timing.when {
                self.check(check, Moment::Throughout, &path.key("when"));
            }
            self.verb(action, &path);
        }
    }

    fn verb(&mut self, action: &Action, path: &FieldPath) {
        match &action.verb {
            Verb::Apply(objects) if action.timing.refused.is_none() => {
                let path = path.key("apply");
                for (index, object) in objects.iter().enumerate() {
                    let path = if objects.len() == 1 { path.clone() } else { path.index(index) };
                    self.problems.extend(manifests::problems(object, &path));
                }
            }
            Verb::Apply(_) | Verb::Limit(_) | Verb::Fault(_) | Verb::BreakImage(_) | Verb::RepairImage(_) => {
            }
            Verb::Expand(expansion) => {
                let path = path.key("expand");
                match (&expansion.items, expansion.count) {
                    (Some(_), Some(_)) => {
                        self.report(&path.key("count"), "`items` and `count` exclude each other")
                    }
                    (None, None) => self.report(&path, "expected `items` or `count`"),
                    _ => {}
                }
                if !expansion.is_empty() {
                    let object = expansion.object(0);
                    self.problems.extend(manifests::problems(&object, &path.key("template")));
                }
            }
            Verb::Delete(delete) => self.target(&delete.target, &path.key("delete")),
            Verb::Patch(patch) => self.target(&patch.target, &path.key("patch")),
            Verb::Label(label) => self.target(&label.target, &path.key("label")),
            Verb::Suspend(target) => self.target(target, &path.key("suspend")),
            Verb::Resume(target) => self.target(target, &path.key("resume")),
            Verb::Scale(scale) => {
                self.job(&scale.job, &path.key("scale").key("job"));
                if scale.parallelism.is_none() && scale.completions.is_none() {
                    self.report(&path.key("scale"), "expected `parallelism`, `completions` or both");
                }
            }
            Verb::Drain(drain) => self.node(&drain.node, &path.key("drain"), true),
            Verb::Cordon(node) => self.node(node, &path.key("cordon"), false),
            Verb::Uncordon(node) => self.node(node, &path.key("uncordon"), false),
            Verb::CrashNode(node) => self.node(node, &path.key("crashNode"), false),
            Verb::RecoverNode(node) => self.node(node, &path.key("recoverNode"), false),
            Verb::DeleteNode(node) => self.node(node, &path.key("deleteNode"), false),
            Verb::ShutdownNode(shutdown) => self.node(&shutdown.node, &path.key("shutdownNode"), true),
            Verb::Taint(taint) => self.node(&taint.node, &path.key("taint"), true),
            Verb::Untaint(taint) => self.node(&taint.node, &path.key("untaint"), true),
            Verb::Kill(kill) => {
                self.pods(&kill.pod, &path.key("kill").key("pod"));
                if let Some(container) = &kill.container {
                    self.container(container, &path.key("kill").key("container"));
                }
            }
            Verb::Evict(evict) => self.pods(&evict.pod, &path.key("evict").key("pod")),
            Verb::Push(push) => self.queue(&push.queue, &path.key("push").key("queue")),
        }
    }

    fn target(&mut self, target: &Target, path: &FieldPath) {
        if let Some(pod) = &target.pod {
            self.pods(pod, &path.key("pod"));
            if !target.kind.is_empty() || target.name.is_some() || !target.labels.is_empty() {
                self.report(&path.key("pod"), "`pod` stands for itself, without `kind`, `name` and `labels`");
            }
            return;
        }
        if target.kind.is_empty() {
            return self.report(path, "expected `kind` with `name` or `labels`, or `pod`");
        }
        match &target.name {
            Some(name) => self.object(&target.kind, name, path),
            None if target.labels.is_empty() => self.report(path, "expected `name` or `labels`"),
            None => {}
        }
    }

    fn object(&mut self, kind: &str, name: &str, path: &FieldPath) {
        match kind {
            "Job" => self.job(name, path),
            "Node" => self.node(&NodeSelector::Name(name.to_owned()), path, false),
            // Pods get their names while the scenario runs.
            "Pod" => {}
            _ => {
                let known = self.names.objects_of(kind);
                if !known.contains(&name) {
                    let problem = Problem::new(path, format!("there is no {kind} `{name}` in this scenario"));
                    self.problems.push(problem.suggest(name, known));
                }
            }
        }
    }

    fn job(&mut self, name: &str, path: &FieldPath) {
        if self.names.has_job(name) {
            return;
        }
        let problem = Problem::new(path, format!("there is no Job `{name}` in this scenario"));
        self.problems.push(problem.suggest(name, self.names.objects_of("Job")));
    }

    fn container(&mut self, name: &str, path: &FieldPath) {
        if !self.names.containers.contains(name) {
            let problem = Problem::new(path, format!("no Pod has a container `{name}`"));
            self.problems.push(problem.suggest(name, self.names.containers.iter().map(String::as_str)));
        }
    }

    fn queue(&mut self, name: &str, path: &FieldPath) {
        if !self.names.queues.contains(name) {
            let problem = Problem::new(path, format!("there is no queue `{name}`"));
            let known = self.names.queues.iter().map(String::as_str);
            self.problems.push(if self.names.queues.is_empty() {
                problem.help("list it under `queues`, as `host/name`")
            } else {
                problem.suggest(name, known)
            });
        }
    }

    fn node(&mut self, node: &NodeSelector, path: &FieldPath, inside: bool) {
        match node {
            NodeSelector::Name(name) if !self.names.nodes.contains(name) => {
                let path = if inside { path.key("node") } else { path.clone() };
                let problem = Problem::new(&path, format!("there is no node `{name}`"));
                self.problems.push(problem.suggest(name, self.names.nodes.iter().map(String::as_str)));
            }
            NodeSelector::Name(_) => {}
            NodeSelector::OfPod(pod) => {
                let path = if inside { path.key("node") } else { path.clone() };
                self.pods(pod, &path.key("ofPod"));
            }
        }
    }

    fn pods(&mut self, pods: &PodSelector, path: &FieldPath) {
        if let Some(job) = &pods.job {
            self.job(job, &path.key("job"));
        }
        if let Some(node) = pods.node.as_ref().filter(|node| !node.is_empty()) {
            self.node(&NodeSelector::Name(node.clone()), &path.key("node"), false);
        }
    }

    fn assertions(&mut self, scenario: &Scenario, path: &FieldPath) {
        for (index, assertion) in scenario.assertions.iter().enumerate() {
            let path = path.index(index);
            self.assertion_time(assertion, &path);
            self.check(&assertion.check, assertion.timing, &path);
        }
    }

    fn check(&mut self, check: &Check, moment: Moment, path: &FieldPath) {
        match check {
            Check::Job(job) => self.job(&job.name, &path.key("job").key("name")),
            Check::CronJob(cron_job) => {
                self.object("CronJob", &cron_job.name, &path.key("cronJob").key("name"));
            }
            Check::Jobs(jobs) => {
                let path = path.key("jobs");
                if let Some(name) = &jobs.name {
                    self.job(name, &path.key("name"));
                }
                self.bounds(Some(jobs.count), &path.key("count"));
            }
            Check::Pods(pods) => {
                self.pods(&pods.selector, &path.key("pods"));
                self.bounds(Some(pods.rest.count), &path.key("pods").key("count"));
            }
            Check::Log(log) => {
                let path = path.key("log");
                if let Some(job) = &log.job {
                    self.job(job, &path.key("job"));
                }
                if log.contains.is_some() == log.lines.is_some() {
                    self.report(&path, "expected either `contains` or `lines`");
                }
                self.bounds(log.count, &path.key("count"));
            }
            Check::Events(events) => self.bounds(events.count, &path.key("events").key("count")),
            Check::Queue(queue) => {
                let path = path.key("queue");
                self.queue(&queue.name, &path.key("name"));
                if queue.waiting.is_none() && queue.taken.is_none() {
                    self.report(&path, "expected `waiting`, `taken` or both");
                }
                self.bounds(queue.waiting, &path.key("waiting"));
                self.bounds(queue.taken, &path.key("taken"));
            }
            Check::Refusals(refusals) => self.bounds(refusals.count, &path.key("refusals").key("count")),
            Check::Outcome(_) | Check::Why(_) if moment != Moment::End => {
                self.report(path, "this is known at the end only; leave the time out");
            }
            Check::Outcome(_) | Check::Why(_) => {}
            Check::Ended(window) => {
                if moment != Moment::End {
                    self.report(path, "this is known at the end only; leave the time out");
                }
                self.window(*window, &path.key("ended"));
            }
            Check::Order(checks) => {
                let path = path.key("order");
                for (index, check) in checks.iter().enumerate() {
                    self.check(check, Moment::Throughout, &path.index(index));
                }
                if moment != Moment::End {
                    self.report(&path, "an order is looked at over the whole run; leave the time out");
                }
            }
        }
    }

    fn bounds(&mut self, bounds: Option<Bounds>, path: &FieldPath) {
        if let Some(Bounds { min, max }) = bounds
            && min > max
        {
            self.report(path, format!("nothing is at least {min} and at most {max}"));
        }
    }
}

/// Whether a text is a list of completion indexes.
fn are_indexes(text: &str) -> bool {
    text.split(',').all(|part| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        matches!((from.trim().parse::<u32>(), to.trim().parse::<u32>()), (Ok(from), Ok(to)) if from <= to)
    })
}

/// Whether a name, in which `*` stands for anything, fits another.
fn fits(pattern: &str, name: &str) -> bool {
    like(pattern, name)
}
