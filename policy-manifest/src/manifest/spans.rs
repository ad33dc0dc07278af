//! From field paths to places in the text.

use super::path::Step;
use std::ops::Range;

/// Where one value stands in the text, and the values inside it.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanNode {
    /// The value's bytes; of an alias, those of the alias.
    pub value: Range<usize>,
    /// The values inside.
    pub inside: Inside,
}

/// The values inside a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Inside {
    /// A scalar has none.
    Nothing,
    /// Of a mapping: key, the key's bytes, value.
    Map(Vec<(String, Range<usize>, SpanNode)>),
    /// Of a sequence.
    List(Vec<SpanNode>),
}

/// What a path led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The bytes to point at: a scalar itself, the key of anything larger.
    pub range: Range<usize>,
    /// The bytes of the key, where the value has one.
    pub key: Option<Range<usize>>,
    /// Steps of the path that were found; fewer than its length when the rest does not exist.
    pub found: usize,
}

impl SpanNode {
    /// The place of a path, or of its nearest ancestor that exists.
    pub fn locate(&self, path: &[Step]) -> Located {
        let mut node = self;
        let mut key: Option<&Range<usize>> = None;
        let mut found = 0;
        for step in path {
            let next = match &node.inside {
                Inside::Map(entries) => entries
                    .iter()
                    .rev()
                    .find(|(name, ..)| name == step.text())
                    .map(|(_, key, value)| (Some(key), value)),
                Inside::List(items) => step.index().and_then(|i| items.get(i)).map(|value| (None, value)),
                Inside::Nothing => None,
            };
            let Some((next_key, next_node)) = next else { break };
            (key, node, found) = (next_key, next_node, found + 1);
        }
        let scalar = node.inside == Inside::Nothing && !node.value.is_empty() && found == path.len();
        let range = match key {
            Some(key) if !scalar => key.clone(),
            _ => node.value.clone(),
        };
        Located { range, key: key.cloned(), found }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{path, yaml};

    fn shown<'t>(text: &'t str, at: &str) -> (&'t str, usize) {
        let documents = yaml::parse(text).unwrap();
        let located = documents[0].spans.locate(&path::parse(at));
        (&text[located.range], located.found)
    }

    #[test]
    fn points_at_scalars_and_at_the_keys_of_what_is_larger() {
        let text = "spec:\n  count: five\n  list:\n  - a: 1\n  - b\n";
        assert_eq!(shown(text, "spec.count"), ("five", 2));
        assert_eq!(shown(text, "spec.list"), ("list", 2));
        assert_eq!(shown(text, "spec.list[1]"), ("b", 3));
        assert_eq!(shown(text, "spec.list[0].a"), ("1", 4));
    }

    #[test]
    fn what_does_not_exist_is_shown_at_its_nearest_ancestor() {
        let text = "spec:\n  list:\n  - a: 1\n  empty:\n";
        assert_eq!(shown(text, "spec.gone.deeper"), ("spec", 1));
        assert_eq!(shown(text, "spec.list[7].a"), ("list", 2));
        assert_eq!(shown(text, "spec.empty"), ("empty", 2));
    }
}
