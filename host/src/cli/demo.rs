//! What `jobpolicy` does without arguments: a demo.

use super::console::{Console, OutputArgs};
use super::scenario::{RunOptions, compare};
use super::{Failure, Outcome, Verdict};
use crate::scenario::find;
use policy_sim::scenario::BASE;

const NAME: &str = "pod-failure-policy-failjob";
const VARIANT: &str = "policy-off";

/// Runs the tutorial about Pod failure policies with the policy and without it.
pub(super) fn run(console: &mut Console) -> Outcome {
    let loaded = find(NAME).map_err(Failure::Problems)?;
    let chosen = |variant: &str| {
        loaded
            .document
            .scenario(variant)
            .map_err(|problem| crate::diagnostic::Diagnostic::error(problem.message))
    };
    let (on, off) = (chosen(BASE)?, chosen(VARIANT)?);
    console.text(
        "A Job whose program has a bug, in a virtual Kubernetes cluster: with a Pod failure policy, and without one.\n\n",
    );
    compare::run((on, BASE), (off, VARIANT), &RunOptions::default(), OutputArgs::default(), console)?;
    console.text(&format!(
        "\nAll of it was computed just now, on a virtual clock. Go on with:\n  \
         jobpolicy scenario list\n  \
         jobpolicy scenario run {NAME} --compare {VARIANT}\n  \
         jobpolicy simulate JOB.yaml --exit-code 42 --run-time 30s\n  \
         jobpolicy --help\n"
    ));
    Ok(Verdict::Yes)
}
