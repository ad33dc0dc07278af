//! The worst that a manifest allows: most Pods, longest time, every way to end, each with the rule that sets it.
//!
//! Bounds are worked out from the spec with the rules of `policy-core`, not by trying: no run of the Job exceeds them
//! as long as the [`Environment`] is as assumed. [`Sampler`] tries runs in the virtual cluster and estimates how likely
//! and how costly they are.
//!
//! ```
//! use policy_core::spec::Job;
//! use policy_sim::worst_case::{Environment, Limit, WorstCase};
//! let job: Job = serde_json::from_value(serde_json::json!({"spec": {
//!     "completions": 64, "parallelism": 64, "backoffLimit": 6,
//!     "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main"}]}}}})).unwrap();
//! let worst = WorstCase::of_job(&job, &Environment::default()).unwrap();
//! assert_eq!(worst.failed_pods.limit, Limit::Finite(70));
//! assert!(worst.time_to_end.limit.is_unbounded(), "a container may run for ever");
//! ```

mod endings;
mod environment;
mod estimate;
mod facts;
mod limit;
mod pods;
mod reckoning;
mod remedies;
mod runs;
mod sampler;
#[cfg(test)]
mod tests;
mod time;

pub use endings::{Ending, Outcome};
pub use environment::{Environment, ExitCodes};
pub use estimate::{Estimate, Spread};
pub use limit::{Bound, Field, Limit, Remedy, Unit};
pub use runs::Runs;
pub use sampler::{Sample, Sampler};

use facts::Facts;
use policy_core::cron::TimeZones;
use policy_core::spec::validation::{CreateContext, Rules, validate_create};
use policy_core::spec::{CronJob, JOB_CONTROLLER_NAME, Job};
use reckoning::Reckoning;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The worst that a Job allows.
#[derive(Clone, Debug, PartialEq)]
pub struct WorstCase {
    /// What is taken for granted.
    pub assumptions: Vec<String>,
    /// Pods that have not ended, at any one time.
    pub pods_at_once: Bound,
    /// Pods that are created.
    pub pods_ever: Bound,
    /// Pods that fail, counted or not, those deleted at the end included.
    pub failed_pods: Bound,
    /// From the start to the condition Complete or Failed.
    pub time_to_end: Bound,
    /// The longest wait before a Pod is created again or a container restarted.
    pub longest_backoff: Bound,
    /// Every way to end.
    pub endings: Vec<Ending>,
    /// For a CronJob, how its runs overlap.
    pub runs: Option<Runs>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
}

impl WorstCase {
    /// Works out the worst of a Job as the API server stores it, with its defaults.
    ///
    /// # Errors
    /// Why nothing can be said about the Job.
    pub fn of_job(job: &Job, environment: &Environment) -> Result<Self, String> {
        if let Some(manager) = job.spec.managed_by.as_deref().filter(|name| *name != JOB_CONTROLLER_NAME) {
            return Err(format!("the Job is managed by `{manager}`, whose rules are not known here"));
        }
        let facts = Facts::of(job, environment);
        let reckoning = Reckoning::new(&facts, environment);
        let mut worst = WorstCase {
            assumptions: assumptions(&facts, environment),
            pods_at_once: pods::at_once(&reckoning),
            pods_ever: pods::ever(&reckoning),
            failed_pods: pods::failed(&reckoning),
            time_to_end: time::to_end(&reckoning),
            longest_backoff: time::longest_backoff(&reckoning),
            endings: endings::all(&reckoning),
            runs: None,
            notes: notes(&facts),
        };
        remedies::add(&mut worst, job, environment);
        Ok(worst)
    }

    /// Works out the worst of each run of a CronJob, and how runs overlap.
    ///
    /// # Errors
    /// Why nothing can be said about the CronJob.
    pub fn of_cron_job(
        cron_job: &CronJob,
        environment: &Environment,
        zones: &dyn TimeZones,
    ) -> Result<Self, String> {
        let job = job_of(cron_job)?;
        let mut worst = WorstCase::of_job(&job, environment)?;
        worst.each_field(|field| {
            if field.path.starts_with("spec.") {
                field.path.insert_str(0, "spec.jobTemplate.");
            }
        });
        let grace = Facts::of(&job, environment);
        let stopping = Reckoning::new(&grace, environment).stops();
        worst.runs = Some(runs::of(cron_job, &worst, stopping, zones)?);
        worst.assumptions.push("the CronJob controller is never down, so that no run starts late".into());
        Ok(worst)
    }

