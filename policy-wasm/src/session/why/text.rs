//! An answer as text to copy.

use super::Why;
use policy_core::explain::{Evidence, Verdict};

pub(super) fn of(why: &Why<'_>) -> String {
    let mut text = format!("{}\n", why.summary);
    for finding in &why.findings {
        let held = if finding.verdict == Verdict::Held { "held" } else { "did not hold" };
        text.push_str(&format!("- {} {held}", finding.rule.code()));
        let values: Vec<String> = finding.evidence.iter().map(value).collect();
        if !values.is_empty() {
            text.push_str(&format!(": {}", values.join("; ")));
        }
        text.push('\n');
    }
    for row in &why.decisions {
        let changes =
            row.changes.iter().map(|change| format!("{}: {} to {}", change.field, change.from, change.to));
        let changes: Vec<String> = changes.collect();
        text.push_str(&format!("decision {} at {}s", row.number, row.seconds));
        if !changes.is_empty() {
            text.push_str(&format!(", {}", changes.join(", ")));
        }
        text.push('\n');
    }
    text
}

fn value(item: &Evidence) -> String {
    match item.bound.as_str() {
        "" => format!("{} = {}", item.path, item.value),
        bound => format!("{} = {} ({bound})", item.path, item.value),
    }
}
