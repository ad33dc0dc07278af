//! Lint: for each code a manifest that has the finding and one that has not, and the simulator between the two.

use policy_core::Timestamp;
use policy_sim::lint::{ALL, Finding, Options, lint, prove};
use policy_sim::scenario::{Document, Run};
use serde_json::{Value, json};

#[path = "lint/cases.rs"]
mod cases;
#[path = "lint/random.rs"]
mod random;

use cases::{Case, cases};

fn options() -> Options {
    Options { from: Timestamp::parse("2026-01-01T00:00:10Z").unwrap() }
}

fn find<'f>(findings: &'f [Finding], code: &str) -> Option<&'f Finding> {
    findings.iter().find(|finding| finding.code.name == code)
}

/// What a run of a scenario says about assertions that do not hold.
fn broken(scenario: Value) -> Vec<String> {
    let document = Document::load(scenario.clone()).unwrap_or_else(|problems| {
        panic!("{}\n{scenario:#}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    });
    let mut run = Run::new(document.base(), Default::default());
    run.finish();
    let broken = run.assertions().into_iter().filter(|assertion| !assertion.held);
    broken.map(|assertion| format!("{}: {}", assertion.text, assertion.found.unwrap_or_default())).collect()
}

fn codes_of(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.code.name).collect()
}

#[test]
fn each_code_has_a_case() {
    let known: Vec<&str> = cases().iter().map(|case| case.code).collect();
    for code in ALL {
        assert!(known.contains(&code.name), "{} has no case", code.name);
    }
}

#[test]
fn what_is_wrong_is_found_at_its_place_and_what_is_right_is_not() {
    for Case { code, path, bad, good, .. } in cases() {
        let findings = lint(&bad, &options());
        let finding = find(&findings, code).unwrap_or_else(|| panic!("{code}: {:?}", codes_of(&findings)));
        assert_eq!(finding.path, path, "{code}");
        let findings = lint(&good, &options());
        assert!(find(&findings, code).is_none(), "{code} in what is right: {:?}", codes_of(&findings));
    }
}

#[test]
fn the_simulator_shows_every_finding() {
    for Case { code, bad, good, .. } in cases() {
        for finding in lint(&bad, &options()).iter().chain(&lint(&good, &options())) {
            let held = prove(finding).unwrap_or_else(|problems| panic!("{code}: {problems:?}"));
            let broken: Vec<_> = held.iter().filter(|assertion| !assertion.held).collect();
            let proof = &finding.proof;
            assert!(broken.is_empty(), "{} of {code}: {broken:#?}\n{proof:#}", finding.code.name);
            assert!(!held.is_empty(), "{code}");
        }
    }
}

#[test]
fn with_what_is_right_it_comes_out_otherwise() {
    for Case { code, bad, good, same_outcome, .. } in cases() {
        if same_outcome {
            continue;
        }
        let findings = lint(&bad, &options());
        let mut proof = find(&findings, code).unwrap().proof.clone();
        if proof["manifests"].as_array().is_some_and(Vec::is_empty) {
            proof["actions"][0]["apply"] = good[0].clone();
        } else {
            proof["manifests"] = good.iter().rev().cloned().collect();
        }
        assert!(!broken(proof).is_empty(), "{code}: the proof holds for what is right, too");
    }
}

#[test]
fn objects_that_others_look_after_and_other_kinds_are_passed_over() {
    let mut job = cases::job(json!({}));
    job["spec"]["managedBy"] = "example.com/other".into();
    let others = [job, json!({"kind": "Deployment"}), json!({}), json!(null), json!([1])];
    assert!(lint(&others, &options()).is_empty());
}

#[test]
fn what_a_cluster_added_does_not_matter() {
    let mut job = cases::job(json!({"ttlSecondsAfterFinished": 0}));
    job["metadata"]["uid"] = "a".into();
    job["metadata"]["resourceVersion"] = "7".into();
    job["spec"]["selector"] = json!({"matchLabels": {"batch.kubernetes.io/controller-uid": "a"}});
    job["status"] = json!({"active": 1});
    assert!(find(&lint(&[job], &options()), "ttl-zero").is_some());
}

#[test]
fn findings_are_about_their_objects() {
    let manifests =
        [json!({"kind": "Secret"}), cases::job(json!({})), cases::job(json!({"ttlSecondsAfterFinished": 0}))];
    let findings = lint(&manifests, &options());
    let of: Vec<(usize, &str)> = findings.iter().map(|f| (f.object.document, f.code.name)).collect();
    assert_eq!(of, [(1, "no-deadline"), (2, "ttl-zero"), (2, "no-deadline")]);
    let finding = &findings[1];
    assert_eq!(serde_json::to_value(finding).unwrap()["code"], "ttl-zero");
    assert_eq!((finding.object.namespace.as_str(), finding.object.name.as_str()), ("default", "work"));
}
