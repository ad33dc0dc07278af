//! Lint on policies and objects that nobody has thought of.

use crate::{cases, options};
use policy_core::job::match_pod_failure_policy;
use policy_core::spec::{PodFailurePolicy, PodStatus};
use policy_sim::lint::{lint, prove};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Map, Value, json};

const CODES: &[i64] = &[0, 1, 2, 3, 42, 137, 143, 255, 256, 300, -1];

fn exit_codes() -> impl Strategy<Value = Value> {
    let values = proptest::sample::subsequence(vec![-1, 1, 2, 3, 42, 137, 143, 255, 256, 300], 1..6);
    let name = prop_oneof![Just(None), Just(Some("main")), Just(Some("prepare"))];
    (name, any::<bool>(), values).prop_map(|(name, is_in, values)| {
        let mut exit = json!({"operator": if is_in { "In" } else { "NotIn" }, "values": values});
        if let Some(name) = name {
            exit["containerName"] = name.into();
        }
        json!({"onExitCodes": exit})
    })
}

fn conditions() -> impl Strategy<Value = Value> {
    let pattern = (
        prop_oneof![Just("DisruptionTarget"), Just("A"), Just("B")],
        prop_oneof![Just("True"), Just("False")],
    )
        .prop_map(|(kind, status)| json!({"type": kind, "status": status}));
    proptest::collection::vec(pattern, 1..3).prop_map(|patterns| json!({"onPodConditions": patterns}))
}

fn rule() -> impl Strategy<Value = Value> {
    let action = prop_oneof![Just("FailJob"), Just("FailIndex"), Just("Ignore"), Just("Count")];
    (action, prop_oneof![2 => exit_codes().boxed(), 1 => conditions().boxed()]).prop_map(
        |(action, mut rule)| {
            rule["action"] = action.into();
            rule
        },
    )
}

/// A Job that the API server takes, with any policy.
fn job() -> impl Strategy<Value = Value> {
    (proptest::collection::vec(rule(), 1..6), any::<bool>()).prop_map(|(rules, bounded)| {
        let mut job = cases::job(json!({
            "completionMode": "Indexed", "completions": 2, "parallelism": 2, "backoffLimitPerIndex": 3,
            "podFailurePolicy": {"rules": rules},
        }));
        if bounded {
            job["spec"]["activeDeadlineSeconds"] = 7200.into();
        }
        job["spec"]["template"]["spec"]["initContainers"] = json!([{"name": "prepare", "image": "busybox"}]);
        job
    })
}

fn pod() -> impl Strategy<Value = PodStatus> {
    let name = prop_oneof![Just("main"), Just("prepare"), Just("injected")];
    let code = prop_oneof![Just(0), Just(1), Just(2), Just(3), Just(42), Just(137), Just(143), 0..=255];
    let container = (name, code)
        .prop_map(|(name, code)| json!({"name": name, "state": {"terminated": {"exitCode": code}}}));
    let kind = prop_oneof![Just("DisruptionTarget"), Just("A"), Just("B"), Just("Ready")];
    let condition = (kind, prop_oneof![Just("True"), Just("False")])
        .prop_map(|(kind, status)| json!({"type": kind, "status": status}));
    let containers = || proptest::collection::vec(container.clone(), 0..3);
    (containers(), containers(), proptest::collection::vec(condition.clone(), 0..3)).prop_map(|(regular, init, conditions)| {
        let status = json!({"phase": "Failed", "containerStatuses": regular, "initContainerStatuses": init, "conditions": conditions});
        serde_json::from_value(status).unwrap()
    })
}

/// The place of the rule that a path names.
fn rule_of(path: &str) -> usize {
    path.split(['[', ']']).nth(1).unwrap().parse().unwrap()
}

/// Every finding's proof holds.
fn shown(manifests: &[Value]) -> Result<(), TestCaseError> {
    for finding in lint(manifests, &options()) {
        let held = prove(&finding).unwrap();
        let broken: Vec<_> = held.iter().filter(|assertion| !assertion.held).collect();
        prop_assert!(
            broken.is_empty(),
            "{} {}: {broken:#?}\n{:#}",
            finding.code.name,
            finding.message,
            finding.proof
        );
    }
    Ok(())
}

/// One of these numbers, or nothing.
fn number(values: &'static [i64]) -> impl Strategy<Value = Option<i64>> {
    proptest::option::of(proptest::sample::select(values))
}

