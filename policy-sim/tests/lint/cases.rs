//! For each code, a manifest that has the finding, and the one that its advice leads to.

use serde_json::{Value, json};

/// What is wrong, and what is right.
pub(crate) struct Case {
    pub(crate) code: &'static str,
    pub(crate) path: &'static str,
    pub(crate) bad: Vec<Value>,
    pub(crate) good: Vec<Value>,
    /// The advice only makes the manifest shorter: it means the same.
    pub(crate) same_outcome: bool,
}

fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(target.entry(key).or_insert(Value::Null), value);
            }
        }
        (target, patch) => *target = patch,
    }
}

/// A Job with these fields in its spec.
pub(crate) fn job(spec: Value) -> Value {
    let mut job = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "work"},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]}}},
    });
    merge(&mut job["spec"], spec);
    job
}

/// The same, with a deadline.
fn bounded(mut spec: Value) -> Value {
    spec["activeDeadlineSeconds"] = 7200.into();
    job(spec)
}

/// An Indexed Job with a deadline.
fn indexed(mut spec: Value) -> Value {
    spec["completionMode"] = "Indexed".into();
    merge(&mut spec, json!({"activeDeadlineSeconds": 7200}));
    if spec.get("completions").is_none() {
        spec["completions"] = 3.into();
    }
    job(spec)
}

fn rules(rules: Value) -> Value {
    bounded(json!({"podFailurePolicy": {"rules": rules}}))
}

/// A CronJob with these fields in its spec, and a deadline for its Jobs.
fn cron_job(spec: Value) -> Value {
    let mut cron_job = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"},
        "spec": {"schedule": "0 * * * *", "jobTemplate": {"spec": bounded(json!({}))["spec"]}},
    });
    merge(&mut cron_job["spec"], spec);
    cron_job
}

fn on(codes: Value) -> Value {
    json!({"operator": "In", "values": codes})
}

fn disrupted() -> Value {
    json!([{"type": "DisruptionTarget", "status": "True"}])
}

/// A headless Service.
pub(crate) fn service(name: &str, selector: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"clusterIP": "None", "selector": selector}})
}

fn case(code: &'static str, path: &'static str, bad: Value, good: Value) -> Case {
    Case { code, path, bad: vec![bad], good: vec![good], same_outcome: false }
}

fn same(case: Case) -> Case {
    Case { same_outcome: true, ..case }
}

pub(crate) fn cases() -> Vec<Case> {
    [refused(), policies(), jobs(), indexes(), cron_jobs()].into_iter().flatten().collect()
}

fn refused() -> Vec<Case> {
    let named = |name: &str| {
        rules(
            json!([{"action": "FailJob", "onExitCodes": {"containerName": name, "operator": "In", "values": [42]}}]),
        )
    };
    vec![
        case(
            "invalid-manifest",
            "spec.completions",
            job(json!({"completions": -1})),
            job(json!({"completions": 1})),
        ),
        case(
            "invalid-manifest",
            "spec.paralelism",
            job(json!({"paralelism": 1})),
            job(json!({"parallelism": 1})),
        ),
        case(
            "container-name-unknown",
            "spec.podFailurePolicy.rules[0].onExitCodes.containerName",
            named("mian"),
            named("main"),
        ),
    ]
}

