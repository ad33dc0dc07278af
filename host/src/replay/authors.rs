//! Who wrote a version of an object, as far as `metadata.managedFields` tells.
//!
//! A write that sets a value puts its manager's entry at the time of the write. A write that only takes values away
//! leaves no entry of its own: the entries that owned the values just lose them. And a second write of a manager within
//! a second that sets the same fields changes nothing at all.

use policy_core::Timestamp;
use serde_json::{Map, Value};

/// A manager and the subresource it wrote through; empty for the object itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Author {
    pub(super) manager: String,
    pub(super) subresource: String,
}

/// Who may have written a version.
#[derive(Clone, Debug, Default)]
pub(super) struct Authors {
    /// Those whose entries gained fields or a later time.
    took: Vec<Author>,
    /// Whose entries lost fields; where none did, the owners of fields of the status that changed.
    otherwise: Vec<Author>,
    /// Managers that owned the finalizers before.
    held_finalizers: Vec<String>,
    /// When the server took the write, where an entry tells.
    pub(super) time: Option<Timestamp>,
    /// The latest time in any entry.
    pub(super) latest: Option<Timestamp>,
}

impl Authors {
    /// Compares a version with the one before it.
    pub(super) fn of(before: Option<&Value>, object: &Value) -> Self {
        let (old, new) = (entries(before), entries(Some(object)));
        let same = |a: &Entry<'_>, b: &Entry<'_>| a.key() == b.key();
        let mut authors = Authors::default();
        for entry in &new {
            let time = entry.time();
            authors.latest = authors.latest.max(time);
            let earlier = old.iter().find(|other| same(other, entry));
            let gained = earlier
                .is_none_or(|earlier| earlier.time() != time || has_more(entry.fields(), earlier.fields()));
            if gained {
                authors.time = authors.time.max(time);
                authors.took.push(entry.author());
            } else if earlier.is_some_and(|earlier| has_more(earlier.fields(), entry.fields())) {
                authors.otherwise.push(entry.author());
            }
        }
        let gone = old.iter().filter(|entry| !new.iter().any(|other| same(other, entry)));
        authors.otherwise.extend(gone.map(Entry::author));
        if authors.took.is_empty() && authors.otherwise.is_empty() {
            authors.otherwise = status_owners(before, object, &new);
        }
        let holders = old.iter().filter(|entry| owns(entry.fields(), ["f:metadata", "f:finalizers"]));
        authors.held_finalizers = holders.map(|entry| entry.author().manager).collect();
        authors
    }

    /// Whether `manager` wrote through `subresource` (empty: the object itself), and nobody else did.
    pub(super) fn is(&self, manager: &str, subresource: &str) -> bool {
        let authors = if self.took.is_empty() { &self.otherwise } else { &self.took };
        !authors.is_empty()
            && authors.iter().all(|author| author.manager == manager && author.subresource == subresource)
    }

    /// Whether `manager` may have taken a finalizer away: it owned the finalizers, and nobody else set anything.
    pub(super) fn may_have_removed_finalizer(&self, manager: &str) -> bool {
        self.held_finalizers.iter().any(|holder| holder == manager)
            && self.took.iter().all(|author| author.manager == manager)
    }

    /// Those who set values through `subresource`.
    pub(super) fn setters(&self, subresource: &str) -> impl Iterator<Item = &str> {
        let took = self.took.iter().filter(move |author| author.subresource == subresource);
        took.map(|author| author.manager.as_str())
    }
}

/// One entry of `managedFields`.
struct Entry<'a>(&'a Value);

impl<'a> Entry<'a> {
    fn text(&self, field: &str) -> &'a str {
        self.0.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    fn key(&self) -> [&'a str; 4] {
        ["manager", "operation", "subresource", "apiVersion"].map(|field| self.text(field))
    }

    fn time(&self) -> Option<Timestamp> {
        Timestamp::parse(self.text("time")).ok()
    }

