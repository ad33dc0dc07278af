//! What people and programs see, as snapshots. `INSTA_UPDATE=always cargo test -p jobpolicy --test output` records anew.

mod common;

use common::{Ran, command, run};
use serde_json::Value;

/// Everything a run printed, for a snapshot.
fn shown(ran: &Ran) -> String {
    format!("exit code {}\n--- standard output\n{}--- standard error\n{}", ran.code, ran.out, ran.err)
}

macro_rules! snapshots {
    ($($test:ident: $args:expr;)*) => {
        $(
            #[test]
            fn $test() {
                insta::assert_snapshot!(shown(&run(&$args, b"")));
            }
        )*
    };
}

const NOW: &str = "--now=2026-01-01T00:01:00Z";
const FROM: &str = "--from=2026-03-28T00:00:00Z";

snapshots! {
    help: ["--help"];
    help_of_decide: ["decide", "--help"];
    help_of_schedule: ["schedule", "--help"];
    help_of_validate: ["validate", "--help"];
    version: ["version"];
    decide_a_job_with_pods: ["decide", "job-with-pods.yaml", NOW];
    decide_a_job_with_pods_as_json: ["decide", "job-with-pods.yaml", NOW, "--output", "json"];
    decide_what_is_not_created_yet: ["decide", "new.yaml", NOW];
    decide_an_invalid_job: ["decide", "broken.yaml", NOW, "--only", "job/Broken_Name"];
    decide_an_object_that_is_not_there: ["decide", "new.yaml", "--only", "job/nobody"];
    schedule_across_a_change_of_clocks: ["schedule", "30 2 * * *", FROM, "--time-zone", "Europe/Berlin", "--next", "3"];
    schedule_of_a_file: ["schedule", "new.yaml", FROM, "--next=2"];
    schedule_of_a_file_as_yaml: ["schedule", "new.yaml", FROM, "--next=2", "--output=yaml"];
    schedule_that_is_invalid: ["schedule", "61 2 * * *", FROM];
    schedule_in_no_zone: ["schedule", "@daily", FROM, "--time-zone=Berlin"];
    schedule_that_never_comes: ["schedule", "0 0 31 2 *", FROM];
    schedule_without_quotes: ["schedule", "*/5"];
    validate_good_and_bad: ["validate", "broken.yaml", "new.yaml"];
    validate_good_and_bad_as_json: ["validate", "broken.yaml", "new.yaml", "--output=json"];
    validate_nothing: ["validate", "missing.yaml"];
}

#[test]
fn messages_are_coloured_when_asked() {
    let ran = run(&["validate", "broken.yaml", "--color=always"], b"");
    assert!(ran.out.contains("\u{1b}["), "{}", ran.out);
    let ran = run(&["validate", "broken.yaml", "--color=never"], b"");
    assert!(!ran.out.contains('\u{1b}'), "{}", ran.out);
}

#[test]
fn yaml_and_json_output_say_the_same() {
    let json = run(&["decide", "job-with-pods.yaml", NOW, "-o", "json"], b"");
    let yaml = run(&["decide", "job-with-pods.yaml", NOW, "-o", "yaml"], b"");
    let read = jobpolicy::manifest::yaml::parse(&yaml.out).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&json.out).unwrap(), read[0].value);
}

#[test]
fn the_system_clock_is_named_when_it_is_used() {
    let ran = run(&["schedule", "@hourly"], b"");
    assert!(ran.out.contains("(system clock)"), "{}", ran.out);
    let ran = run(&["schedule", "@hourly", "-o", "json"], b"");
    assert!(ran.out.contains("\"clock\": \"system\""), "{}", ran.out);
}

#[test]
fn updates_are_checked_against_the_old_object() {
    let old = std::fs::read_to_string(common::data().join("stored.yaml")).unwrap();
    let ran = run(&["validate", "--old", "stored.yaml", "-"], old.as_bytes());
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = run(
        &["validate", "--old", "stored.yaml", "-"],
        old.replace("completions: 4", "completions: 5").as_bytes(),
    );
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.out.contains("spec.completions: invalid value: field is immutable\n  --> <stdin>:10:"),
        "{}",
        ran.out
    );
}

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = run(&["completions", shell], b"");
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("jobpolicy") && ran.out.contains("time-zone"), "{shell}");
    }
}

#[cfg(unix)]
#[test]
fn works_as_a_kubectl_plugin() {
    let directory = std::env::temp_dir().join(format!("jobpolicy-plugin-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let plugin = directory.join("kubectl-jobpolicy");
    let _ = std::fs::remove_file(&plugin);
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_jobpolicy"), &plugin).unwrap();
    let help = std::process::Command::new(&plugin).args(["validate", "--help"]).output().unwrap();
    assert!(String::from_utf8_lossy(&help.stdout).contains("Usage: kubectl jobpolicy validate"));
    std::fs::remove_dir_all(&directory).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    for args in [&["schedule", "@daily"][..], &["validate", "new.yaml"], &["version"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = command(args).stdout(full).stderr(std::process::Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write standard output"), "{args:?}");
    }
}
