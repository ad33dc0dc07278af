//! Manifests: any bytes are read or refused with a message that can be shown; fields are found at places inside the
//! text; what is written as YAML reads back the same.
#![no_main]

use jobpolicy::manifest::{Source, parse, yaml};
use jobpolicy::render;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let source = match Source::from_bytes("f".to_owned(), bytes.to_vec()) {
        Ok(source) => source,
        Err(problem) => return assert!(!problem.render(true).is_empty()),
    };
    let manifests = match parse(&source) {
        Ok(manifests) => manifests,
        Err(problem) => return assert!(!problem.render(false).is_empty()),
    };
    for manifest in manifests {
        for field in ["", "metadata.name", "spec.template.spec.containers[0].name", "a[0][b]", "x"] {
            let range = manifest.locate(field).range;
            assert!(source.text.get(range).is_some(), "{field} is not in the text");
        }
        let written = render::yaml::to_string(&manifest.object);
        let again = yaml::parse(&written).expect("what is written is YAML");
        assert_eq!(again[0].value, manifest.object, "{written}");
    }
});
