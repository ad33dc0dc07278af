//! Bounds that are known and reached; `random` tries whether any run exceeds one.

use super::*;
use crate::config::Act;
use policy_core::explain::Rule;
use policy_core::spec::validation::{CreateContext, Rules, validate_create};

mod random;

/// A Job as the API server would store it.
pub(super) fn stored(spec: &Value) -> Value {
    let manifest =
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "work"}, "spec": spec});
    let raw = serde_json::value::to_raw_value(&manifest).unwrap();
    let rules = Rules { time_zones: crate::zones::TzDatabase::shared(), allow_privileged: true };
    let review = validate_create(&raw, &CreateContext::default(), &rules);
    assert!(review.errors.is_empty() && review.decode_error.is_none(), "{spec}: {:?}", review.errors);
    serde_json::to_value(review.defaulted.unwrap()).unwrap()
}

pub(super) fn worst_of(job: &Value, environment: &Environment) -> WorstCase {
    let job: Job = serde_json::from_str(&job.to_string()).unwrap();
    WorstCase::of_job(&job, environment).unwrap()
}

/// A spec with a Pod template of one container.
fn spec(restart: &str, fields: Value) -> Value {
    let mut spec = json!({"template": {"spec": {"restartPolicy": restart,
        "containers": [{"name": "main", "image": "busybox"}]}}});
    for (key, value) in fields.as_object().unwrap() {
        spec[key] = value.clone();
    }
    spec
}

fn environment(run_seconds: u64, codes: &str) -> Environment {
    let exit_codes = ExitCodes::parse(codes).unwrap();
    Environment { run_seconds: Some(run_seconds), exit_codes, disruptions: false }
}

fn seconds(bound: &Bound) -> f64 {
    bound.limit.finite().unwrap() as f64 / 1_000.0
}

fn ran(spec: &Value, script: Vec<Act>) -> Sample {
    Sampler::with_script(&stored(spec), script, None).unwrap().run(0, 0)
}

#[test]
fn sixty_four_pods_fail_with_a_backoff_limit_of_six() {
    let spec = spec("Never", json!({"completions": 64, "parallelism": 64, "backoffLimit": 6}));
    let together = ran(&spec, vec![Act::Run(10_000), Act::Exit(1)]);
    assert_eq!((together.reason.as_str(), together.failed, together.pods), ("BackoffLimitExceeded", 64, 64));
    let worst = worst_of(&stored(&spec), &environment(10, "0,1"));
    assert_eq!(worst.failed_pods.limit, Limit::Finite(70));
    assert_eq!(worst.pods_ever.limit, Limit::Finite(70));
    assert_eq!(worst.pods_at_once.limit, Limit::Finite(64));
}

#[test]
fn a_row_of_failures_reaches_the_longest_time() {
    let spec = spec("Never", json!({"backoffLimit": 6}));
    let sample = ran(&spec, vec![Act::Run(30_000), Act::Exit(1)]);
    let worst = worst_of(&stored(&spec), &environment(30, "0,1"));
    assert_eq!((sample.pods, worst.pods_ever.limit), (7, Limit::Finite(7)));
    assert_eq!(worst.longest_backoff.limit, Limit::Finite(320_000));
    let (reached, bound) = (sample.millis as f64 / 1_000.0, seconds(&worst.time_to_end));
    assert!(reached <= bound && bound < reached + 10.0, "{reached} of {bound}");
    assert_eq!(worst.time_to_end.rule, Rule::BackoffLimitExceeded);
}

#[test]
fn a_crash_loop_reaches_the_longest_time() {
    let spec = spec("OnFailure", json!({"backoffLimit": 6}));
    let sample = ran(&spec, vec![Act::Run(30_000), Act::Exit(1)]);
    let worst = worst_of(&stored(&spec), &environment(30, "0,1"));
    assert_eq!(worst.pods_ever.limit, Limit::Finite(1));
    assert_eq!(worst.longest_backoff.limit, Limit::Finite(160_000));
    let (reached, bound) = (sample.millis as f64 / 1_000.0, seconds(&worst.time_to_end));
    assert!(reached <= bound && bound < reached + 10.0, "{reached} of {bound}");
    assert_eq!(worst.time_to_end.rule, Rule::RestartLimitExceeded);
}

