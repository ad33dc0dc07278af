//! Rules about disruptions that come after rules for the exit codes that disruptions cause.

use super::Cx;
use crate::lint::witness::{Witness, pick};
use crate::lint::{Finding, codes};

/// What containers end with when their Pod is stopped: 128 + SIGTERM if they heed it, 128 + SIGKILL if not.
const STOPPED: [i32; 2] = [143, 137];

pub(super) fn check(cx: &Cx<'_>, rule: usize) -> Option<Finding> {
    let patterns = cx.rule(rule).filter(|rule| rule.on_exit_codes.is_none())?.on_pod_conditions.as_ref()?;
    let place = patterns.iter().position(|p| p.kind == "DisruptionTarget" && p.status == "True")?;
    let target = Witness::Condition { kind: "DisruptionTarget".into(), status: "True".into() };
    let disrupted = |witnesses: &[Witness]| pick(cx.policy, witnesses).map(|picked| picked.rule as usize);
    // A rule that does not decide about a disruption by itself is shadowed anyway.
    if disrupted(std::slice::from_ref(&target)) != Some(rule) {
        return None;
    }
    let names = cx.subject.container_names();
    let pods = names.iter().flat_map(|name| STOPPED.map(|code| (*name, code)));
    let mut taken = pods.filter_map(|(name, code)| {
        let exit = Witness::Exit { container: name.to_owned(), code };
        let by = disrupted(&[exit.clone(), target.clone()]).filter(|by| *by != rule)?;
        (cx.action(by) != cx.action(rule)).then_some((exit, code, by))
    });
    let (exit, code, by) = taken.next()?;
    let (earlier, later) = (cx.action(by), cx.action(rule));
    let finding = match (earlier, later) {
        ("FailJob", "Ignore") => &codes::FAIL_JOB_PRE_EMPTS_IGNORE,
        _ => &codes::DISRUPTION_TARGET_TOO_LATE,
    };
    let signal = if code == 137 { "SIGKILL" } else { "SIGTERM" };
    let message = format!(
        "rule {rule} ({later}) is meant for disruptions, but rule {by} ({earlier}) comes first and takes those whose containers end with exit code {code} ({signal}), as they do when a Pod is stopped"
    );
    let instead = format!(
        "move rule {rule} before rule {by}: a disruption is told by the condition DisruptionTarget, not by 137 or 143"
    );
    let path = cx.path(rule, &format!(".onPodConditions[{place}]"));
    cx.shown(finding, (path, rule), &[exit, target], (message, instead))
}
