//! What is accepted by the API server and still goes wrong: rules that never match, Jobs that never end, runs that never
//! come. Each finding has a code, the field, what to write instead, and a scenario in which the simulator shows it.
//!
//! Nothing here decides how a policy or a schedule works: questions about them go to `policy-core`.
//!
//! ```
//! use policy_sim::lint::{Options, lint, prove};
//! let job = serde_json::json!({
//!     "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "pi"}, "spec": {
//!         "activeDeadlineSeconds": 3600,
//!         "podFailurePolicy": {"rules": [
//!             {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1, 42]}},
//!             {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [42]}},
//!         ]},
//!         "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "pi", "image": "perl"}]}}}});
//! let findings = lint(&[job], &Options::default());
//! assert_eq!(findings[0].code.name, "rule-shadowed");
//! assert_eq!(findings[0].path, "spec.podFailurePolicy.rules[1]");
//! assert!(prove(&findings[0]).unwrap().iter().all(|assertion| assertion.held));
//! ```

use crate::scenario::{Document, Held, Options as RunOptions, Problem, Run};
use policy_core::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;

mod codes;
mod cron_job;
mod dns;
mod dst;
mod failure_policy;
mod index_list;
mod indexed;
mod invalid;
mod job;
mod proof;
mod schedule;
mod subject;
mod witness;

pub use codes::{ALL, Code, code};

use subject::Subject;

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It cannot be meant.
    Error,
    /// It does what few people expect.
    Warning,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        }
    }
}

/// The object that a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectRef {
    /// Its place among the manifests, from 0.
    pub document: usize,
    /// Kind.
    pub kind: String,
    /// Namespace; `default` when it has none.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// Something that will go wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What kind of thing.
    #[serde(serialize_with = "name_of")]
    pub code: &'static Code,
    /// How serious it is.
    pub severity: Severity,
    /// Which object.
    pub object: ObjectRef,
    /// The field, as Kubernetes writes paths; empty for the object as a whole.
    pub path: String,
    /// What goes wrong, with the values at hand.
    pub message: String,
    /// What to write instead.
    pub instead: String,
    /// A scenario document whose assertions hold because of it.
    pub proof: Value,
}

fn name_of<S: Serializer>(code: &&'static Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.name)
}

/// What findings depend on besides the manifests.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The instant from which schedules are looked at.
    pub from: Timestamp,
}

impl Default for Options {
    fn default() -> Self {
        Options { from: crate::config::Config::default().start }
    }
}

/// Finds what will go wrong with the Jobs and CronJobs among the manifests. Services are looked at for the names that
/// they give to Pods; other kinds are passed over. In the order of the manifests, then of the fields of each.
pub fn lint(manifests: &[Value], options: &Options) -> Vec<Finding> {
    let mut findings = Vec::new();
    let services = dns::services(manifests);
    for (document, manifest) in manifests.iter().enumerate() {
        if !matches!(manifest["kind"].as_str(), Some("Job" | "CronJob")) {
            continue;
        }
        let start = findings.len();
        match Subject::read(document, manifest) {
            Err(refused) => findings.extend(invalid::findings(&refused)),
            Ok(subject) if subject.is_managed_elsewhere() => {}
            Ok(subject) => {
                failure_policy::check(&subject, &mut findings);
                job::check(&subject, &mut findings);
                indexed::check(&subject, &mut findings);
                findings.extend(index_list::too_large(&subject));
                dns::check(&subject, &services, &mut findings);
                if let Some(cron_job) = &subject.cron_job {
                    cron_job::check(&subject, cron_job, options, &mut findings);
                }
            }
        }
        if let Some(own) = findings.get_mut(start..) {
            own.sort_by_key(|finding: &Finding| finding.severity);
        }
    }
    findings
}

/// Runs a finding's proof: what became of its assertions.
///
/// # Errors
/// The proof is not a scenario. That is a mistake of this crate's.
pub fn prove(finding: &Finding) -> Result<Vec<Held>, Vec<Problem>> {
    let document = Document::load(finding.proof.clone())?;
    let mut run = Run::new(document.base(), RunOptions::default());
    run.finish();
    Ok(run.assertions())
}
