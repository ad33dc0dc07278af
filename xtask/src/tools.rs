//! What checks need beyond the pinned toolchain, installed when missing.

use crate::steps::{cargo, output, run};
use std::process::Command;

/// A target without std, for which the core must compile.
pub(crate) const NO_STD: &str = "x86_64-unknown-none";

/// Targets that are built for.
const TARGETS: &[&str] = &[NO_STD, "wasm32-unknown-unknown"];

const CARGO_DENY: &str = "0.20.2";
const CARGO_FUZZ: &str = "0.13.2";

/// Installs the targets.
pub(crate) fn targets() -> Result<(), String> {
    let mut list = Command::new("rustup");
    list.args(["target", "list", "--installed"]).current_dir(crate::steps::root());
    let installed = output(list)?;
    let missing: Vec<&&str> =
        TARGETS.iter().filter(|target| !installed.lines().any(|line| line == **target)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut add = Command::new("rustup");
    add.args(["target", "add"]).args(missing).current_dir(crate::steps::root());
    run(add)
}

/// Installs cargo-deny; without its default features, which only its advisory check needs.
pub(crate) fn cargo_deny() -> Result<(), String> {
    if output(cargo(&["deny", "--version"])).is_ok() {
        return Ok(());
    }
    run(cargo(&["install", "cargo-deny", "--locked", "--version", CARGO_DENY, "--no-default-features"]))
}

/// Installs cargo-fuzz and makes sure of a nightly toolchain, which it needs.
pub(crate) fn cargo_fuzz() -> Result<(), String> {
    output(cargo(&["+nightly", "--version"])).map_err(|error| {
        format!("fuzzing needs a nightly toolchain: `rustup toolchain install nightly`\n{error}")
    })?;
    if output(cargo(&["fuzz", "--version"])).is_ok() {
        return Ok(());
    }
    run(cargo(&["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ]))
}

/// Installs valgrind, which counts instructions.
pub(crate) fn valgrind() -> Result<(), String> {
    let mut version = Command::new("valgrind");
    version.arg("--version");
    if output(version).is_ok() { Ok(()) } else { apt(&["valgrind"]) }
}

/// Installs libfaketime, which gives a process another clock.
pub(crate) fn faketime() -> Result<(), String> {
    let mut version = Command::new("faketime");
    version.arg("--version");
    if output(version).is_ok() { Ok(()) } else { apt(&["faketime"]) }
}

/// Installs Debian packages.
pub(crate) fn apt(packages: &[&str]) -> Result<(), String> {
    let mut update = Command::new("apt-get");
    update.args(["update", "--quiet"]);
    run(update)?;
    let mut install = Command::new("apt-get");
    install.args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(packages);
    run(install)
}
