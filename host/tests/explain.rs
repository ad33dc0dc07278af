//! What `jobpolicy explain` prints, as snapshots, and that it takes anything.
//! `INSTA_UPDATE=always cargo test -p jobpolicy --test explain` records anew.

mod common;

use common::run;
use jobpolicy::explain::text::{self, View};
use jobpolicy::explain::{self, EventRecord, Objects, World};
use policy_core::Timestamp;
use policy_core::explain::Rule;
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: &str = "--now=2026-01-01T00:01:35Z";
const LATER: &str = "--now=2026-01-01T00:20:00Z";

fn explained(args: &[&str]) -> String {
    let ran = run(&[&["explain"], args].concat(), b"");
    format!("exit code {}\n--- standard output\n{}--- standard error\n{}", ran.code, ran.out, ran.err)
}

macro_rules! snapshots {
    ($($test:ident: $args:expr;)*) => {
        $(
            #[test]
            fn $test() {
                insta::assert_snapshot!(explained(&$args));
            }
        )*
    };
}

snapshots! {
    help: ["--help"];
    failures: ["explain/failures.yaml", NOW];
    failures_in_full: ["explain/failures.yaml", NOW, "--all"];
    failures_as_json: ["explain/failures.yaml", NOW, "-o", "json"];
    failures_after_the_back_off: ["explain/failures.yaml", "--now=2026-01-01T00:03:00Z"];
    failures_after_the_deadline: ["explain/failures.yaml", "--now=2026-01-01T00:10:00Z"];
    recorded_from_a_cluster: ["explain/recorded.json", "--now=2026-11-23T19:47:43.2Z"];
    jobs_that_are_over_or_held: ["explain/ended.yaml", LATER];
    cron_jobs: ["explain/cron.yaml", "cronjob/sync", "--now=2026-01-01T00:11:00Z"];
    cron_jobs_that_do_not_run: ["explain/cron.yaml", LATER, "--only", "cronjob/quartz"];
    cron_jobs_as_yaml: ["explain/cron.yaml", "cj/held", LATER, "-o", "yaml"];
    a_job_that_is_not_created_yet: ["new.yaml", LATER];
    an_invalid_job: ["broken.yaml", "job/Broken_Name", LATER];
    the_text_of_a_rule: ["creation-waits-for-backoff"];
    the_text_of_a_rule_as_json: ["job-ended", "-o", "json"];
    a_rule_with_a_typo: ["creation-waits-for-backof"];
    a_rule_that_there_is_none_of: ["pizza"];
    a_job_that_is_not_there: ["explain/ended.yaml", "job/nobody"];
    a_rule_and_a_file: ["job-ended", "explain/ended.yaml"];
}

#[test]
fn every_rule_is_listed_and_has_a_text() {
    let list = run(&["explain", "--list"], b"").out;
    for rule in Rule::ALL {
        assert!(list.contains(&format!("\n{} ", rule.code())), "{rule} is not listed");
        let ran = run(&["explain", rule.code()], b"");
        assert_eq!(ran.code, 0, "{rule}: {ran:?}");
        assert!(ran.out.contains(rule.upstream()), "{rule}: {}", ran.out);
    }
}

#[test]
fn reads_what_kubectl_prints_from_standard_input() {
    let recorded = std::fs::read(common::data().join("explain/recorded.json")).unwrap();
    let piped = run(&["explain", "-", "job/perindex", "--now=2026-11-23T19:47:43.2Z"], &recorded);
    let read = run(&["explain", "explain/recorded.json", "--now=2026-11-23T19:47:43.2Z"], b"");
    assert_eq!((piped.code, piped.out), (0, read.out));
}

#[test]
fn colours_come_only_when_asked_for() {
    let ran = run(&["explain", "explain/failures.yaml", NOW], b"");
    assert!(!ran.out.contains('\u{1b}'));
    let ran = run(&["explain", "explain/failures.yaml", NOW, "--color=always"], b"");
    assert!(ran.out.contains("\u{1b}[32m✔\u{1b}[0m"), "{}", ran.out);
}

#[test]
fn a_listing_without_pods_says_what_is_missing() {
    let recorded = std::fs::read(common::data().join("explain/recorded.json")).unwrap();
    let mut list: Value = serde_json::from_slice(&recorded).unwrap();
    list["items"].as_array_mut().unwrap().retain(|item| item["kind"] == "Job");
    let ran = run(&["explain", "-"], list.to_string().as_bytes());
    assert!(ran.out.contains("Pods: taken to be gone"), "{}", ran.out);
}

/// The objects of the files that the snapshots are of.
fn fixtures() -> Vec<Value> {
    let read = |name: &str| std::fs::read_to_string(common::data().join("explain").join(name)).unwrap();
    ["failures.yaml", "ended.yaml", "cron.yaml", "recorded.json"]
        .iter()
        .flat_map(|name| jobpolicy::manifest::yaml::parse(&read(name)).unwrap())
        .flat_map(|document| match document.value["items"].as_array() {
            Some(items) => items.clone(),
            None => vec![document.value.clone()],
        })
        .collect()
}

/// Puts `with` at the `place`th value below `value`.
fn replace(value: &mut Value, place: &mut usize, with: &Value) {
    if *place == 0 {
        *value = with.clone();
    }
    *place = place.wrapping_sub(1);
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|value| replace(value, place, with)),
        Value::Array(items) => items.iter_mut().for_each(|value| replace(value, place, with)),
        _ => {}
    }
}

fn explain_all(items: &[Value], now: Timestamp) -> String {
    let mut objects = Objects::default();
    for item in items {
        match item["kind"].as_str() {
            Some("Job") => objects.jobs.extend(serde_json::from_value(item.clone())),
            Some("CronJob") => objects.cron_jobs.extend(serde_json::from_value(item.clone())),
            Some("Pod") => objects.pods.extend(serde_json::from_value(item.clone())),
            _ => objects.events.push(EventRecord::read(item)),
        }
    }
    let world = World::new(&objects);
    let jobs: Vec<_> = objects.jobs.iter().map(|job| explain::job(job, &world, now)).collect();
    let cron_jobs: Vec<_> = objects.cron_jobs.iter().map(|job| explain::cron_job(job, &world, now)).collect();
    let mut text = explain::as_value(&jobs, &cron_jobs, now, "given").to_string();
    for all in [false, true] {
        let view = View { now, all, color: false };
        jobs.iter().for_each(|report| text.push_str(&text::job(report, "", view)));
        cron_jobs.iter().for_each(|report| text.push_str(&text::cron_job(report, "", view)));
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_object_is_explained_without_panic(
        places in prop::collection::vec((0_usize..80, 0_usize..60), 1..6),
        seconds in -5_000_i64..5_000,
        number in any::<i64>(),
        text in ".{0,12}",
    ) {
        let mut items = fixtures();
        let values = [
            json!(null), json!(number), json!(i64::from(number as i32)), json!(text), json!(true), json!([]), json!({}),
            json!("9999-12-31T23:59:59Z"), json!("0001-01-01T00:00:00Z"), json!("Failed"),
        ];
        for (turn, (item, place)) in places.into_iter().enumerate() {
            let count = items.len();
            let with = &values[(item + place + turn) % values.len()];
            replace(&mut items[item % count], &mut (place + 1), with);
        }
        let now = Timestamp::from_unix(1_767_225_600 + seconds, 0).unwrap();
        let explained = explain_all(&items, now);
        prop_assert_eq!(&explained, &explain_all(&items, now));
        let lines = explained.lines().skip(1);
        prop_assert!(lines.flat_map(str::chars).all(|c| !c.is_control()), "{}", explained);
    }
}
