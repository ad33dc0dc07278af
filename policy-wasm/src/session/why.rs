//! Why something is as it is, from the decisions that were made and from what would be decided now.

use super::changes::{counts, job_named};
use super::{Answer, Code, DecisionRow, Problem, Session};
use policy_core::JobMemory;
use policy_core::explain::{Finding, Rule, Verdict};
use policy_core::spec::{CronJob, Job};
use policy_json::explain::{self, CronJobReport, JobReport, Objects, World};
use policy_sim::scenario::PodLife;
use policy_sim::store::Object;
use policy_sim::zones::TzDatabase;
use serde::{Deserialize, Serialize};

mod text;

/// Decisions shown at most.
const SHOWN: usize = 5;

/// What is asked about.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
pub enum WhyTarget {
    /// A Job as a whole.
    Job {
        /// Its name.
        name: String,
    },
    /// A CronJob as a whole.
    CronJob {
        /// Its name.
        name: String,
    },
    /// A Pod.
    Pod {
        /// Its name.
        name: String,
    },
    /// That there is no Pod.
    Gap {
        /// The Job.
        job: String,
        /// The completion index.
        #[serde(default)]
        index: Option<i64>,
    },
    /// A count of the status.
    Count {
        /// The Job.
        job: String,
        /// The count.
        field: String,
    },
    /// A condition of the status.
    Condition {
        /// The Job.
        job: String,
        /// Its type.
        r#type: String,
    },
}

/// Why.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Why<'s> {
    /// In a sentence.
    pub summary: String,
    /// The rules that bear on it, those that held first.
    pub findings: Vec<Finding>,
    /// Rules that were not reached.
    pub not_reached: Vec<Rule>,
    /// The decisions that made it so, the latest first.
    pub decisions: Vec<DecisionRow<'s>>,
    /// The object as a whole.
    pub report: Option<Report>,
    /// As text to copy.
    pub text: String,
}

/// The report on an object.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Report {
    /// On a Job.
    Job(Box<JobReport>),
    /// On a CronJob.
    CronJob(Box<CronJobReport>),
}

impl Session {
    /// Why something is as it is now.
    ///
    /// # Errors
    /// There is no such thing.
    pub fn why(&self, target: &WhyTarget) -> Answer<Why<'_>> {
        let mut why = match target {
            WhyTarget::Job { name } => self.why_job(name)?,
            WhyTarget::CronJob { name } => self.why_cron_job(name)?,
            WhyTarget::Pod { name } => self.why_pod(name)?,
            WhyTarget::Gap { job, index } => self.why_gap(job, *index)?,
            WhyTarget::Count { job, field } => self.why_count(job, field)?,
            WhyTarget::Condition { job, r#type } => self.why_condition(job, r#type)?,
        };
        why.findings.sort_by_key(|finding| finding.verdict != Verdict::Held);
        why.text = text::of(&why);
        Ok(why)
    }

