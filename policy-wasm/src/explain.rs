//! Why objects from a cluster are as they are.

use crate::problem::{Answer, Code, Problem, Step};
use policy_core::Timestamp;
use policy_core::explain::Rule;
use policy_json::explain::{self, CronJobReport, EventRecord, JobReport, Objects, World, rules as texts};
use policy_json::validate::created;
use policy_sim::zones::TzDatabase;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What is to be explained.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    objects: Vec<Value>,
    now: Timestamp,
    #[serde(default)]
    only: Option<String>,
}

/// The reports.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reports {
    jobs: Vec<JobReport>,
    cron_jobs: Vec<CronJobReport>,
}

/// Explains Jobs and CronJobs among objects.
///
/// # Errors
/// An object cannot be read or would be refused, or there is none to explain.
pub fn explain(request: &Request) -> Answer<Reports> {
    let only = request.only.as_deref().map(only).transpose()?;
    let mut reader = Reader::new(only, request.now);
    for (place, object) in request.objects.iter().enumerate() {
        reader.take(object, &[Step::Key("objects".into()), Step::Index(place)]);
    }
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    if reader.jobs.is_empty() && reader.cron_jobs.is_empty() {
        let message = match &request.only {
            Some(only) => format!("there is no `{only}` among the objects"),
            None => "there is neither a Job nor a CronJob among the objects".to_owned(),
        };
        let problem = Problem::at(Code::UnknownObject, "objects", message);
        return Err(vec![problem.help("`kubectl get job,cronjob,pods,events -o json` lists what is needed")]);
    }
    let (objects, world) = (&reader.objects, World::new(&reader.objects));
    let jobs = reader.jobs.iter().filter_map(|place| objects.jobs.get(*place));
    let cron_jobs = reader.cron_jobs.iter().filter_map(|place| objects.cron_jobs.get(*place));
    Ok(Reports {
        jobs: jobs.map(|job| explain::job(job, &world, request.now)).collect(),
        cron_jobs: cron_jobs
            .map(|cron_job| explain::cron_job(cron_job, &world, request.now, TzDatabase::shared()))
            .collect(),
    })
}

/// A kind and a name.
fn only(text: &str) -> Answer<(&'static str, String)> {
    let parts = text.split_once('/').map(|(kind, name)| (kind.to_ascii_lowercase(), name));
    match parts {
        Some((kind, name)) if matches!(kind.as_str(), "job" | "jobs") => Ok(("Job", name.to_owned())),
        Some((kind, name)) if matches!(kind.as_str(), "cronjob" | "cronjobs" | "cj") => {
            Ok(("CronJob", name.to_owned()))
        }
        _ => {
            let problem = Problem::at(
                Code::WrongShape,
                "only",
                format!("`{text}` is not `job/NAME` or `cronjob/NAME`"),
            );
            Err(vec![problem])
        }
    }
}

struct Reader {
    only: Option<(&'static str, String)>,
    now: Timestamp,
    objects: Objects,
    /// Places of those that are to be explained.
    jobs: Vec<usize>,
    cron_jobs: Vec<usize>,
    problems: Vec<Problem>,
}

impl Reader {
    fn new(only: Option<(&'static str, String)>, now: Timestamp) -> Self {
        let (objects, problems) = (Objects::default(), Vec::new());
        Reader { only, now, objects, jobs: Vec::new(), cron_jobs: Vec::new(), problems }
    }

    fn take(&mut self, object: &Value, steps: &[Step]) {
        let kind = object["kind"].as_str().unwrap_or_default();
        if let Some(items) = object["items"].as_array().filter(|_| kind.ends_with("List")) {
            for (place, item) in items.iter().enumerate() {
                self.take(item, &[steps, &[Step::Key("items".into()), Step::Index(place)]].concat());
            }
            return;
        }
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let wanted = self.only.as_ref().is_none_or(|(of, known)| *of == kind && known == name);
        match kind {
            "Job" => {
                if let Some(job) = self.typed(object, steps, wanted) {
                    self.jobs.extend(wanted.then_some(self.objects.jobs.len()));
                    self.objects.jobs.push(job);
                }
            }
            "CronJob" => {
                if let Some(cron_job) = self.typed(object, steps, wanted) {
                    self.cron_jobs.extend(wanted.then_some(self.objects.cron_jobs.len()));
                    self.objects.cron_jobs.push(cron_job);
                }
            }
            "Pod" => {
                let pod = self.read(object, steps);
                self.objects.pods.extend(pod);
            }
            "Event" => self.objects.events.push(EventRecord::read(object)),
            _ => {}
        }
    }

    /// An object of a cluster as it is; another one as if it had just been created.
    fn typed<T: DeserializeOwned>(&mut self, object: &Value, steps: &[Step], wanted: bool) -> Option<T> {
        let stored = object["metadata"]["uid"].as_str().is_some_and(|uid| !uid.is_empty());
        if stored || !wanted {
            return self.read(object, steps);
        }
        match created(object, self.now, TzDatabase::shared()) {
            Ok(object) => self.read(&object, steps),
            Err(found) => {
                self.problems.extend(found.into_iter().map(|(field, message)| {
                    let path =
                        if field.is_empty() { path(steps) } else { format!("{}.{field}", path(steps)) };
                    Problem { path, steps: steps.to_vec(), ..Problem::new(Code::InvalidObject, message) }
                }));
                None
            }
        }
    }

    fn read<T: DeserializeOwned>(&mut self, object: &Value, steps: &[Step]) -> Option<T> {
        match serde_json::from_str(&object.to_string()) {
            Ok(read) => Some(read),
            Err(error) => {
                let problem = Problem::new(Code::WrongShape, error.to_string());
                self.problems.push(Problem { path: path(steps), steps: steps.to_vec(), ..problem });
                None
            }
        }
    }
}

fn path(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Index(index) => path.push_str(&format!("[{index}]")),
            Step::Key(key) if path.is_empty() => path.push_str(key),
            Step::Key(key) => path.push_str(&format!(".{key}")),
        }
    }
    path
}

/// All rules with their texts.
pub fn rules() -> Vec<Value> {
    let row = |rule: &Rule| {
        json!({
            "rule": rule.code(),
            "domain": rule.domain(),
            "stage": rule.stage(),
            "upstream": rule.upstream(),
            "text": texts::text(*rule).trim_end(),
        })
    };
    Rule::ALL.iter().map(row).collect()
}