/// The spec of a Job; the API server may refuse it.
fn spec() -> impl Strategy<Value = Value> {
    let numbers = (
        number(&[0, 1, 2, 3, 8, 60, 200]),
        number(&[0, 1, 2, 3, 12, 60, 300]),
        number(&[0, 1, 2, 6, 20, 100]),
        number(&[1, 5, 8, 10, 60, 7200]),
        number(&[0, 1, 100]),
        number(&[0, 1, 3]),
        number(&[0, 1, 2]),
        number(&[1, 20, 5000]),
    );
    let pod = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let indexed = (any::<bool>(), any::<bool>(), any::<bool>(), 0..4_u8);
    (numbers, pod, indexed).prop_map(|(numbers, pod, (is_indexed, suspend, success, policy))| {
        let (completions, parallelism, limit, deadline, ttl, per_index, max_failed, pod_deadline) = numbers;
        let mut spec = json!({"suspend": suspend, "template": {"spec": pod_spec(pod, pod_deadline)}});
        let fields = [
            ("completions", completions),
            ("parallelism", parallelism),
            ("backoffLimit", limit),
            ("activeDeadlineSeconds", deadline),
            ("ttlSecondsAfterFinished", ttl),
            ("backoffLimitPerIndex", per_index.filter(|_| is_indexed)),
            ("maxFailedIndexes", max_failed.filter(|_| is_indexed && per_index.is_some())),
        ];
        for (field, value) in fields {
            if let Some(value) = value {
                spec[field] = value.into();
            }
        }
        if is_indexed {
            spec["completionMode"] = "Indexed".into();
            if success {
                spec["successPolicy"] = json!({"rules": [{"succeededIndexes": "0"}]});
            }
        }
        match policy {
            0 => spec["podReplacementPolicy"] = "Failed".into(),
            1 => spec["podReplacementPolicy"] = "TerminatingOrFailed".into(),
            _ => {}
        }
        spec
    })
}

/// A Pod with a second container, a sidecar, an init container, names.
fn pod_spec(
    (never, second, sidecar, init, named): (bool, bool, bool, bool, bool),
    deadline: Option<i64>,
) -> Value {
    let container = |name: &str| json!({"name": name, "image": format!("{name}:1")});
    let mut containers = vec![container("main")];
    if second {
        containers.push(json!({"name": "second", "image": "second:1", "env": [{"name": "JOB_COMPLETION_INDEX", "value": "0"}],
            "resources": {"requests": {"cpu": "900"}}}));
    }
    let mut init_containers = Vec::new();
    if init {
        init_containers.push(container("prepare"));
    }
    if sidecar {
        init_containers.push(json!({"name": "along", "image": "along:1", "restartPolicy": "Always"}));
    }
    let mut pod = json!({
        "restartPolicy": if never { "Never" } else { "OnFailure" },
        "containers": containers, "initContainers": init_containers, "nodeSelector": {"disk": "none"},
    });
    if named {
        pod["subdomain"] = "names".into();
        pod["hostname"] = "mine".into();
    }
    if let Some(seconds) = deadline {
        pod["activeDeadlineSeconds"] = seconds.into();
    }
    pod
}

fn cron_job() -> impl Strategy<Value = Value> {
    let minute = proptest::sample::select(vec!["0", "30", "*/7", "*/45", "*/15", "*", "5,50", "59"]);
    let hour = proptest::sample::select(vec!["*", "0", "1", "2", "*/5", "*/2", "1-3", "23", "0,1,2,3"]);
    let day = proptest::sample::select(vec!["*", "13", "*/2", "1-7", "31", "30"]);
    let month = proptest::sample::select(vec!["*", "*", "2", "3,10"]);
    let week = proptest::sample::select(vec!["*", "*", "5", "1-5", "*/2", "0"]);
    let zone = proptest::sample::select(vec![
        "Europe/Berlin",
        "America/New_York",
        "Africa/Cairo",
        "Australia/Lord_Howe",
        "Etc/UTC",
        "Asia/Kolkata",
        "America/Santiago",
        "Antarctica/Troll",
        "Africa/Casablanca",
    ]);
    let policy = proptest::sample::select(vec!["Allow", "Forbid", "Replace"]);
    let numbers = (number(&[0, 1, 10, 200]), number(&[0, 1]), number(&[0, 1]));
    let schedule =
        (minute, hour, day, month, week).prop_map(|(a, b, c, d, e)| format!("{a} {b} {c} {d} {e}"));
    (schedule, proptest::option::of(zone), policy, numbers, spec()).prop_map(
        |(schedule, zone, policy, (deadline, failed, successful), spec)| {
            let mut cron_job = json!({
                "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"},
                "spec": {"schedule": schedule, "concurrencyPolicy": policy,
                    "jobTemplate": {"spec": cases::job(spec)["spec"]}},
            });
            let fields = [
                ("startingDeadlineSeconds", deadline),
                ("failedJobsHistoryLimit", failed),
                ("successfulJobsHistoryLimit", successful),
            ];
            for (field, value) in fields {
                if let Some(value) = value {
                    cron_job["spec"][field] = value.into();
                }
            }
            if let Some(zone) = zone {
                cron_job["spec"]["timeZone"] = zone.into();
            }
            cron_job
        },
    )
}

