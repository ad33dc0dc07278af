//! YAML to JSON and back.

use crate::place::{Place, problem};
use policy_manifest::manifest::{self, Manifest, Source};
use policy_manifest::written;
use policy_wasm::{Answer, Code};
use serde::Serialize;
use serde_json::Value;

/// What a text is called in messages.
pub(crate) const NAME: &str = "text";

/// An object and where it stands.
#[derive(Clone, Debug, Serialize)]
pub struct ManifestAt {
    /// The object.
    pub object: Value,
    /// Its place.
    pub place: Place,
}

impl From<&Manifest> for ManifestAt {
    fn from(manifest: &Manifest) -> Self {
        let range = manifest.locate("").range;
        ManifestAt { object: manifest.object.clone(), place: Place::of(&manifest.source, &range) }
    }
}

/// The objects of a text of YAML or JSON; lists are taken apart.
///
/// # Errors
/// Where the text is neither, or holds something else.
pub fn manifests(text: &str) -> Answer<Vec<ManifestAt>> {
    let read = manifest::parse(&Source::new(NAME, text));
    let read = read.map_err(|diagnostic| vec![problem(Code::MalformedYaml, &diagnostic)])?;
    Ok(read.iter().map(ManifestAt::from).collect())
}

/// A value as YAML, or several as documents of one text.
pub fn to_yaml(value: &Value) -> String {
    written::to_string(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_and_written() {
        let text = "kind: Job\nmetadata:\n  name: a\n---\nkind: Job\nmetadata:\n  name: b\n";
        let read = manifests(text).unwrap();
        assert_eq!((read.len(), read[1].place.line, read[1].place.from), (2, 5, 34));
        assert_eq!(to_yaml(&read[0].object), "kind: Job\nmetadata:\n  name: a\n");
        let wrong = manifests("a: b: c\n").unwrap_err();
        assert_eq!(wrong[0].code, Code::MalformedYaml);
        assert!(wrong[0].message.starts_with("line 1, column "), "{}", wrong[0].message);
    }
}
