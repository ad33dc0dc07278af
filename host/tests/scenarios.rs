//! Every scenario that comes along, with every variant: what has to be seen is seen, and it takes no time.

use jobpolicy::scenario::{BUNDLED, find};
use policy_sim::scenario::{BASE, Options, Run, Scenario};

/// Runs a scenario; on failure tells what did not hold and the command that shows it.
fn check(name: &str, variant: &str, scenario: &Scenario) -> Result<(), String> {
    let mut run = Run::new(scenario, Options { trace: true, ..Options::default() });
    run.finish();
    let broken: Vec<String> = run
        .assertions()
        .into_iter()
        .filter(|assertion| !assertion.held)
        .map(|assertion| format!("  {}: {}", assertion.text, assertion.found.unwrap_or_default()))
        .collect();
    if broken.is_empty() {
        return Ok(());
    }
    let why = run.why().join("\n    ");
    Err(format!(
        "{name} {variant} ({:?} after {}):\n{}\n  because:\n    {why}\n  jobpolicy scenario run {name} --variant {variant}",
        run.ending(),
        run.elapsed(),
        broken.join("\n"),
    ))
}

#[test]
fn every_scenario_and_variant_is_seen_to_happen() {
    let mut broken = Vec::new();
    for (name, _) in BUNDLED {
        let loaded = find(name).expect(name);
        let variants = loaded.document.variants().map(|variant| variant.name.as_str());
        for variant in std::iter::once(BASE).chain(variants) {
            let scenario = loaded.document.scenario(variant).expect(variant);
            broken.extend(check(name, variant, scenario).err());
        }
    }
    assert!(broken.is_empty(), "{} of them are not:\n{}", broken.len(), broken.join("\n"));
}
