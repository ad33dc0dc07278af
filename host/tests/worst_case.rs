//! `worst-case` as users run it.

mod common;

use common::run;
use serde_json::Value;

const JOB: &str = "\
apiVersion: batch/v1
kind: Job
metadata: {name: work}
spec:
  completions: 64
  parallelism: 64
  backoffLimit: 6
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: busybox}]
";

const CRON_JOB: &str = "\
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: '*/5 * * * *'
  jobTemplate:
    spec:
      completions: 4
      completionMode: Indexed
      backoffLimitPerIndex: 1
      podFailurePolicy:
        rules: [{action: Ignore, onExitCodes: {operator: In, values: [42]}}]
      template:
        spec:
          restartPolicy: Never
          containers: [{name: main, image: busybox}]
";

fn json(out: &str) -> Value {
    serde_json::from_str(out).expect(out)
}

#[test]
fn people_get_a_table_with_rules() {
    let ran = run(&["worst-case", "-", "--run-seconds=10"], JOB.as_bytes());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    insta::assert_snapshot!("worst_case_of_a_job", ran.out);
    let ran = run(&["worst-case", "-"], CRON_JOB.as_bytes());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    insta::assert_snapshot!("worst_case_of_a_cron_job", ran.out);
}

#[test]
fn programs_get_every_field_that_is_promised() {
    let both = format!("{JOB}---\n{CRON_JOB}");
    let ran = run(&["worst-case", "-", "--run-seconds=10", "--output=json"], both.as_bytes());
    let answer = json(&ran.out);
    let job = &answer["jobs"][0];
    let failed = &job["bounds"]["failedPods"];
    assert_eq!((&failed["limit"], &failed["rule"]), (&70.into(), &"backoff-limit-exceeded".into()));
    assert_eq!(failed["fields"][1]["field"], "spec.backoffLimit");
    assert_eq!(job["endings"][1]["reason"], "BackoffLimitExceeded");
    assert_eq!((&job["runs"], &job["sampling"]), (&Value::Null, &Value::Null));
    let cron_job = &answer["jobs"][1];
    let ever = &cron_job["bounds"]["podsEver"];
    assert_eq!((&ever["limit"], &ever["unbounded"]), (&Value::Null, &true.into()));
    assert_eq!(ever["wouldBound"][0]["field"], "spec.jobTemplate.spec.activeDeadlineSeconds");
    assert_eq!(cron_job["runs"]["jobsAtOnce"]["unbounded"], true);
    assert_eq!(cron_job["line"], 13);
}

#[test]
fn samples_are_the_same_for_a_seed() {
    let job = JOB.replace("64", "3");
    let sample = |seed: &str| {
        let args = [
            "worst-case",
            "-",
            "--run-seconds=30",
            "--exit-codes=0:0.7,1:0.3",
            "--samples=60",
            seed,
            "-ojson",
        ];
        json(&run(&args, job.as_bytes()).out)["jobs"][0]["sampling"].clone()
    };
    let first = sample("--seed=1");
    assert_eq!(first["samples"], 60);
    let complete = &first["complete"];
    assert!(complete["low"].as_f64() <= complete["probability"].as_f64());
    assert!(first["podMinutes"]["standardError"].as_f64().is_some_and(|error| error > 0.0));
    assert_eq!(first, sample("--seed=1"));
    assert_ne!(first, sample("--seed=2"));
}

#[test]
fn mistakes_end_with_code_2() {
    let invalid = JOB.replace("parallelism: 64", "parallelism: -1");
    let managed = JOB.replace("  completions: 64", "  managedBy: example.com/other\n  completions: 64");
    let large = JOB.replace("parallelism: 64", "parallelism: 2000000");
    let probable = "--exit-codes=0:0.5,1:0.5";
    for (args, input, part) in [
        (&["--run-seconds=1"][..], invalid.as_str(), "spec.parallelism: invalid value"),
        (&[], &managed, "the Job is managed by `example.com/other`, whose rules are not known here"),
        (&["--exit-codes=0:0.9"], JOB, "the probabilities sum to 0.9, not to 1"),
        (&["--exit-codes=0:1,300:0"], JOB, "`300` is not an exit code from 0 to 255"),
        (&[probable], JOB, "it is not said how long containers run"),
        (&["--samples=5", "--exit-codes=0,1"], JOB, "`--samples` needs exit codes with probabilities"),
        (&[probable, "--run-seconds=1"], &large, "a run has 2000000 Pods, and more than 20000 take too long"),
        (&["--run-seconds=-1"], JOB, "invalid value '-1'"),
        (&[], "kind: Pod\napiVersion: v1\nmetadata: {name: p}\n", "there is no Job or CronJob in the input"),
        (&["--only=job/nobody"], JOB, "there is no Job `nobody` in the input"),
    ] {
        let args: Vec<&str> = ["worst-case", "-"].into_iter().chain(args.iter().copied()).collect();
        let ran = run(&args, input.as_bytes());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}: {}", ran.err);
        assert!(ran.err.contains(part), "{args:?}: {}", ran.err);
    }
}

#[test]
fn large_numbers_are_told_and_not_overflown() {
    let job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: work}\nspec:\n  completions: 2147483647\n  \
               parallelism: 2147483647\n  backoffLimit: 2147483646\n  activeDeadlineSeconds: 9223372036854775807\n  \
               template: {spec: {restartPolicy: Never, containers: [{name: main, image: busybox}]}}\n";
    let without = job.replace("  activeDeadlineSeconds: 9223372036854775807\n", "");
    let ran = run(&["worst-case", "-", "--run-seconds=18446744073709551615", "-ojson"], without.as_bytes());
    let answer = json(&ran.out);
    let bounds = &answer["jobs"][0]["bounds"];
    assert_eq!(bounds["secondsToEnd"]["more"], true);
    assert_eq!(bounds["podsEver"]["limit"], 4_294_967_293_u64);
    let ran = run(&["worst-case", "-", "--run-seconds=1"], job.as_bytes());
    assert!(ran.out.contains("the deadline is over before a Pod is created"), "{}", ran.out);
}
