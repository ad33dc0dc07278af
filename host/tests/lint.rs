//! `jobpolicy lint`: what it prints, at which lines, with which exit code; and what it says about the tutorials.

mod common;

use common::run;
use jobpolicy::scenario;
use policy_sim::lint::{ALL, Options, Severity, lint, prove};
use serde_json::Value;

const FROM: &str = "--from=2026-01-01T00:00:00Z";

fn json(args: &[&str]) -> Value {
    let ran = run(args, b"");
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

#[test]
fn findings_are_shown_at_their_lines() {
    let ran = run(&["lint", "lint.yaml", FROM], b"");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("error: rule-shadowed: rule 1 (Ignore) never decides"), "{}", ran.out);
    assert!(ran.out.contains(" --> lint.yaml:11:7\n"), "{}", ran.out);
    assert!(ran.out.contains("help: move the rule before rule 0"), "{}", ran.out);
    assert!(ran.out.contains("on 2026-03-29 the run of 02:30 does not happen"), "{}", ran.out);
    assert!(ran.out.ends_with("2 objects, 1 error, 2 warnings, 1 info\n"), "{}", ran.out);
}

#[test]
fn programs_get_fields_and_proofs() {
    let value = json(&["lint", "lint.yaml", FROM, "--output=json", "--prove"]);
    assert_eq!((&value["errors"], &value["warnings"], &value["infos"]), (&1.into(), &2.into(), &1.into()));
    let first = &value["findings"][0];
    assert_eq!(first["code"], "rule-shadowed");
    assert_eq!((&first["line"], &first["column"], &first["shown"]), (&11.into(), &7.into(), &true.into()));
    assert_eq!(first["proof"]["name"], "lint-rule-shadowed");
    let unproved = json(&["lint", "lint.yaml", FROM, "--output=json"]);
    assert_eq!(unproved["findings"][0]["shown"], Value::Null);
}

#[test]
fn the_exit_code_follows_the_severities_that_are_left() {
    let code = |args: &[&str]| run(&[&["lint", "lint.yaml", FROM], args].concat(), b"").code;
    let ignored = "--ignore=rule-shadowed,run-skipped-by-dst,run-repeated-by-dst";
    assert_eq!(code(&[]), 1);
    assert_eq!(code(&[ignored]), 0);
    assert_eq!(code(&[ignored, "--strict"]), 1);
    assert_eq!(code(&[ignored, "--ignore", "no-deadline", "--strict"]), 0);
    assert_eq!(code(&["--ignore=no-such-code"]), 2);
    assert_eq!(run(&["lint", "missing.yaml"], b"").code, 2);
    assert_eq!(run(&["lint", "-"], b"kind: Secret").code, 2);
}

#[test]
fn a_proof_is_a_scenario_that_runs() {
    let ran = run(&["lint", "lint.yaml", FROM, "--proof=run-skipped-by-dst"], b"");
    assert_eq!(ran.code, 0, "{ran:?}");
    let shown = run(&["scenario", "run", "-"], ran.out.as_bytes());
    assert_eq!(shown.code, 0, "{shown:?}");
    assert!(shown.out.contains("1 of 1 hold"), "{}", shown.out);
    let none = run(&["lint", "lint.yaml", FROM, "--proof=ttl-zero"], b"");
    assert_eq!(none.code, 2);
    assert!(none.err.contains("there is no finding `ttl-zero`"), "{}", none.err);
}

#[test]
fn proofs_and_reports_are_written() {
    let folder = std::env::temp_dir().join(format!("jobpolicy-lint-{}", std::process::id()));
    let (proofs, report) = (folder.join("proofs"), folder.join("lint.xml"));
    std::fs::create_dir_all(&folder).unwrap();
    let args = [
        "lint",
        "lint.yaml",
        FROM,
        "--github",
        "--proof-dir",
        proofs.to_str().unwrap(),
        "--junit",
        report.to_str().unwrap(),
    ];
    let ran = run(&args, b"");
    assert!(
        ran.out.starts_with("::error file=lint.yaml,line=11,col=7,title=jobpolicy lint%3A rule-shadowed::"),
        "{}",
        ran.out
    );
    let mut names: Vec<_> =
        std::fs::read_dir(&proofs).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names[0], "01-rule-shadowed.yaml");
    assert_eq!(names.len(), 4);
    let xml = std::fs::read_to_string(&report).unwrap();
    assert!(xml.contains("tests=\"4\" failures=\"3\"") && xml.contains("lint.yaml:11:7: error: "), "{xml}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_tutorials_have_no_errors_and_no_warnings() {
    for (name, _) in scenario::BUNDLED {
        let loaded = scenario::find(name).unwrap();
        let manifests = &loaded.document.base().manifests;
        for finding in lint(manifests, &Options::default()) {
            assert_eq!(finding.severity, Severity::Info, "{name}: {} {}", finding.code.name, finding.message);
            let held = prove(&finding).unwrap();
            assert!(held.iter().all(|assertion| assertion.held), "{name}: {}: {held:#?}", finding.code.name);
        }
    }
}

#[test]
fn what_the_tutorials_warn_of_is_found() {
    for (scenario, variant, code) in [
        ("pod-failure-policy-more", "never-matches", "rule-shadowed"),
        ("indexed-dns", "no-service", "indexed-dns-without-service"),
        ("indexed-dns", "wrong-selector", "service-names-no-pod"),
        ("cron-hello", "spring-night", "run-skipped-by-dst"),
        ("cron-hello", "autumn-night", "run-repeated-by-dst"),
        ("cron-hello", "forbid", "forbid-without-deadline"),
    ] {
        let loaded = scenario::find(scenario).unwrap();
        let manifests = &loaded.document.scenario(variant).unwrap().manifests;
        let findings = lint(manifests, &Options::default());
        let codes: Vec<&str> = findings.iter().map(|finding| finding.code.name).collect();
        assert!(codes.contains(&code), "{scenario} {variant}: {codes:?}");
    }
}

#[test]
fn the_documentation_has_every_code() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/lint.md")).unwrap();
    for code in ALL {
        let row = format!(
            "| `{}` | {} | {} | {} | {} | {} |",
            code.name,
            code.severity.as_str(),
            code.what,
            code.why,
            code.upstream,
            code.instead
        );
        assert!(text.contains(&row), "docs/lint.md lacks\n{row}");
    }
    let listed = json(&["lint", "--list", "--output=json"]);
    assert_eq!(listed["codes"].as_array().unwrap().len(), ALL.len());
}
