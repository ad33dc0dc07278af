//! Whether checks hold in a run.

use super::assertion::{
    Bounds, Check, Condition, EventsCheck, Expectation, Fields, JobCheck, JobsCheck, LogCheck, Parts,
    PodsCheck, QueueCheck,
};
use super::duration::Duration;
use super::perform::Done;
use super::select::{PodSelector, like};
use super::timeline::{Timeline, job_of};
use crate::object::{Phase, Pod, State};
use crate::store::Object;
use crate::{Ending, World};
use serde_json::Value;

/// What checks look at.
pub(super) struct View<'r> {
    pub(super) world: &'r World,
    pub(super) timeline: &'r Timeline,
    pub(super) done: &'r [Done],
    /// How the run ended, once it has.
    pub(super) ending: Option<Ending>,
    /// Why, once it has.
    pub(super) why: &'r [String],
}

/// What a check that does not hold has found instead.
type Found = Result<(), String>;

impl View<'_> {
    /// Whether a check holds now.
    ///
    /// # Errors
    /// What was found instead.
    pub(super) fn holds(&self, check: &Check) -> Found {
        match check {
            Check::Job(check) => self.job(check),
            Check::CronJob(check) => {
                let object = self.objects("CronJob").find(|object| object.metadata().name == check.name);
                existing(object.is_some(), check.exists)?;
                object.map_or(Ok(()), |object| fields_hold(&object.to_json(), &check.fields))
            }
            Check::Jobs(check) => self.jobs(check),
            Check::Pods(check) => self.pods(check),
            Check::Log(check) => self.log(check),
            Check::Events(check) => self.events(check),
            Check::Queue(check) => self.queue(check),
            Check::Refusals(check) => {
                let of = |done: &&Done| check.code.is_none_or(|code| done.code == Some(code));
                let refused = self.done.iter().filter(|done| done.code.is_some()).filter(of);
                let count: usize = refused.map(|done| done.count).sum();
                counted(check.count.unwrap_or(Bounds::SOME), count, "refusals")
            }
            Check::Outcome(wanted) => match self.ending.map(Ending::as_str) {
                Some(found) if found == wanted => Ok(()),
                found => Err(format!("the run was {}", found.unwrap_or("not over"))),
            },
            Check::Ended(window) => {
                let time = Duration::from_nanos(self.world.now().nanos_since(self.world.config.start));
                if window.holds(time) { Ok(()) } else { Err(format!("it ended at {time}")) }
            }
            Check::Why(pattern) => {
                let held = self.why.iter().any(|line| like(pattern, line));
                if held { Ok(()) } else { Err(format!("the explanation is: {}", self.why.join("; "))) }
            }
            // Orders are followed over the run.
            Check::Order(_) => Err("not in this order".into()),
        }
    }

    fn objects(&self, kind: &str) -> impl Iterator<Item = &Object> {
        self.world.store.objects().filter(move |object| match object {
            Object::Job(_) => kind == "Job",
            Object::CronJob(_) => kind == "CronJob",
            Object::Other(other) => &*other.kind == kind,
        })
    }

    fn job(&self, check: &JobCheck) -> Found {
        let mut jobs = self.objects("Job").filter(|job| like(&check.name, &job.metadata().name));
        let first = jobs.next();
        existing(first.is_some(), check.exists)?;
        let holds = |job: &Object| {
            let json = job.to_json();
            if let Some(condition) = &check.condition {
                condition_holds(&json, condition)?;
            }
            fields_hold(&json, &check.fields)
        };
        let Some(first) = first else { return Ok(()) };
        holds(first).or_else(|found| if jobs.any(|job| holds(job).is_ok()) { Ok(()) } else { Err(found) })
    }

    fn jobs(&self, check: &JobsCheck) -> Found {
        let wanted = |job: &&Object| {
            let metadata = job.metadata();
            check.name.as_ref().is_none_or(|name| like(name, &metadata.name))
                && check.labels.iter().all(|(key, value)| metadata.labels.get(key) == Some(value))
                && check.condition.as_ref().is_none_or(|c| condition_holds(&job.to_json(), c).is_ok())
        };
        counted(check.count, self.objects("Job").filter(wanted).count(), "Jobs")
    }

    fn pods(&self, check: &PodsCheck) -> Found {
        let rest = &check.rest;
        if rest.deleted {
            return counted(rest.count, self.lives(&check.selector), "Pods, with those that are gone");
        }
        let wanted = |pod: &&Pod| {
            rest.condition.as_ref().is_none_or(|condition| pod_condition_holds(pod, condition))
                && rest.waiting.as_ref().is_none_or(|reason| waits_for(pod, reason))
                && (rest.fields.is_empty() || fields_hold(&pod.to_json(), &rest.fields).is_ok())
        };
        counted(rest.count, selected(self.world, &check.selector).filter(wanted).count(), "Pods")
    }

    /// How many Pods there were, by name, Job and index.
    fn lives(&self, selector: &PodSelector) -> usize {
        let lives = self.timeline.lives().filter(|life| {
            selector.name.as_ref().is_none_or(|name| like(name, life.name()))
                && selector.job.as_ref().is_none_or(|job| life.job().is_some_and(|of| like(job, of)))
                && selector.index.is_none_or(|index| life.index() == Some(index))
        });
        lives.count()
    }

    fn log(&self, check: &LogCheck) -> Found {
        let logs = self.world.record.logs.iter().filter(|(pod, _)| {
            check.name.as_ref().is_none_or(|name| like(name, pod))
                && ((check.job.is_none() && check.index.is_none())
                    || self.timeline.named(pod).is_some_and(|life| {
                        check.job.as_ref().is_none_or(|job| life.job().is_some_and(|of| like(job, of)))
                            && check.index.is_none_or(|index| life.index() == Some(index))
                    }))
        });
        let count = check.count.unwrap_or(Bounds::SOME);
        if let Some(wanted) = &check.lines {
            let alike = |lines: &[String]| {
                lines.len() == wanted.len()
                    && wanted.iter().zip(lines).all(|(pattern, line)| like(pattern, line))
            };
            return counted(count, logs.filter(|(_, lines)| alike(lines)).count(), "Pods with these lines");
        }
        let text = check.contains.as_deref().unwrap_or_default();
        let lines = logs.flat_map(|(_, lines)| lines.iter()).filter(|line| line.contains(text));
        counted(count, lines.count(), "lines with this text")
    }

    fn events(&self, check: &EventsCheck) -> Found {
        let about = check.about.as_ref().map(|about| match about.split_once('/') {
            Some((kind, name)) => (crate::store::Kind::parse(kind).as_str().to_lowercase(), name),
            None => ("*".to_owned(), about.as_str()),
        });
        let wanted = |event: &&crate::record::EventRecord| {
            let object = event.object();
            let (kind, name) = object.split_once('/').unwrap_or(("", &object));
            about.as_ref().is_none_or(|(k, n)| like(k, &kind.to_lowercase()) && like(n, name))
                && check.kind.as_ref().is_none_or(|kind| kind == event.kind())
                && check.reason.as_ref().is_none_or(|reason| reason == event.reason())
                && check.message.as_ref().is_none_or(|message| like(message, &event.message()))
        };
        let count = self.world.record.events.iter().filter(wanted).count();
        counted(check.count.unwrap_or(Bounds::SOME), count, "such events")
    }

    fn queue(&self, check: &QueueCheck) -> Found {
        let Some(queue) = self.world.queues().find(|queue| queue.name == check.name) else {
            return Err("there is no such queue".into());
        };
        if let Some(bounds) = check.waiting {
            counted(bounds, queue.ready.len(), "items are left")?;
        }
        check.taken.map_or(Ok(()), |bounds| counted(bounds, queue.taken.len(), "items are taken"))
    }
}

