//! The WebAssembly modules: the policy module, and the npm package for pages with its two; built, shrunk, packed and
//! tested in node.

use crate::steps::{cargo, output, root, run};
use crate::tools;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";
/// What the package is made of besides what is generated.
const PACKAGE: &[&str] = &[
    "package.json",
    "index.js",
    "node.js",
    "types.d.ts",
    "simulation.d.ts",
    "manifests.js",
    "manifests.node.js",
    "manifests.d.ts",
    "README.md",
];
/// What a page may have to load, gzipped, in KB: a module that grows beyond it fails the tests.
const BUDGETS_KB: &[(&str, usize)] =
    &[("glue_bg.wasm", 980), ("manifests_glue_bg.wasm", 860), ("zones.bin", 30)];
/// What the policy module may take, gzipped, in KB.
const GUEST_BUDGET_KB: usize = 600;

/// Files whose sizes are told.
const FILES_REPORTED: &[&str] =
    &["glue_bg.wasm", "glue.js", "manifests_glue_bg.wasm", "manifests_glue.js", "zones.bin"];

/// Where the package is put together.
fn package() -> PathBuf {
    root().join("target/policy-wasm")
}

/// Where the policy module is.
fn guest() -> PathBuf {
    root().join("target/policy_guest.wasm")
}

/// Builds both modules and puts the package together.
pub(crate) fn build() -> Result<(), String> {
    tools::targets()?;
    npm(&["ci", "--no-audit", "--no-fund"], &root().join("xtask/wasm-opt"))?;
    module("policy-guest", "wasm")?;
    module("policy-wasm", "wasm-page")?;
    module("policy-wasm-manifests", "wasm-page")?;
    let package = package();
    fresh(&package)?;
    for (name, out) in [("policy_wasm", "glue"), ("policy_wasm_manifests", "manifests_glue")] {
        // They are not shrunk: what that saves in bytes it costs after compression, which is what a page waits for.
        glue(&built(name, "wasm-page"), &package, out)?;
    }
    shrink(&built("policy_guest", "wasm"), &guest(), "-O3")?;
    copy(&root().join("policy-zones/src/zones.bin"), &package.join("zones.bin"))?;
    for file in PACKAGE {
        copy(&root().join("policy-wasm").join(file), &package.join(file))?;
    }
    copy(&root().join("LICENSE"), &package.join("LICENSE"))?;
    for file in FILES_REPORTED {
        report(&package.join(file))?;
    }
    report(&guest()).map(drop)
}

/// Checks that no module has grown beyond what it may take.
fn budgets() -> Result<(), String> {
    let package = BUDGETS_KB.iter().map(|(file, budget)| (package().join(file), *budget));
    for (file, budget) in package.chain([(guest(), GUEST_BUDGET_KB)]) {
        let size = report(&file)?;
        if size > budget {
            return Err(format!("{}: {size} KB gzipped, at most {budget} are allowed", file.display()));
        }
    }
    Ok(())
}

/// Builds, packs the package as npm would publish it, and runs its tests against what was packed.
pub(crate) fn test() -> Result<(), String> {
    build()?;
    budgets()?;
    let place = root().join("target/policy-wasm-test");
    fresh(&place)?;
    let destination = place.to_string_lossy().into_owned();
    npm(&["pack", "--pack-destination", &destination], &package())?;
    write(&place.join("package.json"), br#"{"private":true,"type":"module"}"#)?;
    let packed = archive(&place)?;
    npm(&["install", "--no-audit", "--no-fund", "--offline", &packed], &place)?;
    copy(&root().join("policy-wasm/tests/wasm.test.js"), &place.join("wasm.test.js"))?;
    run(cargo(&[
        "build",
        "--package",
        "jobpolicy",
        "--bin",
        "jobpolicy",
        "--example",
        "scenario_runs",
        "--locked",
    ]))?;
    let runs = output(cargo(&[
        "run",
        "--package",
        "jobpolicy",
        "--example",
        "scenario_runs",
        "--locked",
        "--quiet",
    ]))?;
    write(&place.join("runs.json"), runs.as_bytes())?;
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec", "wasm.test.js"])
        .current_dir(&place)
        .env("JOBPOLICY", root().join("target/debug/jobpolicy"))
        .env("JOBPOLICY_EXPECTED", place.join("runs.json"))
        .env("JOBPOLICY_GUEST", guest())
        .env("JOBPOLICY_VECTORS", root().join("tests/conformance/vectors"));
    run(node)
}

fn module(name: &str, profile: &str) -> Result<(), String> {
    run(cargo(&["build", "--package", name, "--lib", "--locked", "--target", TARGET, "--profile", profile]))
}

fn built(name: &str, profile: &str) -> PathBuf {
    root().join("target").join(TARGET).join(profile).join(format!("{name}.wasm"))
}

/// Makes the JavaScript around a module, with a tool that is built when it is first needed.
fn glue(module: &Path, package: &Path, name: &str) -> Result<(), String> {
    let manifest = root().join("xtask/wasm-bindgen/Cargo.toml");
    let target = root().join("target/wasm-bindgen");
    let mut tool = cargo(&["run", "--release", "--locked", "--quiet", "--manifest-path"]);
    tool.arg(manifest).arg("--target-dir").arg(target).arg("--").arg(module).arg(package).arg(name);
    run(tool)
}

fn shrink(from: &Path, to: &Path, level: &str) -> Result<(), String> {
    let mut opt = Command::new("node");
    opt.arg(root().join("xtask/wasm-opt/node_modules/.bin/wasm-opt"));
    // What rustc uses of newer WebAssembly for this target.
    let features = [
        "--enable-bulk-memory",
        "--enable-mutable-globals",
        "--enable-nontrapping-float-to-int",
        "--enable-sign-ext",
        "--enable-reference-types",
        "--enable-multivalue",
    ];
    opt.args(features).args([level, "--strip-debug", "--strip-producers"]).arg(from).arg("-o").arg(to);
    run(opt)
}

/// Says how large a file is, and how large on its way to a page, which is what it returns, in KB.
fn report(file: &Path) -> Result<usize, String> {
    let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    let packed = packed.write_all(&bytes).and_then(|()| packed.finish());
    let packed = packed.map_err(|error| format!("{}: {error}", file.display()))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let size = packed.len() / 1000;
    println!("{name}: {} KB, {size} KB gzipped", bytes.len() / 1000);
    Ok(size)
}

fn npm(args: &[&str], directory: &Path) -> Result<(), String> {
    let mut npm = Command::new("npm");
    npm.args(args).current_dir(directory);
    run(npm)
}

/// The one archive of a directory.
fn archive(directory: &Path) -> Result<String, String> {
    let entries = fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let found = names.find(|name| name.ends_with(".tgz"));
    found.map(|name| format!("./{name}")).ok_or_else(|| "`npm pack` has left no archive".to_owned())
}

fn fresh(directory: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", directory.display());
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    fs::create_dir_all(directory).map_err(failed)
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::copy(from, to).map(drop).map_err(|error| format!("{}: {error}", from.display()))
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(file, bytes).map_err(|error| format!("{}: {error}", file.display()))
}
