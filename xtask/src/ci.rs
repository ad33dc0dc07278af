//! `cargo xtask ci`, which is what CI runs, and `verify`, which takes longer.

use crate::steps::{Steps, cargo, root, run as run_command};
use crate::{bench, cluster, fuzz, playground, tidy, tools, wasm};

/// The names of all steps of `ci`; tests/README.md must speak of each.
pub(crate) const STEPS: &[&str] = &[
    "tidy", "fmt", "clippy", "targets", "no-std", "test", "cluster", "wasm", "page", "bench", "doc", "deny",
];

/// How many simulated worlds are run: by `ci --quick`, by `ci`, and by `verify`.
const QUICK_WORLDS: &str = "5000";
const WORLDS: &str = "100000";
const MANY_WORLDS: &str = "1000000";

/// Runs the checks; `quick` leaves out what needs more than the toolchain at hand.
pub(crate) fn run(quick: bool) -> Result<(), String> {
    let mut steps = Steps::new();
    let result = all(&mut steps, quick);
    steps.summary();
    result
}

fn all(steps: &mut Steps, quick: bool) -> Result<(), String> {
    steps.step("tidy", tidy::run)?;
    steps.cargo("fmt", &["fmt", "--all", "--check"])?;
    steps.cargo("clippy", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
    if !quick {
        steps.step("targets", tools::targets)?;
        let core = ["build", "--package", "policy-core", "--lib", "--locked", "--target", tools::NO_STD];
        steps.cargo("no-std", &core)?;
    }
    steps.step("test", || {
        let mut test = cargo(&["test", "--workspace", "--exclude", "cluster-tests", "--locked"]);
        test.env("JOBPOLICY_SEEDS", if quick { QUICK_WORLDS } else { WORLDS });
        run_command(test)
    })?;
    if !quick {
        steps.step("cluster", on_a_cluster)?;
        steps.step("wasm", wasm::test)?;
        steps.step("page", playground::test)?;
        steps.step("bench", || {
            tools::valgrind()?;
            bench::run(&["--check".to_owned()])
        })?;
        steps.step("doc", || {
            let mut doc = cargo(&["doc", "--workspace", "--lib", "--no-deps", "--locked"]);
            doc.env("RUSTDOCFLAGS", "-D warnings");
            run_command(doc)
        })?;
        steps.step("deny", || {
            tools::cargo_deny()?;
            run_command(cargo(&["deny", "--locked", "check", "bans", "licenses", "sources"]))
        })?;
    }
    Ok(())
}

/// Tests of the controller, as a process of its own, on a real API server.
fn on_a_cluster() -> Result<(), String> {
    tests_on_a_cluster(false, &["--", "--test-threads=16"])
}

/// Tests of `tests/cluster`, all or some, on a cluster that is there for them alone.
fn tests_on_a_cluster(is_release: bool, args: &[&str]) -> Result<(), String> {
    let (profile, directory) = if is_release { (&["--release"][..], "release") } else { (&[][..], "debug") };
    run_command(cargo(&[&["build", "--package", "jobpolicy", "--locked"], profile].concat()))?;
    run_command(cargo(&["test", "--package", "cluster-tests", "--no-run", "--locked"]))?;
    cluster::with_cluster(|kube, kubeconfig| {
        let mut test = cargo(&[&["test", "--package", "cluster-tests", "--locked"], args].concat());
        test.env("JOBPOLICY_TEST_KUBE", kube)
            .env("JOBPOLICY_TEST_KUBECONFIG", kubeconfig)
            .env("JOBPOLICY_TEST_BINARY", root().join("target").join(directory).join("jobpolicy"));
        run_command(test)
    })
}

/// What nothing else may run beside: one test after the other, and what they measure is shown.
const ALONE: [&str; 4] = ["--", "--ignored", "--nocapture", "--test-threads=1"];

/// The long checks.
pub(crate) fn verify(args: &fuzz::Args) -> Result<(), String> {
    let mut steps = Steps::new();
    let result = long(&mut steps, args);
    steps.summary();
    result
}

fn long(steps: &mut Steps, args: &fuzz::Args) -> Result<(), String> {
    steps.step("random", || {
        let mut test = cargo(&["test", "--workspace", "--exclude", "cluster-tests", "--locked", "--release"]);
        test.env("PROPTEST_CASES", "20000")
            .env("JOBPOLICY_LIVES", "20000")
            .env("JOBPOLICY_SEEDS", MANY_WORLDS)
            .env("JOBPOLICY_EVENTS", "20000000");
        run_command(test)
    })?;
    let scale =
        ["test", "--package", "policy-sim", "--locked", "--release", "--", "--ignored", "--nocapture"];
    steps.cargo("scale", &scale)?;
    steps.step("faults", || {
        tools::faketime()?;
        tests_on_a_cluster(false, &[&["--test", "faults"], &ALONE[..]].concat())
    })?;
    steps.step("cluster-scale", || tests_on_a_cluster(true, &[&["--test", "scale"], &ALONE[..]].concat()))?;
    steps.step("fuzz", || fuzz::run(args))
}
