//! What all worlds together must have been through, so that a change after which less is tried is noticed.

use super::tally::Tally;
use policy_core::explain::Rule;
use serde_json::Value;

/// Recorded at so many worlds; other runs are held to their share.
fn recorded() -> Value {
    serde_json::from_str(include_str!("floors.json")).expect("floors.json is JSON")
}

/// Rules that valid Jobs on an API server cannot meet, and why.
const OUT_OF_REACH: [(Rule, &str); 3] = [
    (
        Rule::EndWaitsForUncountedPods,
        "a listed Pod loses its finalizer in the same sync, or the sync ends with an error",
    ),
    (Rule::UnknownCompletionMode, "the API server refuses such a Job"),
    (Rule::JobUnusable, "the API server refuses such a Job"),
];

/// What falls short.
pub(crate) fn shortfalls(tally: &Tally) -> Vec<String> {
    let floors = recorded();
    let at = floors["worlds"].as_u64().expect("a number of worlds");
    let share = |floor: u64| floor * tally.worlds / at;
    let mut short = Vec::new();
    for (name, floor) in floors["totals"].as_object().expect("totals by name") {
        let (floor, count) = (share(floor.as_u64().unwrap_or(u64::MAX)), tally.totals.get(name.as_str()));
        if count.copied().unwrap_or(0) < floor {
            short.push(format!("{name}: {count:?}, at least {floor} are expected"));
        }
    }
    // A few worlds cannot meet every rule.
    let rare = floors["rare"].as_array().expect("a list of rules");
    for rule in Rule::ALL.iter().filter(|rule| rule.domain() == "job" && tally.worlds >= at / 50) {
        let is_rare = rare.iter().any(|code| code == rule.code()) && tally.worlds < at;
        let out_of_reach = OUT_OF_REACH.iter().any(|(other, _)| other == rule);
        if !is_rare && !out_of_reach && !tally.rules.contains_key(rule.code()) {
            short.push(format!("the rule {} held nowhere", rule.code()));
        }
    }
    short
}