/// The Pods that a selector selects, oldest first.
pub(super) fn selected<'w>(world: &'w World, selector: &'w PodSelector) -> impl Iterator<Item = &'w Pod> {
    let (skip, take) = selector.nth.map_or((0, usize::MAX), |nth| (nth.saturating_sub(1), 1));
    world.store.pods().filter(|pod| is_selected(pod, selector)).skip(skip).take(take)
}

fn is_selected(pod: &Pod, selector: &PodSelector) -> bool {
    let node = pod.node.as_deref().unwrap_or_default();
    selector.name.as_ref().is_none_or(|name| like(name, &pod.name))
        && selector.job.as_ref().is_none_or(|job| job_of(pod).is_some_and(|of| like(job, of)))
        && selector.index.is_none_or(|index| pod.index == Some(index))
        && selector.phase.as_ref().is_none_or(|phase| phase == pod.phase.as_str())
        && selector.active.is_none_or(|active| active == is_active(pod))
        && selector.node.as_ref().is_none_or(|wanted| wanted == node)
        && (selector.labels.is_empty() || {
            let labels = pod.labels();
            selector.labels.iter().all(|(key, value)| labels.get(key) == Some(value))
        })
}

fn is_active(pod: &Pod) -> bool {
    !matches!(pod.phase, Phase::Succeeded | Phase::Failed) && pod.deletion_timestamp.is_none()
}

fn waits_for(pod: &Pod, reason: &str) -> bool {
    pod.containers.iter().any(|container| matches!(container.state, State::Waiting(why) if why == reason))
}

fn existing(found: bool, wanted: bool) -> Found {
    match (found, wanted) {
        (true, false) => Err("there is one".into()),
        (false, true) => Err("there is none".into()),
        _ => Ok(()),
    }
}

fn counted(bounds: Bounds, count: usize, what: &str) -> Found {
    if bounds.hold(count) { Ok(()) } else { Err(format!("found {count} {what}")) }
}