/// Runs of the simulator take longer than most cases.
fn fewer() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: default.cases.div_ceil(4), failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(fewer())]

    #[test]
    fn no_pod_picks_a_rule_that_is_said_to_decide_nothing(job in job(), pods in proptest::collection::vec(pod(), 64)) {
        let policy: PodFailurePolicy = serde_json::from_value(job["spec"]["podFailurePolicy"].clone()).unwrap();
        let findings = lint(&[job], &options());
        let idle: Vec<usize> = findings
            .iter()
            .filter(|finding| matches!(finding.code.name, "rule-never-matches" | "rule-shadowed"))
            .map(|finding| rule_of(&finding.path))
            .collect();
        for pod in &pods {
            if let Some(picked) = match_pod_failure_policy(&policy, pod) {
                prop_assert!(!idle.contains(&(picked.rule as usize)), "{picked:?} {pod:?}");
            }
        }
    }

    #[test]
    fn the_simulator_shows_findings_about_any_policy(job in job()) {
        shown(&[job])?;
    }

    #[test]
    fn the_simulator_shows_findings_about_any_job(spec in spec(), service in any::<bool>()) {
        let service = service.then(|| cases::service("names", json!({"job-name": "work"})));
        shown(&[Some(cases::job(spec)), service].into_iter().flatten().collect::<Vec<_>>())?;
    }

    #[test]
    fn the_simulator_shows_findings_about_any_cron_job(cron_job in cron_job()) {
        shown(&[cron_job])?;
    }

    #[test]
    fn any_json_gets_an_answer(manifests in proptest::collection::vec(any_manifest(), 0..3)) {
        for finding in lint(&manifests, &options()) {
            prop_assert!(!finding.message.is_empty() && !finding.instead.is_empty());
        }
    }
}

/// Keys that are looked at.
const KEYS: &[&str] = &[
    "kind",
    "metadata",
    "name",
    "namespace",
    "spec",
    "jobTemplate",
    "template",
    "containers",
    "initContainers",
    "env",
    "value",
    "schedule",
    "timeZone",
    "podFailurePolicy",
    "rules",
    "onExitCodes",
    "values",
    "operator",
    "completions",
    "parallelism",
    "subdomain",
    "selector",
    "clusterIP",
    "restartPolicy",
    "status",
    "uid",
    "labels",
    "odd",
];

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        proptest::sample::select(CODES).prop_map(Value::from),
        proptest::sample::select(vec![
            "",
            "Job",
            "CronJob",
            "Service",
            "In",
            "0 0 30 2 *",
            "TZ=UTC",
            "\u{e9}\"[",
            "Indexed",
            "None"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let fields = proptest::collection::vec((proptest::sample::select(KEYS), inner.clone()), 0..5);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::from),
            fields.prop_map(|fields| Value::Object(
                fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    })
}

/// Anything, and what is nearly a Job or a CronJob.
fn any_manifest() -> impl Strategy<Value = Value> {
    let near =
        (proptest::sample::select(vec![0_usize, 8, 20, 30]), any::<prop::sample::Index>(), any_value())
            .prop_map(|(skip, place, value)| {
                let cases = cases::cases();
                let mut manifest = cases[skip.min(cases.len() - 1)].bad[0].clone();
                let mut paths = Vec::new();
                pointers(&manifest, String::new(), &mut paths);
                if let Some(target) = manifest.pointer_mut(&paths[place.index(paths.len())]) {
                    *target = value;
                }
                manifest
            });
    let fields = proptest::collection::vec((proptest::sample::select(KEYS), any_value()), 0..6);
    let any = fields.prop_map(|fields| {
        let mut object: Map<String, Value> = fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        object.insert("kind".into(), "Job".into());
        Value::Object(object)
    });
    prop_oneof![near, any, any_value()]
}

fn pointers(value: &Value, at: String, paths: &mut Vec<String>) {
    paths.push(at.clone());
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, inner)| pointers(inner, format!("{at}/{key}"), paths));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(place, inner)| pointers(inner, format!("{at}/{place}"), paths));
        }
        _ => {}
    }
}