#[test]
fn indexes_reach_their_bounds() {
    let fields = json!({"completionMode": "Indexed", "completions": 3, "parallelism": 1,
        "backoffLimitPerIndex": 2});
    let spec = spec("Never", fields);
    let sample = ran(&spec, vec![Act::Run(5_000), Act::Exit(1)]);
    let worst = worst_of(&stored(&spec), &environment(5, "0,1"));
    assert_eq!((sample.pods, sample.failed), (9, 9));
    assert_eq!((worst.pods_ever.limit, worst.failed_pods.limit), (Limit::Finite(9), Limit::Finite(9)));
    let (reached, bound) = (sample.millis as f64 / 1_000.0, seconds(&worst.time_to_end));
    assert!(reached <= bound && bound < reached * 1.15, "{reached} of {bound}");
}

#[test]
fn what_is_unbounded_names_what_would_bound_it() {
    let worst = worst_of(&stored(&spec("Never", json!({}))), &Environment::default());
    assert!(worst.time_to_end.limit.is_unbounded());
    let remedy = &worst.time_to_end.remedies[0];
    assert_eq!(remedy.field.to_string(), "spec.activeDeadlineSeconds 3600");
    assert_eq!(remedy.limit, Limit::Finite(3_631_000));
    let policy = json!({"rules": [{"action": "Ignore", "onExitCodes": {"operator": "In", "values": [42]}}]});
    let ignoring = spec("Never", json!({"podFailurePolicy": policy}));
    let worst = worst_of(&stored(&ignoring), &environment(30, "0,42"));
    assert!(worst.pods_ever.limit.is_unbounded());
    assert_eq!(worst.pods_ever.rule, Rule::PodFailurePolicyRuleMatched);
    let fields: Vec<String> = worst.pods_ever.remedies.iter().map(|r| r.field.path.clone()).collect();
    assert_eq!(fields, ["spec.activeDeadlineSeconds", "spec.podFailurePolicy.rules[0].action"]);
    // No container exits with what is ignored: the policy does not matter.
    let worst = worst_of(&stored(&ignoring), &environment(30, "0,1"));
    assert_eq!(worst.pods_ever.limit, Limit::Finite(7));
}

#[test]
fn endings_are_those_that_can_be() {
    let names = |spec: &Value, environment: &Environment| -> Vec<String> {
        let worst = worst_of(&stored(spec), environment);
        let name = |e: &Ending| format!("{} {}", e.outcome.as_str(), e.reason.unwrap_or("-"));
        worst.endings.iter().map(name).collect()
    };
    let any = environment(10, "0,1");
    assert_eq!(
        names(&spec("Never", json!({})), &any),
        ["Complete CompletionsReached", "Failed BackoffLimitExceeded"]
    );
    assert_eq!(names(&spec("Never", json!({})), &environment(10, "0")), ["Complete CompletionsReached"]);
    let never = spec("Never", json!({"parallelism": 0}));
    assert_eq!(names(&never, &any), ["never -"]);
    let long = spec("Never", json!({"activeDeadlineSeconds": 100_000}));
    assert!(!names(&long, &any).contains(&"Failed DeadlineExceeded".to_owned()), "it has ended by then");
    let indexed = json!({"completionMode": "Indexed", "completions": 4, "backoffLimitPerIndex": 1,
        "maxFailedIndexes": 2, "successPolicy": {"rules": [{"succeededCount": 2}]}});
    assert_eq!(
        names(&spec("Never", indexed), &any),
        ["Complete SuccessPolicy", "Failed MaxFailedIndexesExceeded", "Failed FailedIndexes"]
    );
}

