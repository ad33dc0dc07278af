//! The cluster's binaries, from Go modules.

use crate::steps::{output, root, run};
use std::path::PathBuf;
use std::process::Command;

const VERSION: &str = "v1.37.2";

/// The control plane, built when it is missing or its sources are newer. The first build takes minutes.
pub(super) fn kube() -> Result<PathBuf, String> {
    build("tests/cluster/kube", root().join("target/cluster/bin/kube"))
}

/// Where [`node`] puts its binary.
pub(super) fn node_path() -> PathBuf {
    root().join("target/cluster/bin/node")
}

/// What a real node needs besides: kube-proxy and CoreDNS.
pub(super) fn node() -> Result<PathBuf, String> {
    build("tests/cluster/node", node_path())
}

fn build(sources: &str, binary: PathBuf) -> Result<PathBuf, String> {
    let sources = root().join(sources);
    let go = Command::new(go()?);
    if is_current(&binary, &sources)? {
        return Ok(binary);
    }
    println!(
        "building {} of Kubernetes {VERSION} from its Go modules; the first time takes 5 to 15 minutes",
        binary.file_name().unwrap_or_default().to_string_lossy()
    );
    let minor = VERSION.trim_start_matches('v').split('.').collect::<Vec<_>>();
    // Without these, kubectl cannot tell which version the server has.
    let flags = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].map(|package| {
        format!(
            "-X {package}.gitVersion={VERSION} -X {package}.gitMajor={} -X {package}.gitMinor={}",
            minor.first().unwrap_or(&""),
            minor.get(1).unwrap_or(&"")
        )
    });
    let mut build = go;
    build.args(["build", "-ldflags", &format!("-s -w {}", flags.join(" ")), "-o"]).arg(&binary).arg(".");
    build.current_dir(&sources);
    run(build)?;
    Ok(binary)
}

fn is_current(binary: &PathBuf, sources: &PathBuf) -> Result<bool, String> {
    let Ok(built) = std::fs::metadata(binary).and_then(|metadata| metadata.modified()) else {
        return Ok(false);
    };
    let files =
        std::fs::read_dir(sources).map_err(|error| format!("cannot read {}: {error}", sources.display()))?;
    for file in files {
        let changed = file.and_then(|file| file.metadata()?.modified());
        if changed.map_err(|error| format!("cannot read {}: {error}", sources.display()))? > built {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Go's command; Debian's package is too old for the module, but can fetch the toolchain that it names.
fn go() -> Result<String, String> {
    for name in ["go", "/usr/local/go/bin/go"] {
        let mut version = Command::new(name);
        version.arg("version");
        if output(version).is_ok() {
            return Ok(name.into());
        }
    }
    crate::tools::apt(&["golang-go"])?;
    Ok("go".into())
}
