//! Variants: an overlay is merged into a document as `kubectl apply` would merge lists of named items.
//!
//! Mappings merge, `null` removes a key, everything else replaces. Lists whose items have identities (`name`, or `kind`
//! and `metadata.name`) merge item by item; new items go to the end, except for `behaviours`, where the first match
//! decides and a variant's exceptions therefore come first. `$patch: delete` removes an item, `$patch: replace` replaces.

use super::problem::{FieldPath, PathStep};
use serde_json::{Map, Value};

/// The key that says what to do with an item.
const DIRECTIVE: &str = "$patch";

/// The document with the overlay laid over it.
pub(crate) fn merged(base: &Value, overlay: &Value) -> Value {
    merge(Some(base), overlay, "")
}

fn merge(base: Option<&Value>, overlay: &Value, key: &str) -> Value {
    match (base, overlay) {
        (base, Value::Object(fields)) => {
            let replace = directive(overlay) == Some("replace");
            let base = base.and_then(Value::as_object).filter(|_| !replace);
            Value::Object(merge_mappings(base, fields))
        }
        (Some(Value::Array(base)), Value::Array(items)) => match pairs(base, items, key) {
            Some(pairs) => pairs
                .into_iter()
                .filter_map(|pair| match pair {
                    (Some(old), Some(new)) => Some(merge(base.get(old), items.get(new)?, "")),
                    (None, Some(new)) => Some(merge(None, items.get(new)?, "")),
                    (Some(old), None) => base.get(old).cloned(),
                    (None, None) => None,
                })
                .collect(),
            None => overlay.clone(),
        },
        _ => overlay.clone(),
    }
}

fn merge_mappings(base: Option<&Map<String, Value>>, overlay: &Map<String, Value>) -> Map<String, Value> {
    let mut result = base.cloned().unwrap_or_default();
    for (key, value) in overlay.iter().filter(|(key, _)| *key != DIRECTIVE) {
        if value.is_null() {
            result.remove(key);
        } else {
            result.insert(key.clone(), merge(base.and_then(|base| base.get(key)), value, key));
        }
    }
    result
}

fn directive(item: &Value) -> Option<&str> {
    item.get(DIRECTIVE)?.as_str()
}

/// What tells an item from its neighbours.
fn identity(item: &Value) -> Option<(&str, &str)> {
    let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str);
    match text("/name") {
        Some(name) => Some(("", name)),
        None => Some((text("/kind")?, text("/metadata/name")?)),
    }
}

/// The items of a merged list as places in the base and in the overlay; `None` when the overlay replaces the list.
fn pairs(base: &[Value], overlay: &[Value], key: &str) -> Option<Vec<(Option<usize>, Option<usize>)>> {
    if overlay.is_empty() || overlay.iter().any(|item| identity(item).is_none()) {
        return None;
    }
    let place_in = |list: &[Value], id| list.iter().position(|item| identity(item) == Some(id));
    let kept = base.iter().enumerate().filter_map(|(old, item)| {
        let new = identity(item).and_then(|id| place_in(overlay, id));
        let gone = new.and_then(|new| overlay.get(new)).and_then(directive) == Some("delete");
        (!gone).then_some((Some(old), new))
    });
    let added = overlay.iter().enumerate().filter_map(|(new, item)| {
        let is_new = identity(item).and_then(|id| place_in(base, id)).is_none();
        (is_new && directive(item) != Some("delete")).then_some((None, Some(new)))
    });
    Some(if key == "behaviours" { added.chain(kept).collect() } else { kept.chain(added).collect() })
}

/// Items that an overlay wants removed but that are not in the base, as paths in the overlay.
pub(crate) fn idle_deletions(base: &Value, overlay: &Value, path: &FieldPath) -> Vec<FieldPath> {
    match overlay {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| idle_deletions(&base[key.as_str()], value, &path.key(key)))
            .collect(),
        Value::Array(items) => {
            let old = base.as_array().map(Vec::as_slice).unwrap_or_default();
            let find = |item: &Value| old.iter().find(|old| identity(old) == identity(item));
            let mut idle = Vec::new();
            for (index, item) in items.iter().enumerate().filter(|(_, item)| identity(item).is_some()) {
                match find(item) {
                    Some(old) => idle.extend(idle_deletions(old, item, &path.index(index))),
                    None if directive(item) == Some("delete") => idle.push(path.index(index)),
                    None => {}
                }
            }
            idle
        }
        _ => Vec::new(),
    }
}