fn policies() -> Vec<Case> {
    let all: Vec<i32> = (1..=255).collect();
    let fail = |codes: Value| json!({"action": "FailJob", "onExitCodes": on(codes)});
    let ignore = |codes: Value| json!({"action": "Ignore", "onExitCodes": on(codes)});
    let count = |codes: Value| json!({"action": "Count", "onExitCodes": on(codes)});
    let disruption = json!({"action": "Ignore", "onPodConditions": disrupted()});
    let custom = |action: &str, kind: &str| json!({"action": action, "onPodConditions": [{"type": kind, "status": "True"}]});
    vec![
        same(case(
            "rule-never-matches",
            "spec.podFailurePolicy.rules[0].onExitCodes.values",
            rules(json!([{"action": "FailJob", "onExitCodes": {"operator": "NotIn", "values": all}}])),
            rules(json!([{"action": "FailJob", "onExitCodes": {"operator": "NotIn", "values": [0, 2]}}])),
        )),
        case(
            "rule-never-matches",
            "spec.podFailurePolicy.rules[0].onExitCodes.values",
            rules(json!([fail(json!([300]))])),
            rules(json!([fail(json!([44]))])),
        ),
        case(
            "rule-shadowed",
            "spec.podFailurePolicy.rules[1]",
            rules(json!([fail(json!([1, 42])), ignore(json!([42]))])),
            rules(json!([ignore(json!([42])), fail(json!([1, 42]))])),
        ),
        case(
            "rule-shadowed",
            "spec.podFailurePolicy.rules[1]",
            rules(json!([custom("FailJob", "Broken"), custom("Ignore", "Broken")])),
            rules(json!([custom("Ignore", "Broken")])),
        ),
        case(
            "fail-job-pre-empts-ignore",
            "spec.podFailurePolicy.rules[1].onPodConditions[0]",
            rules(json!([fail(json!([1, 143])), disruption])),
            rules(json!([disruption, fail(json!([1, 143]))])),
        ),
        case(
            "fail-job-pre-empts-ignore",
            "spec.podFailurePolicy.rules[1].onPodConditions[0]",
            rules(
                json!([{"action": "FailJob", "onExitCodes": {"operator": "NotIn", "values": [3, 143]}}, disruption]),
            ),
            rules(
                json!([disruption, {"action": "FailJob", "onExitCodes": {"operator": "NotIn", "values": [3, 143]}}]),
            ),
        ),
        case(
            "fail-job-pre-empts-ignore",
            "spec.podFailurePolicy.rules[1].onExitCodes.values[1]",
            rules(json!([fail(json!([1, 42])), ignore(json!([3, 42]))])),
            rules(json!([fail(json!([1])), ignore(json!([3, 42]))])),
        ),
        case(
            "disruption-target-too-late",
            "spec.podFailurePolicy.rules[1].onPodConditions[0]",
            rules(json!([count(json!([137, 143])), disruption])),
            rules(json!([disruption, count(json!([137, 143]))])),
        ),
        case(
            "value-shadowed",
            "spec.podFailurePolicy.rules[1].onExitCodes.values[0]",
            rules(json!([ignore(json!([1, 2])), fail(json!([2, 3]))])),
            rules(json!([ignore(json!([1])), fail(json!([2, 3]))])),
        ),
        case(
            "value-shadowed",
            "spec.podFailurePolicy.rules[1].onPodConditions[1]",
            rules(json!([custom("Ignore", "A"), {"action": "FailJob", "onPodConditions": [
                {"type": "B", "status": "True"}, {"type": "A", "status": "True"}]}])),
            rules(json!([{"action": "FailJob", "onPodConditions": [
                {"type": "B", "status": "True"}, {"type": "A", "status": "True"}]}])),
        ),
        case(
            "exit-code-out-of-range",
            "spec.podFailurePolicy.rules[0].onExitCodes.values[1]",
            rules(json!([fail(json!([3, 300]))])),
            rules(json!([fail(json!([3, 44]))])),
        ),
        same(case(
            "exit-code-out-of-range",
            "spec.podFailurePolicy.rules[0].onExitCodes.values[1]",
            rules(json!([fail(json!([3, 256]))])),
            rules(json!([fail(json!([3]))])),
        )),
        case(
            "ignore-without-bound",
            "spec.podFailurePolicy.rules[0]",
            job(json!({"podFailurePolicy": {"rules": [ignore(json!([42]))]}})),
            rules(json!([ignore(json!([42]))])),
        ),
        same(case(
            "count-rule-idle",
            "spec.podFailurePolicy.rules[0]",
            rules(json!([count(json!([1]))])),
            rules(json!([count(json!([1])), fail(json!([2]))])),
        )),
    ]
}

fn jobs() -> Vec<Case> {
    let never = |fields: Value| {
        let mut spec = json!({"activeDeadlineSeconds": 7200});
        merge(&mut spec, fields);
        job(spec)
    };
    let pod = |fields: Value| json!({"template": {"spec": fields}});
    vec![
        case("no-deadline", "spec", job(json!({})), job(json!({"activeDeadlineSeconds": 600}))),
        case(
            "deadline-in-template",
            "spec.template.spec.activeDeadlineSeconds",
            job(pod(json!({"activeDeadlineSeconds": 30}))),
            job(json!({"activeDeadlineSeconds": 30})),
        ),
        case(
            "deadline-before-retry",
            "spec.activeDeadlineSeconds",
            job(json!({"activeDeadlineSeconds": 8})),
            job(json!({"activeDeadlineSeconds": 3600})),
        ),
        case(
            "one-round-ends-job",
            "spec.parallelism",
            never(json!({"parallelism": 10, "completions": 10})),
            never(json!({"parallelism": 10, "completions": 10, "backoffLimit": 10})),
        ),
        case(
            "logs-lost",
            "spec.template.spec.restartPolicy",
            never(pod(json!({"restartPolicy": "OnFailure"}))),
            never(json!({})),
        ),
        case(
            "ttl-zero",
            "spec.ttlSecondsAfterFinished",
            never(json!({"ttlSecondsAfterFinished": 0})),
            never(json!({"ttlSecondsAfterFinished": 3600})),
        ),
    ]
}

