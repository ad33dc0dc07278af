//! Every scenario that comes along, with every variant: what has to be seen is seen, and it takes no time.

use jobpolicy::scenario::{BUNDLED, find};
use policy_sim::scenario::{BASE, Document, Options, Run, RunReport};
use std::time::{Duration, Instant};

/// The variant with ten thousand Jobs, which has a test of its own.
const MANY: (&str, &str) = ("template-expansion", "many");

const TRACED: Options = Options { seed: None, until: None, trace: true };

fn documents() -> Vec<Document> {
    BUNDLED.iter().map(|(name, _)| find(name).expect(name).document).collect()
}

/// Every scenario with every variant, apart from the large one.
fn each(mut act: impl FnMut(&Document, &str)) {
    for document in documents() {
        let variants = document.variants().map(|variant| variant.name.clone()).collect::<Vec<_>>();
        for variant in std::iter::once(BASE).chain(variants.iter().map(String::as_str)) {
            if (document.base().name.as_str(), variant) != MANY {
                act(&document, variant);
            }
        }
    }
}

/// What does not hold in a run, with the command that shows it.
fn broken(name: &str, variant: &str, run: &Run<'_>) -> Option<String> {
    let broken: Vec<String> = run
        .assertions()
        .into_iter()
        .filter(|assertion| !assertion.held)
        .map(|assertion| format!("  {}: {}", assertion.text, assertion.found.unwrap_or_default()))
        .collect();
    let show = format!("jobpolicy scenario run {name} --variant {variant}");
    let (ending, elapsed, why) = (run.ending(), run.elapsed(), run.why().join("\n    "));
    let text = || format!("{show} ({ending:?} after {elapsed})\n{}\n  because\n    {why}", broken.join("\n"));
    (!broken.is_empty()).then(text)
}

#[test]
fn every_scenario_and_variant_is_seen_to_happen() {
    let mut all = Vec::new();
    each(|document, variant| {
        let mut run = Run::new(document.scenario(variant).expect(variant), TRACED);
        run.finish();
        all.extend(broken(&document.base().name, variant, &run));
    });
    assert!(all.is_empty(), "{} are not:\n{}", all.len(), all.join("\n"));
}

#[test]
fn ten_thousand_items_are_all_done() {
    let document = find(MANY.0).expect(MANY.0).document;
    let mut run = Run::new(document.scenario(MANY.1).expect(MANY.1), Options::default());
    run.finish();
    assert_eq!(broken(MANY.0, MANY.1, &run), None);
}

/// The bar is 50 ms in a release build; tests are built with less optimisation and run beside each other.
#[test]
fn a_tutorial_takes_no_time() {
    each(|document, variant| {
        let scenario = document.scenario(variant).expect(variant);
        let took = (0..3).map(|_| {
            let began = Instant::now();
            Run::new(scenario, TRACED).finish();
            began.elapsed()
        });
        let best = took.min().unwrap_or_default();
        assert!(best < Duration::from_millis(500), "{} {variant} took {best:?}", document.base().name);
    });
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let bytes = |document: &Document, variant: &str, seed: u64| {
        let options = Options { seed: Some(seed), ..TRACED };
        let mut run = Run::new(document.scenario(variant).expect(variant), options);
        run.finish();
        serde_json::to_vec(&RunReport { run: &run, variant }).expect("reports are JSON")
    };
    each(|document, variant| {
        assert_eq!(bytes(document, variant, 7), bytes(document, variant, 7), "{variant}");
    });
    let document = find("coarse-work-queue").expect("it comes along").document;
    assert_ne!(bytes(&document, BASE, 7), bytes(&document, BASE, 8));
}

#[test]
fn claims_hold_for_other_seeds_too() {
    let mut all = Vec::new();
    for seed in 1..4 {
        each(|document, variant| {
            let options = Options { seed: Some(seed), ..Options::default() };
            let mut run = Run::new(document.scenario(variant).expect(variant), options);
            run.finish();
            all.extend(broken(&document.base().name, &format!("{variant} --seed {seed}"), &run));
        });
    }
    assert!(all.is_empty(), "{} do not:\n{}", all.len(), all.join("\n"));
}

#[test]
fn quiescent_runs_say_what_they_wait_for() {
    each(|document, variant| {
        let mut run = Run::new(document.scenario(variant).expect(variant), Options::default());
        if run.finish() == policy_sim::Ending::Quiescent {
            let why = run.why().join("\n");
            assert!(why.contains("nothing is under way"), "{why}");
            assert!(run.why().len() > 1 || !run.world.store.has_unfinished_jobs(), "{why}");
        }
    });
}
