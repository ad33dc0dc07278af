//! Lint: any manifests get findings without a panic, the same twice, each at a field and with a proof that is a scenario.
#![no_main]

use jobpolicy::manifest::{Source, parse};
use libfuzzer_sys::fuzz_target;
use policy_sim::lint::{Options, lint};
use policy_sim::scenario::Document;

fuzz_target!(|bytes: &[u8]| {
    let Ok(source) = Source::from_bytes("f".to_owned(), bytes.to_vec()) else { return };
    let Ok(manifests) = parse(&source) else { return };
    let objects: Vec<_> = manifests.iter().map(|manifest| manifest.object.clone()).collect();
    let findings = lint(&objects, &Options::default());
    assert_eq!(findings.len(), lint(&objects, &Options::default()).len(), "two answers to one input");
    for finding in findings {
        let manifest = &manifests[finding.object.document];
        assert!(source.text.get(manifest.locate(&finding.path).range).is_some(), "{} is not in the text", finding.path);
        if finding.code.name != "invalid-manifest" {
            Document::load(finding.proof).expect("a proof is a scenario");
        }
    }
});
