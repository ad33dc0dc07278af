//! `jobpolicy version`.

use super::console::{Console, OutputArgs};
use super::{Outcome, Verdict};
use serde_json::json;

/// The version, and that of the rules.
pub(super) const TEXT: &str = concat!(env!("CARGO_PKG_VERSION"), " (rules of Kubernetes v1.37.2)");

/// Print the version
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Outcome {
    console.result(
        args.output.output,
        || json!({ "version": env!("CARGO_PKG_VERSION"), "kubernetes": policy_core::KUBERNETES_VERSION }),
        |_| format!("jobpolicy {TEXT}\n"),
    );
    Ok(Verdict::Yes)
}