fn pod_condition_holds(pod: &Pod, wanted: &Condition) -> bool {
    pod.condition(&wanted.kind).is_some_and(|found| {
        found.status == wanted.status
            && wanted.reason.as_ref().is_none_or(|reason| **reason == *found.reason)
            && wanted.message.as_ref().is_none_or(|message| like(message, &found.message))
    })
}

fn condition_holds(object: &Value, wanted: &Condition) -> Found {
    let conditions = object["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(found) = conditions.iter().find(|condition| condition["type"] == wanted.kind.as_str()) else {
        let known: Vec<&str> = conditions.iter().filter_map(|condition| condition["type"].as_str()).collect();
        return Err(match known.as_slice() {
            [] => "it has no condition".into(),
            known => format!("its conditions are {}", known.join(", ")),
        });
    };
    let text = |key: &str| found[key].as_str().unwrap_or_default();
    if text("status") != wanted.status {
        return Err(format!("the condition is {}", text("status")));
    }
    if wanted.reason.as_ref().is_some_and(|reason| reason != text("reason")) {
        return Err(format!("the reason is {}", text("reason")));
    }
    if wanted.message.as_ref().is_some_and(|message| !like(message, text("message"))) {
        return Err(format!("the message is `{}`", text("message")));
    }
    Ok(())
}

fn fields_hold(object: &Value, fields: &Fields) -> Found {
    for (path, expectation) in fields {
        let found = lookup(object, path);
        if !expected(found, expectation) {
            let found = match found {
                None | Some(Value::Null) => "not there".to_owned(),
                Some(Value::String(text)) => format!("`{text}`"),
                Some(other) => format!("`{other}`"),
            };
            return Err(format!("`{path}` is {found}"));
        }
    }
    Ok(())
}

/// A field by its path. A bracket takes an item by its place, its `type` or its `name`, or a key of a mapping.
fn lookup<'v>(object: &'v Value, path: &str) -> Option<&'v Value> {
    let mut value = object;
    for step in super::FieldPath::default().field(path).0 {
        value = match (value, &step) {
            (Value::Array(items), super::PathStep::Index(index)) => items.get(*index)?,
            (Value::Array(items), super::PathStep::Key(key)) => {
                items.iter().find(|item| item["type"] == key.as_str() || item["name"] == key.as_str())?
            }
            (Value::Object(fields), super::PathStep::Key(key)) => fields.get(key)?,
            (Value::Object(fields), super::PathStep::Index(index)) => fields.get(&index.to_string())?,
            _ => return None,
        };
    }
    Some(value)
}

fn expected(found: Option<&Value>, expectation: &Expectation) -> bool {
    let found = found.filter(|value| !value.is_null());
    match expectation {
        // Kubernetes leaves zeros out of what it writes.
        Expectation::Is(Value::Number(wanted)) => found.map_or(Some(0.0), Value::as_f64) == wanted.as_f64(),
        Expectation::Is(Value::Bool(wanted)) => found.map_or(Some(false), Value::as_bool) == Some(*wanted),
        Expectation::Is(wanted) => found == Some(wanted),
        Expectation::Has(parts) => has(found, parts),
    }
}

fn has(found: Option<&Value>, parts: &Parts) -> bool {
    let number = || found.map_or(Some(0.0), Value::as_f64);
    let empty = found.is_none_or(|value| match value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    });
    parts.min.is_none_or(|min| number().is_some_and(|n| n >= min))
        && parts.max.is_none_or(|max| number().is_some_and(|n| n <= max))
        && parts
            .like
            .as_ref()
            .is_none_or(|pattern| found.and_then(Value::as_str).is_some_and(|text| like(pattern, text)))
        && parts.one_of.as_ref().is_none_or(|options| found.is_some_and(|value| options.contains(value)))
        && parts.absent.is_none_or(|absent| absent == empty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn finds_fields_and_compares_them() {
        let object = json!({"status": {"succeeded": 3, "conditions": [{"type": "Complete", "status": "True"}],
            "completedIndexes": "0-2"}, "metadata": {"labels": {"a.b/c": "x"}}});
        let holds = |fields: Value| fields_hold(&object, &serde_json::from_value(fields).unwrap());
        assert_eq!(holds(json!({"status.succeeded": 3, "status.failed": 0})), Ok(()));
        assert_eq!(holds(json!({"status.conditions[Complete].status": "True"})), Ok(()));
        assert_eq!(holds(json!({"metadata.labels[a.b/c]": "x"})), Ok(()));
        assert_eq!(holds(json!({"status.completedIndexes": {"like": "0-*"}})), Ok(()));
        assert_eq!(holds(json!({"status.failedIndexes": {"absent": true}})), Ok(()));
        assert_eq!(holds(json!({"status.succeeded": {"min": 4}})), Err("`status.succeeded` is `3`".into()));
        assert_eq!(holds(json!({"status.startTime": "x"})), Err("`status.startTime` is not there".into()));
    }
}
