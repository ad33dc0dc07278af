//! The page: built from the WebAssembly package and node's packages, and tested in a browser.

use crate::steps::{cargo, root, run};
use crate::{tools, wasm};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the page's sources are.
fn sources() -> PathBuf {
    root().join("web-playground")
}

/// Where the built page is: static files for any web host, and what the command embeds.
fn built() -> PathBuf {
    root().join("target/playground")
}

/// Builds the page from scratch: the WebAssembly package, the page's own packages, the page.
pub(crate) fn build() -> Result<(), String> {
    wasm::build()?;
    page()
}

/// Builds the page from a WebAssembly package that is there.
fn page() -> Result<(), String> {
    npm(&["ci", "--no-audit", "--no-fund"])?;
    npm(&["run", "build"])?;
    println!("the page is in {}", built().display());
    Ok(())
}

/// Checks the page's types, and tests it in Chromium against the command; the package of the step `wasm` is used.
pub(crate) fn test() -> Result<(), String> {
    if !root().join("target/policy-wasm").is_dir() {
        wasm::build()?;
    }
    page()?;
    // With the page in it: one test serves it from there.
    let features = ["--features", "playground"];
    run(cargo(
        &[&["build", "--package", "jobpolicy", "--bin", "jobpolicy", "--locked"][..], &features].concat(),
    ))?;
    let mut test = npm_command(&["test"]);
    test.env("JOBPOLICY", root().join("target/debug/jobpolicy")).env("CHROMIUM", chromium()?);
    run(test)
}

/// Debian's browser: test tools' own downloads are not used.
fn chromium() -> Result<PathBuf, String> {
    let places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Ok(PathBuf::from(named));
    }
    let find = || places.iter().map(Path::new).find(|place| place.exists());
    if find().is_none() {
        tools::apt(&["chromium"])?;
    }
    find().map(Path::to_path_buf).ok_or_else(|| {
        "no browser is found: `apt-get install chromium`, or name one in the variable CHROMIUM".to_owned()
    })
}

fn npm(args: &[&str]) -> Result<(), String> {
    run(npm_command(args))
}

fn npm_command(args: &[&str]) -> Command {
    let mut npm = Command::new("npm");
    npm.args(args).current_dir(sources());
    npm
}