fn indexes() -> Vec<Case> {
    let pod = |fields: Value| json!({"template": {"spec": fields}});
    let named = |fields: Value| {
        let mut spec = json!({"parallelism": 3, "template": {"spec": {"subdomain": "names"}}});
        merge(&mut spec, fields);
        indexed(spec)
    };
    let container =
        |name: &str| json!([{"name": "main", "image": "busybox", "env": [{"name": name, "value": "7"}]}]);
    let selecting = |label: &str| service("names", json!({"job-name": label}));
    vec![
        case(
            "back-off-blocks-indexes",
            "spec.backoffLimitPerIndex",
            indexed(json!({"backoffLimitPerIndex": 2})),
            indexed(json!({"backoffLimitPerIndex": 2, "parallelism": 2})),
        ),
        case(
            "completion-index-overridden",
            "spec.template.spec.containers[0].env[0]",
            indexed(pod(json!({"containers": container("JOB_COMPLETION_INDEX")}))),
            indexed(pod(json!({"containers": container("INDEX")}))),
        ),
        same(case(
            "hostname-overwritten",
            "spec.template.spec.hostname",
            indexed(pod(json!({"hostname": "mine"}))),
            indexed(json!({})),
        )),
        case(
            "index-list-too-large",
            "spec.completions",
            indexed(json!({"completions": 10_000_000, "parallelism": 100_000})),
            indexed(json!({"completions": 2_000, "parallelism": 10})),
        ),
        Case {
            bad: vec![named(json!({}))],
            good: vec![named(json!({})), selecting("work")],
            ..case("indexed-dns-without-service", "spec.template.spec.subdomain", json!({}), json!({}))
        },
        Case {
            bad: vec![named(json!({})), selecting("other")],
            good: vec![named(json!({})), selecting("work")],
            ..case("service-names-no-pod", "spec.template.spec.subdomain", json!({}), json!({}))
        },
    ]
}

fn cron_jobs() -> Vec<Case> {
    let at = |schedule: &str| cron_job(json!({"schedule": schedule}));
    let berlin = |schedule: &str| cron_job(json!({"schedule": schedule, "timeZone": "Europe/Berlin"}));
    let endless = |fields: Value| {
        let mut cron_job = cron_job(fields);
        cron_job["spec"]["jobTemplate"] = json!({"spec": job(json!({}))["spec"]});
        cron_job
    };
    let forbid = json!({"concurrencyPolicy": "Forbid"});
    let mut short = cron_job(forbid.clone());
    short["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] = 600.into();
    vec![
        case("schedule-never-fires", "spec.schedule", at("0 0 30 2 *"), at("0 0 28 2 *")),
        case("schedule-days-are-ored", "spec.schedule", at("0 0 13 * 5"), at("0 0 * * 5")),
        case("schedule-uneven", "spec.schedule", at("*/45 * * * *"), at("*/30 * * * *")),
        case("schedule-uneven", "spec.schedule", at("5 */5 * * *"), at("5 */6 * * *")),
        case("run-skipped-by-dst", "spec.schedule", berlin("30 2 * * *"), berlin("30 4 * * *")),
        case("run-repeated-by-dst", "spec.schedule", berlin("30 2 * * *"), berlin("30 4 * * *")),
        case(
            "run-skipped-by-dst",
            "spec.schedule",
            cron_job(json!({"schedule": "0 0 * * *", "timeZone": "Africa/Cairo"})),
            cron_job(json!({"schedule": "0 4 * * *", "timeZone": "Africa/Cairo"})),
        ),
        case(
            "starting-deadline-zero",
            "spec.startingDeadlineSeconds",
            cron_job(json!({"startingDeadlineSeconds": 0})),
            cron_job(json!({"startingDeadlineSeconds": 100})),
        ),
        case("forbid-without-deadline", "spec.concurrencyPolicy", endless(forbid), short),
        same(case("no-deadline", "spec.jobTemplate.spec", endless(json!({})), at("0 * * * *"))),
        case(
            "failed-history-zero",
            "spec.failedJobsHistoryLimit",
            with_failing(json!({"failedJobsHistoryLimit": 0})),
            with_failing(json!({"failedJobsHistoryLimit": 1})),
        ),
    ]
}

/// A CronJob whose Jobs are not tried again.
fn with_failing(fields: Value) -> Value {
    let mut cron_job = cron_job(fields);
    cron_job["spec"]["jobTemplate"]["spec"]["backoffLimit"] = 0.into();
    cron_job
}