#[test]
fn no_number_is_too_large() {
    for fields in [
        json!({"completions": i32::MAX, "parallelism": i32::MAX, "backoffLimit": i32::MAX}),
        json!({"completions": i32::MAX, "parallelism": 1, "backoffLimit": i32::MAX - 1}),
        json!({"parallelism": i32::MAX, "activeDeadlineSeconds": i64::MAX}),
        json!({"activeDeadlineSeconds": 9_223_372_036_i64, "backoffLimit": i32::MAX}),
        json!({"completions": 0}),
    ] {
        for restart in ["Never", "OnFailure"] {
            for run_seconds in [0, 1, u64::MAX] {
                for disruptions in [false, true] {
                    let run_seconds = Some(run_seconds);
                    let environment = Environment { run_seconds, disruptions, ..Environment::default() };
                    worst_of(&stored(&spec(restart, fields.clone())), &environment).to_json();
                }
            }
        }
    }
    // As upstream has it, seconds become nanoseconds with wrap-around: this deadline is over at once.
    let worst =
        worst_of(&stored(&spec("Never", json!({"activeDeadlineSeconds": i64::MAX}))), &environment(1, "0"));
    assert_eq!(worst.pods_ever.limit, Limit::ZERO);
}

#[test]
fn runs_of_a_cron_job_overlap_unless_they_must_not() {
    let cron_job = |policy: &str, deadline: Value| -> CronJob {
        let mut job = spec("OnFailure", json!({}));
        job["activeDeadlineSeconds"] = deadline;
        let spec =
            json!({"schedule": "* * * * *", "concurrencyPolicy": policy, "jobTemplate": {"spec": job}});
        serde_json::from_str(&json!({"metadata": {"name": "c"}, "spec": spec}).to_string()).unwrap()
    };
    let zones = crate::zones::TzDatabase::shared();
    let runs = |policy: &str, deadline: Value| {
        let environment = Environment::default();
        WorstCase::of_cron_job(&cron_job(policy, deadline), &environment, zones).unwrap().runs.unwrap()
    };
    let open = runs("Allow", Value::Null).jobs_at_once;
    assert!(open.limit.is_unbounded());
    let helps: Vec<String> = open.remedies.iter().map(|r| r.field.to_string()).collect();
    assert_eq!(helps, ["spec.concurrencyPolicy Forbid", "spec.jobTemplate.spec.activeDeadlineSeconds 3600"]);
    assert_eq!(runs("Allow", json!(90)).jobs_at_once.limit, Limit::Finite(3));
    assert_eq!(runs("Forbid", Value::Null).jobs_at_once.limit, Limit::Finite(1));
    assert_eq!(runs("Replace", Value::Null).jobs_at_once.limit, Limit::Finite(1));
    assert_eq!(runs("Replace", Value::Null).pods_at_once.limit, Limit::Finite(2));
}

#[test]
fn the_job_of_a_run_gets_the_defaults_of_jobs() {
    let job =
        spec("Never", json!({"completionMode": "Indexed", "completions": 20, "backoffLimitPerIndex": 0}));
    let spec = json!({"schedule": "@daily", "jobTemplate": {"spec": job}});
    let cron_job: CronJob = serde_json::from_str(&json!({"spec": spec}).to_string()).unwrap();
    let zones = crate::zones::TzDatabase::shared();
    let worst = WorstCase::of_cron_job(&cron_job, &environment(1, "0,1"), zones).unwrap();
    assert_eq!(worst.failed_pods.limit, Limit::Finite(20), "backoffLimit is as good as none, and not 6");
}

#[test]
fn samples_depend_on_nothing_but_seed_and_number() {
    let job = stored(&spec("Never", json!({"completions": 5, "parallelism": 2, "backoffLimit": 2})));
    let sampler = Sampler::new(&job, &environment_with("0:0.8,1:0.2")).unwrap();
    let samples: Vec<Sample> = (0..200).map(|number| sampler.run(7, number)).collect();
    assert_eq!(sampler.run(7, 150), samples[150]);
    let estimate = Estimate::of(&samples);
    assert!((0.6..0.95).contains(&estimate.complete), "{estimate:?}");
    assert_eq!(estimate.endings.values().sum::<usize>(), 200);
    let none = Sampler::new(&job, &environment_with("0")).unwrap_err();
    assert_eq!(none, "the exit codes have no probabilities");
}

fn environment_with(codes: &str) -> Environment {
    environment(30, codes)
}