    /// The bounds of a run with their names.
    pub fn bounds(&self) -> [(&'static str, &Bound); 5] {
        [
            ("podsAtOnce", &self.pods_at_once),
            ("podsEver", &self.pods_ever),
            ("failedPods", &self.failed_pods),
            ("secondsToEnd", &self.time_to_end),
            ("backoffSeconds", &self.longest_backoff),
        ]
    }

    fn bounds_mut(&mut self) -> [&mut Bound; 5] {
        [
            &mut self.pods_at_once,
            &mut self.pods_ever,
            &mut self.failed_pods,
            &mut self.time_to_end,
            &mut self.longest_backoff,
        ]
    }

    fn each_field(&mut self, mut change: impl FnMut(&mut Field)) {
        for bound in self.bounds_mut() {
            bound.fields.iter_mut().for_each(&mut change);
            bound.remedies.iter_mut().for_each(|remedy| change(&mut remedy.field));
        }
        self.endings.iter_mut().flat_map(|ending| &mut ending.fields).for_each(change);
    }

    /// All of it, for programs.
    pub fn to_json(&self) -> Value {
        let bounds = self.bounds().map(|(name, bound)| (name.to_owned(), bound.to_json()));
        json!({
            "assumptions": self.assumptions,
            "bounds": serde_json::Map::from_iter(bounds),
            "endings": self.endings.iter().map(Ending::to_json).collect::<Vec<Value>>(),
            "runs": self.runs.as_ref().map(Runs::to_json),
            "notes": self.notes,
        })
    }
}

/// The Job of a run, with the defaults that the API server gives to Jobs and not to their templates.
fn job_of(cron_job: &CronJob) -> Result<Job, String> {
    let text = cron_job.spec.job_template.spec.as_ref().map_or("{}", |spec| spec.get());
    let spec: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let manifest =
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "run"}, "spec": spec})
            .to_string();
    let raw = RawValue::from_string(manifest).map_err(|error| error.to_string())?;
    let review = validate_create(&raw, &CreateContext::default(), &Rules::default());
    let defaulted =
        review.defaulted.as_ref().ok_or_else(|| review.decode_error.clone().unwrap_or_default())?;
    let text = serde_json::to_string(defaulted).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

fn assumptions(facts: &Facts, environment: &Environment) -> Vec<String> {
    let run = match environment.run_seconds {
        Some(seconds) => {
            let text = Unit::Millis.text(Limit::Finite(u128::from(seconds) * 1_000));
            format!("each start of a container runs for at most {text}")
        }
        None => "a container may run for ever".to_owned(),
    };
    let mut list = vec![
        format!("any container may exit with {} at any start", environment.exit_codes),
        run,
        "Pods start as soon as they are created, and stop within their grace period".to_owned(),
        "the controller is up, waits for nobody, and looks at an ended Pod within a second".to_owned(),
    ];
    list.push(if environment.disruptions {
        "any Pod may be disrupted (evicted, drained, preempted) at any time, however often".to_owned()
    } else {
        "no Pod is disrupted (evicted, drained, preempted), and nobody changes or deletes anything".to_owned()
    });
    if facts.suspended {
        list.push("the Job is resumed as soon as it is created".to_owned());
    }
    list
}

fn notes(facts: &Facts) -> Vec<String> {
    let mut notes = Vec::new();
    match facts.ttl_seconds {
        Some(seconds) => {
            let after = Unit::Millis.text(Limit::Finite(u128::try_from(seconds).unwrap_or(0) * 1_000));
            notes.push(format!(
                "the Job and its Pods are deleted {after} after its end (ttlSecondsAfterFinished)"
            ));
        }
        None => notes.push(
            "ended Pods stay until the Job is deleted; ttlSecondsAfterFinished would do that".to_owned(),
        ),
    }
    notes
}