/// Where a value of the merged document was written: in the overlay (below `overlay_path`) or in the base. What does not
/// exist is looked for at its nearest ancestor.
pub(crate) fn origin(base: &Value, overlay: &Value, overlay_path: &FieldPath, path: &FieldPath) -> FieldPath {
    let mut old = Some((base, FieldPath::default()));
    let mut new = Some((overlay, overlay_path.clone()));
    let mut found = FieldPath::default();
    let mut last_key = "";
    for step in &path.0 {
        (old, new) = match step {
            PathStep::Key(key) => {
                last_key = key;
                (key_of(old, key), key_of(new, key))
            }
            PathStep::Index(index) => item_of(old, new, *index, last_key),
        };
        match new.as_ref().or(old.as_ref()) {
            Some((_, path)) => found = path.clone(),
            None => break,
        }
    }
    found
}

type Place<'v> = Option<(&'v Value, FieldPath)>;

fn key_of<'v>(place: Place<'v>, key: &str) -> Place<'v> {
    place.and_then(|(value, path)| Some((value.get(key)?, path.key(key))))
}

fn item_of<'v>(old: Place<'v>, new: Place<'v>, index: usize, key: &str) -> (Place<'v>, Place<'v>) {
    let at = |place: &Place<'v>, index: Option<usize>| {
        let (value, path) = place.as_ref()?;
        Some((value.get(index?)?, path.index(index?)))
    };
    let lists = old.as_ref().and_then(|o| o.0.as_array()).zip(new.as_ref().and_then(|n| n.0.as_array()));
    match lists.map(|(base, overlay)| pairs(base, overlay, key)) {
        Some(Some(pairs)) => {
            let (from, to) = pairs.get(index).copied().unwrap_or_default();
            (at(&old, from), at(&new, to))
        }
        Some(None) => (None, at(&new, Some(index))),
        None => (at(&old, Some(index)), at(&new, Some(index))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn documents() -> (Value, Value) {
        let base = json!({
            "name": "a", "until": "10m",
            "manifests": [
                {"kind": "Service", "metadata": {"name": "s"}},
                {"kind": "Job", "metadata": {"name": "j"}, "spec": {"completions": 8,
                    "containers": [{"name": "c", "image": "x", "args": [1, 2]}]}},
            ],
            "behaviours": [{"name": "work", "script": []}],
        });
        let overlay = json!({
            "until": null,
            "manifests": [
                {"kind": "Job", "metadata": {"name": "j"}, "spec": {"completions": 5,
                    "containers": [{"name": "c", "args": [3]}, {"name": "d"}]}},
                {"kind": "Service", "metadata": {"name": "s"}, "$patch": "delete"},
            ],
            "behaviours": [{"name": "killed", "script": ["block"]}],
        });
        (base, overlay)
    }

    #[test]
    fn merges_named_items_and_replaces_the_rest() {
        let (base, overlay) = documents();
        let expected = json!({
            "name": "a",
            "manifests": [{"kind": "Job", "metadata": {"name": "j"}, "spec": {"completions": 5,
                "containers": [{"name": "c", "image": "x", "args": [3]}, {"name": "d"}]}}],
            "behaviours": [{"name": "killed", "script": ["block"]}, {"name": "work", "script": []}],
        });
        assert_eq!(merged(&base, &overlay), expected);
    }

    #[test]
    fn knows_where_each_value_was_written() {
        let (base, overlay) = documents();
        let at = FieldPath::default().key("variants").index(0).key("patch");
        let shown =
            |field: &str| origin(&base, &overlay, &at, &FieldPath::default().field(field)).to_string();
        assert_eq!(shown("name"), "name");
        assert_eq!(shown("manifests[0].spec.completions"), "variants[0].patch.manifests[0].spec.completions");
        assert_eq!(shown("manifests[0].spec.containers[0].image"), "manifests[1].spec.containers[0].image");
        assert_eq!(
            shown("manifests[0].spec.containers[0].args[0]"),
            "variants[0].patch.manifests[0].spec.containers[0].args[0]"
        );
        assert_eq!(
            shown("manifests[0].spec.containers[1].x.y"),
            "variants[0].patch.manifests[0].spec.containers[1]"
        );
        assert_eq!(shown("behaviours[0].script[0]"), "variants[0].patch.behaviours[0].script[0]");
        assert_eq!(shown("behaviours[1].script"), "behaviours[0].script");
    }

    #[test]
    fn finds_deletions_of_what_is_not_there() {
        let base = json!({"actions": [{"name": "drain"}]});
        let overlay = json!({"actions": [{"name": "drian", "$patch": "delete"}]});
        let found = idle_deletions(&base, &overlay, &FieldPath::default());
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["actions[0]"]);
    }
}