    fn fields(&self) -> Option<&'a Map<String, Value>> {
        self.0.get("fieldsV1").and_then(Value::as_object)
    }

    fn author(&self) -> Author {
        Author { manager: self.text("manager").into(), subresource: self.text("subresource").into() }
    }
}

fn entries(object: Option<&Value>) -> Vec<Entry<'_>> {
    let list = object.and_then(|object| object.pointer("/metadata/managedFields")).and_then(Value::as_array);
    list.into_iter().flatten().map(Entry).collect()
}

/// Whether `fields` has a field that `others` lacks.
fn has_more(fields: Option<&Map<String, Value>>, others: Option<&Map<String, Value>>) -> bool {
    let Some(fields) = fields else { return false };
    let Some(others) = others else { return !fields.is_empty() };
    fields.iter().any(|(name, inner)| match others.get(name) {
        None => true,
        Some(other) => has_more(inner.as_object(), other.as_object()),
    })
}

fn owns<'p>(fields: Option<&Map<String, Value>>, path: impl IntoIterator<Item = &'p str>) -> bool {
    let mut at = fields;
    for field in path {
        match at.and_then(|fields| fields.get(field)) {
            Some(inner) => at = inner.as_object(),
            None => return false,
        }
    }
    true
}

/// The owners of fields of the status that changed; where they have no owner, everybody who writes the status.
fn status_owners(before: Option<&Value>, object: &Value, entries: &[Entry<'_>]) -> Vec<Author> {
    let status = |object: Option<&Value>| object.and_then(|object| object.get("status")).cloned();
    let (Some(Value::Object(old)), Some(Value::Object(new))) = (status(before), status(Some(object))) else {
        return Vec::new();
    };
    let changed = new.iter().filter(|(field, value)| old.get(*field) != Some(value));
    let changed: Vec<String> = changed.map(|(field, _)| format!("f:{field}")).collect();
    let owns_changed =
        |entry: &&Entry<'_>| changed.iter().any(|field| owns(entry.fields(), ["f:status", field.as_str()]));
    let owners: Vec<Author> = entries.iter().filter(owns_changed).map(Entry::author).collect();
    if !owners.is_empty() {
        return owners;
    }
    entries.iter().map(Entry::author).filter(|author| author.subresource == "status").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(entries: Value, status: Value) -> Value {
        json!({"metadata": {"managedFields": entries}, "status": status})
    }

    fn entry(manager: &str, time: &str, fields: Value) -> Value {
        let time = format!("2026-01-01T00:00:{time}Z");
        json!({"manager": manager, "operation": "Update", "subresource": "status", "time": time,
            "fieldsV1": {"f:status": fields}})
    }

    #[test]
    fn the_one_who_set_values_wrote() {
        let before = object(json!([entry("a", "01", json!({"f:x": {}}))]), json!({"x": 1}));
        let after = object(
            json!([entry("a", "01", json!({})), entry("b", "02", json!({"f:x": {}}))]),
            json!({"x": 2}),
        );
        let authors = Authors::of(Some(&before), &after);
        assert!(authors.is("b", "status") && !authors.is("a", "status"));
        assert_eq!(authors.time.unwrap().unix_seconds(), authors.latest.unwrap().unix_seconds());
    }

    #[test]
    fn a_write_that_takes_values_away_is_its_owners() {
        let before = object(json!([entry("a", "01", json!({"f:x": {}, "f:y": {}}))]), json!({"x": 1}));
        let after = object(json!([entry("a", "01", json!({"f:y": {}}))]), json!({}));
        let authors = Authors::of(Some(&before), &after);
        assert!(authors.is("a", "status") && authors.time.is_none());
    }

    #[test]
    fn a_second_write_within_the_second_is_the_owners() {
        let entries = json!([entry("a", "01", json!({"f:x": {}})), entry("b", "01", json!({"f:y": {}}))]);
        let before = object(entries.clone(), json!({"x": 1, "y": 1}));
        let authors = Authors::of(Some(&before), &object(entries, json!({"x": 2, "y": 1})));
        assert!(authors.is("a", "status") && !authors.is("b", "status"));
    }
}
