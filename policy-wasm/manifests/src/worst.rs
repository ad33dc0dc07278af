//! The worst that a Job or CronJob allows.

use policy_core::Timestamp;
use policy_core::spec::{CronJob, Job};
use policy_json::validate::created;
use policy_sim::worst_case::{Environment, ExitCodes, WorstCase};
use policy_sim::zones::TzDatabase;
use policy_wasm::{Answer, Code, Problem};
use serde::Deserialize;
use serde_json::Value;

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    manifest: Value,
    /// How long each start of a container runs at most; for ever when left out.
    #[serde(default)]
    run_seconds: Option<u64>,
    /// The codes that containers may exit with, as `0,42`; any when left out.
    #[serde(default)]
    exit_codes: Option<String>,
    /// Whether Pods may be disrupted at any time.
    #[serde(default)]
    disruptions: bool,
}

/// The bounds, as `jobpolicy worst-case --output json` writes them for one object.
///
/// # Errors
/// The API server would refuse the object, or nothing can be said about it.
pub fn worst_case(request: &Request) -> Answer<Value> {
    let of_field = |field: &str, message: String| vec![Problem::at(Code::WrongShape, field, message)];
    let exit_codes = request.exit_codes.as_deref().map(ExitCodes::parse).transpose();
    let exit_codes = exit_codes.map_err(|message| of_field("exitCodes", message))?.unwrap_or_default();
    let environment =
        Environment { run_seconds: request.run_seconds, exit_codes, disruptions: request.disruptions };
    let object = created(&request.manifest, Timestamp::ZERO, TzDatabase::shared()).map_err(|refused| {
        let problem = |(field, message): (String, String)| {
            Problem::at(Code::InvalidObject, &format!("manifest.{field}"), message)
        };
        refused.into_iter().map(problem).collect::<Vec<_>>()
    })?;
    let (text, cannot) = (object.to_string(), |message: String| of_field("manifest", message));
    let worst = match object["kind"].as_str() {
        Some("CronJob") => {
            let cron_job = CronJob::from_json(&text).map_err(|error| cannot(error.to_string()))?;
            WorstCase::of_cron_job(&cron_job, &environment, TzDatabase::shared())
        }
        _ => {
            let job = Job::from_json(&text).map_err(|error| cannot(error.to_string()))?;
            WorstCase::of_job(&job, &environment)
        }
    };
    Ok(worst.map_err(cannot)?.to_json())
}