    fn why_job(&self, name: &str) -> Answer<Why<'_>> {
        let job = self.job(name)?;
        let report = self.job_report(job);
        let decisions = self.decisions_about(&format!("Job/{name}"), |_| true);
        Ok(self.answer(report.summary.clone(), decisions, Some(Report::Job(Box::new(report)))))
    }

    fn why_cron_job(&self, name: &str) -> Answer<Why<'_>> {
        let mut cron_jobs = self.state.run.world.store.objects().filter_map(|object| match object {
            Object::CronJob(cron_job) => Some(cron_job),
            _ => None,
        });
        let found = cron_jobs.find(|cron_job| cron_job.metadata.name == name);
        let cron_job = found.ok_or_else(|| unknown("name", format!("there is no CronJob `{name}` now")))?;
        let report = self.cron_job_report(cron_job);
        let decisions = self.decisions_about(&format!("CronJob/{name}"), |_| true);
        Ok(self.answer(report.summary.clone(), decisions, Some(Report::CronJob(Box::new(report)))))
    }

    fn why_pod(&self, name: &str) -> Answer<Why<'_>> {
        let life = self.state.run.timeline.named(name);
        let life = life.ok_or_else(|| unknown("name", format!("there is no Pod `{name}`, and was none")))?;
        let stage = life.stage().map_or("", |stage| stage.as_str());
        let Some(job) = life.job() else {
            return Ok(self.answer(format!("Pod {name} is {stage}; no Job controls it"), Vec::new(), None));
        };
        let report = job_named(&self.state.run.world, job).map(|job| self.job_report(job));
        let row = report.as_ref().and_then(|report| report.pods.iter().find(|row| row.pod == name));
        let counts_as = row.map(|row| match &row.policy {
            Some(policy) => format!(": {}; failure policy: {policy}", row.how),
            None => format!(": {}", row.how),
        });
        let summary = format!("Pod {name} is {stage}{}", counts_as.unwrap_or_default());
        let path = format!("pod/{name}");
        let decisions = self.decisions_about(&format!("Job/{job}"), |decision| speaks_of(decision, &path));
        let mut why = self.answer(summary, decisions, report.map(|report| Report::Job(Box::new(report))));
        let about = |finding: &Finding| finding.evidence.iter().any(|item| item.path.contains(&path));
        if why.findings.iter().any(about) {
            why.findings.retain(about);
        }
        Ok(why)
    }

    fn why_gap(&self, job: &str, index: Option<i64>) -> Answer<Why<'_>> {
        let report = self.job_report(self.job(job)?);
        let of_index = |life: &&PodLife| life.job() == Some(job) && life.index() == index;
        let before = index.and_then(|_| self.state.run.timeline.lives().filter(of_index).last());
        let summary = match (index, before) {
            (Some(index), Some(life)) => {
                let stage = life.stage().map_or("", |stage| stage.as_str());
                format!(
                    "index {index} has no active Pod; its last one, {}, is {stage}. {}",
                    life.name(),
                    report.summary
                )
            }
            (Some(index), None) => format!("index {index} has had no Pod yet. {}", report.summary),
            (None, _) => report.summary.clone(),
        };
        let decisions = self.decisions_about(&format!("Job/{job}"), |_| true);
        Ok(self.answer(summary, decisions, Some(Report::Job(Box::new(report)))))
    }

    fn why_count(&self, name: &str, field: &str) -> Answer<Why<'_>> {
        let job = self.job(name)?;
        let counted = counts(&job.status);
        let Some((_, value)) = counted.iter().find(|(known, _)| *known == field) else {
            let known: Vec<&str> = counted.iter().map(|(known, _)| *known).collect();
            let problem = Problem::at(Code::UnknownObject, "field", format!("there is no count `{field}`"));
            return Err(vec![problem.help(format!("known are: {}", known.join(", ")))]);
        };
        let decisions = self.decisions_about(&format!("Job/{name}"), |decision| changed(decision, field));
        let summary = match decisions.first() {
            Some(decision) => {
                let change = decision.changes.iter().find(|change| change.field == field);
                let from = change.map_or("", |change| change.from.as_str());
                format!("{field} is {value}; it was {from} until the decision at {}", decision.decision.at)
            }
            None => format!("{field} is {value}; no decision has changed it"),
        };
        let report = Report::Job(Box::new(self.job_report(job)));
        Ok(self.answer(summary, decisions, Some(report)))
    }

    fn why_condition(&self, name: &str, kind: &str) -> Answer<Why<'_>> {
        let job = self.job(name)?;
        let decisions = self.decisions_about(&format!("Job/{name}"), |decision| changed(decision, kind));
        let summary = match job.status.condition(kind) {
            Some(condition) => {
                let message = if condition.message.is_empty() { "" } else { ": " };
                let (status, reason) = (&condition.status, &condition.reason);
                format!("{kind} is {status} ({reason}){message}{}", condition.message)
            }
            None => format!("the Job has no condition {kind}"),
        };
        let report = Report::Job(Box::new(self.job_report(job)));
        Ok(self.answer(summary, decisions, Some(report)))
    }

    /// With the findings of the latest of these decisions; without one, of what would be decided now.
    fn answer<'s>(
        &'s self,
        summary: String,
        decisions: Vec<DecisionRow<'s>>,
        report: Option<Report>,
    ) -> Why<'s> {
        let traced = decisions.iter().find(|decision| !decision.decision.findings.is_empty());
        let (findings, not_reached) = match (traced, &report) {
            (Some(decision), _) => {
                let findings = decision.decision.findings.clone();
                let domain = if decision.decision.object.starts_with("CronJob/") { "cronjob" } else { "job" };
                let reached = |rule: &Rule| findings.iter().any(|finding| finding.rule == *rule);
                let all = Rule::ALL.iter().copied().filter(|rule| rule.domain() == domain);
                let not_reached = all.filter(|rule| !reached(rule)).collect();
                (findings, not_reached)
            }
            (None, Some(Report::Job(report))) => (of_rows(&report.findings), report.not_reached.clone()),
            (None, Some(Report::CronJob(report))) => (of_rows(&report.findings), report.not_reached.clone()),
            (None, None) => (Vec::new(), Vec::new()),
        };
        Why { summary, findings, not_reached, decisions, report, text: String::new() }
    }

    fn job(&self, name: &str) -> Answer<&Job> {
        let world = &self.state.run.world;
        job_named(world, name).ok_or_else(|| unknown("job", format!("there is no Job `{name}` now")))
    }

    /// The latest decisions about an object that are as wanted, the latest first.
    fn decisions_about(
        &self,
        object: &str,
        wanted: impl Fn(&DecisionRow<'_>) -> bool,
    ) -> Vec<DecisionRow<'_>> {
        let count = self.state.run.world.record.decisions.len();
        let rows = (0..count).rev().filter_map(|number| self.decision(number));
        rows.filter(|row| row.decision.object == object && wanted(row)).take(SHOWN).collect()
    }

    /// What would be decided about a Job now, by a controller that has seen everything.
    pub(super) fn job_report(&self, job: &Job) -> JobReport {
        let (world, meta) = (&self.state.run.world, &job.metadata);
        let mut objects = Objects { jobs: vec![job.clone()], ..Objects::default() };
        let own = world.store.pods_owned_by(&meta.uid);
        objects.pods = own.filter_map(|pod| serde_json::from_str(&pod.to_json().to_string()).ok()).collect();
        let nothing = JobMemory::default();
        let mind = world.job_mind(&meta.namespace, &meta.name);
        let memory = mind.map_or(&nothing, |mind| mind.memory);
        explain::job_remembered(job, &World::new(&objects), self.now(), memory)
    }

    pub(super) fn cron_job_report(&self, cron_job: &CronJob) -> CronJobReport {
        let jobs = self.state.run.world.store.objects().filter_map(|object| match object {
            Object::Job(job) => Some(Job::clone(job)),
            _ => None,
        });
        let objects = Objects { jobs: jobs.collect(), ..Objects::default() };
        explain::cron_job(cron_job, &World::new(&objects), self.now(), TzDatabase::shared())
    }
}

fn unknown(field: &str, message: String) -> Vec<Problem> {
    vec![Problem::at(Code::UnknownObject, field, message)]
}

fn changed(decision: &DecisionRow<'_>, field: &str) -> bool {
    decision.changes.iter().any(|change| change.field == field)
}

/// Whether a decision made a call about a Pod or a rule looked at it.
fn speaks_of(decision: &DecisionRow<'_>, path: &str) -> bool {
    let told = decision.decision.told.iter().any(|call| call.to_lowercase().contains(path));
    let findings = decision.decision.findings.iter().flat_map(|finding| &finding.evidence);
    told || findings.into_iter().any(|item| item.path.contains(path))
}

fn of_rows(rows: &[explain::FindingRow]) -> Vec<Finding> {
    let finding = |row: &explain::FindingRow| {
        let first = row.calls.iter().min().copied().unwrap_or(0);
        let end = row.calls.iter().max().map_or(0, |last| last.saturating_add(1));
        Finding { rule: row.rule, verdict: row.verdict, evidence: row.evidence.clone(), calls: first..end }
    };
    rows.iter().map(finding).collect()
}
