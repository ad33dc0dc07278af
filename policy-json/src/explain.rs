//! Why a Job or CronJob is as it is, and what comes next, from what `kubectl get` shows of it.
//!
//! The core decides and says why; here is what the running controller knows and a listing does not show: its memory is
//! inferred and labelled so, and where it is not known, the answer says what would be otherwise.

use policy_core::Timestamp;
use policy_core::explain::{Finding, Rule, Verdict};
use policy_core::spec::ObjectMeta;
use serde::Serialize;
use serde_json::Value;

mod calls;
mod cron_job;
mod event;
mod job;
mod memory;
mod next;
mod objects;
mod pods;
pub mod rules;

pub use calls::CallRow;
pub use cron_job::{CronJobReport, cron_job};
pub use event::{EventRecord, EventRow};
pub use job::{JobReport, State, job, job_remembered};
pub use memory::{Inferred, Unknown};
pub use next::{Next, wait};
pub use objects::{Objects, World};
pub use pods::PodRow;

/// One rule's part, with the calls that it caused by number.
#[derive(Clone, Debug, Serialize)]
pub struct FindingRow {
    /// The rule.
    pub rule: Rule,
    /// Whether it held.
    pub verdict: Verdict,
    /// The values it looked at.
    pub evidence: Vec<policy_core::explain::Evidence>,
    /// The numbers of its calls, as in the report's list of calls.
    pub calls: Vec<u32>,
}

/// The findings as rows; `sent` are the numbers of calls that go out.
fn rows(findings: &[Finding], sent: &[CallRow]) -> Vec<FindingRow> {
    let calls = |finding: &Finding| {
        sent.iter().map(|call| call.number).filter(|number| finding.calls.contains(number)).collect()
    };
    findings
        .iter()
        .map(|finding| FindingRow {
            rule: finding.rule,
            verdict: finding.verdict,
            evidence: finding.evidence.clone(),
            calls: calls(finding),
        })
        .collect()
}

/// `NAMESPACE/NAME`.
fn full_name(meta: &ObjectMeta) -> String {
    format!("{}/{}", meta.namespace, meta.name)
}

/// The report on objects, as programs read it.
///
/// The shape is stable: fields may be added, none is renamed or removed.
pub fn as_value(jobs: &[JobReport], cron_jobs: &[CronJobReport], now: Timestamp, clock: &str) -> Value {
    serde_json::json!({
        "now": now.to_rfc3339_nano(),
        "clock": clock,
        "jobs": jobs,
        "cronJobs": cron_jobs,
    })
}

/// `1 Pod`, `3 Pods`.
fn count_of(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}
