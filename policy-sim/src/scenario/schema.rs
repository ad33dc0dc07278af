//! Checks a document against the published JSON schema, which is the one description of what a scenario may hold.
//!
//! Only what the schema uses is understood: `type`, `properties`, `additionalProperties`, `required`, `items`, `enum`,
//! `$ref`, `anyOf` by type, `oneOf` of single required keys, bounds. All problems are found, not only the first.

use super::duration::Duration;
use super::problem::{FieldPath, Problem, listed};
use policy_core::Timestamp;
use serde_json::{Map, Value};
use std::sync::OnceLock;

/// The published schema.
pub const TEXT: &str = include_str!("../../../docs/scenario.schema.json");

/// The published schema as JSON.
pub fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| serde_json::from_str(TEXT).unwrap_or_default())
}

/// Everything that the schema finds wrong with a document.
pub fn problems(document: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    check(schema(), document, &FieldPath::default(), &mut problems);
    problems
}

fn check(rules: &Value, value: &Value, path: &FieldPath, problems: &mut Vec<Problem>) {
    if let Some(name) = reference(rules) {
        if let Some(problem) = checked_text(name, value, path) {
            problems.extend(problem);
            return;
        }
        return check(&schema()["$defs"][name], value, path, problems);
    }
    if let Some(alternatives) = rules.get("anyOf").and_then(Value::as_array) {
        return match alternatives.iter().find(|rules| fits(rules, value)) {
            Some(rules) => check(rules, value, path, problems),
            None => problems.push(wrong_type(alternatives.iter(), value, path)),
        };
    }
    if !fits(rules, value) {
        return problems.push(wrong_type(std::iter::once(rules), value, path));
    }
    match value {
        Value::Object(fields) => check_mapping(rules, fields, path, problems),
        Value::Array(items) => check_list(rules, items, path, problems),
        scalar => problems.extend(check_scalar(rules, scalar, path)),
    }
}

/// The definition that a schema refers to.
fn reference(rules: &Value) -> Option<&str> {
    rules.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

/// Texts with a form of their own; `None` when the definition is not of such a text.
fn checked_text(definition: &str, value: &Value, path: &FieldPath) -> Option<Option<Problem>> {
    let problem = |error: String| Some(Problem::new(path, error));
    match (definition, value) {
        ("duration", Value::String(text)) => Some(Duration::parse(text).err().and_then(problem)),
        ("duration", Value::Number(n)) => Some(
            problem(format!("`{n}` needs a unit: `{n}s` or `{n}m`"))
                .map(|p| p.help("a length of time is text")),
        ),
        ("time", Value::String(text)) => Some(Timestamp::parse(text).err().and_then(problem)),
        ("object", Value::String(text)) => {
            let named = text.split_once('/').is_some_and(|(kind, name)| !kind.is_empty() && !name.is_empty());
            Some(if named {
                None
            } else {
                Some(Problem::new(path, format!("`{text}` is not like `job/NAME`")))
            })
        }
        _ => None,
    }
}

/// The types that a schema takes.
fn types(rules: &Value) -> Vec<&str> {
    let rules = match reference(rules) {
        Some(name) => &schema()["$defs"][name],
        None => rules,
    };
    match (&rules["type"], rules.get("anyOf")) {
        (Value::String(one), _) => vec![one],
        (Value::Array(several), _) => several.iter().filter_map(Value::as_str).collect(),
        (_, Some(Value::Array(alternatives))) => alternatives.iter().flat_map(types).collect(),
        _ => Vec::new(),
    }
}

fn fits(rules: &Value, value: &Value) -> bool {
    let types = types(rules);
    types.is_empty() || types.iter().any(|name| is_a(value, name))
}

fn is_a(value: &Value, type_name: &str) -> bool {
    match type_name {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => false,
    }
}

fn wrong_type<'r>(rules: impl Iterator<Item = &'r Value>, value: &Value, path: &FieldPath) -> Problem {
    let words = |name: &str| match name {
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        "null" => "nothing",
        _ => "a mapping",
    };
    let mut wanted: Vec<&str> = rules.flat_map(types).map(words).collect();
    wanted.dedup();
    let found = match value {
        Value::Null => "nothing".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
        Value::String(text) => format!("the text `{text}`"),
        scalar => format!("`{scalar}`"),
    };
    let problem = Problem::new(path, format!("expected {}, found {found}", wanted.join(" or ")));
    match (value, wanted.as_slice()) {
        (Value::Bool(_) | Value::Number(_), ["text"]) => problem.help("put it in quotes"),
        _ => problem,
    }
}

fn check_mapping(rules: &Value, fields: &Map<String, Value>, path: &FieldPath, problems: &mut Vec<Problem>) {
    let none = Map::new();
    let known = rules.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let others = rules.get("additionalProperties");
    for (key, value) in fields {
        match (known.get(key), others) {
            (Some(rules), _) => check(rules, value, &path.key(key), problems),
            (None, Some(Value::Bool(false))) => {
                let keys = known.keys().map(String::as_str).filter(|key| !key.starts_with('$'));
                problems
                    .push(Problem::new(&path.key(key), format!("unknown key `{key}`")).suggest(key, keys));
            }
            (None, Some(rules @ Value::Object(_))) => check(rules, value, &path.key(key), problems),
            _ => {}
        }
    }
    for key in rules.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    {
        if !fields.contains_key(key) {
            let what = known.get(key).and_then(|rules| rules["description"].as_str());
            let missing = Problem::new(path, format!("`{key}` is missing"));
            problems.push(what.map_or(missing.clone(), |what| missing.help(format!("`{key}`: {what}"))));
        }
    }
    problems.extend(check_exclusive(rules, fields, path));
}

/// `oneOf` of single required keys: exactly one of them is there.
fn check_exclusive(rules: &Value, fields: &Map<String, Value>, path: &FieldPath) -> Option<Problem> {
    let keys = exclusive_keys(rules)?;
    let given: Vec<&str> = keys.iter().copied().filter(|key| fields.contains_key(*key)).collect();
    let known = rules["properties"].as_object()?;
    match given.as_slice() {
        [_] => None,
        [] if fields.keys().any(|key| !known.contains_key(key)) => None,
        [] => Some(Problem::new(path, format!("expected one of {}", listed(&keys)))),
        [_, second, ..] => Some(
            Problem::new(&path.key(second), format!("`{}` and `{second}` exclude each other", given[0]))
                .help("keep one of them, and put the other into an item of its own"),
        ),
    }
}

/// The keys of which a mapping needs exactly one.
pub(crate) fn exclusive_keys(rules: &Value) -> Option<Vec<&str>> {
    let alternatives = rules.get("oneOf")?.as_array()?;
    Some(alternatives.iter().filter_map(|rules| rules["required"][0].as_str()).collect())
}

fn check_list(rules: &Value, items: &[Value], path: &FieldPath, problems: &mut Vec<Problem>) {
    if let Some(least) = rules["minItems"].as_u64().filter(|least| (items.len() as u64) < *least) {
        problems.push(Problem::new(path, format!("expected at least {least} items, found {}", items.len())));
    }
    if let Some(rules) = rules.get("items") {
        for (index, item) in items.iter().enumerate() {
            check(rules, item, &path.index(index), problems);
        }
    }
}

fn check_scalar(rules: &Value, value: &Value, path: &FieldPath) -> Option<Problem> {
    if let Some(words) = rules.get("enum").and_then(Value::as_array)
        && !words.contains(value)
    {
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        let given = value.as_str().unwrap_or_default();
        return Some(Problem::new(path, format!("`{given}` is not known here")).suggest(given, words));
    }
    let number = value.as_f64();
    let below = rules["minimum"].as_f64().filter(|least| number.is_some_and(|n| n < *least));
    let above = rules["maximum"].as_f64().filter(|most| number.is_some_and(|n| n > *most));
    if let Some(least) = below {
        return Some(Problem::new(path, format!("`{value}` is too small; at least {least}")));
    }
    if let Some(most) = above {
        return Some(Problem::new(path, format!("`{value}` is too large; at most {most}")));
    }
    let text = value.as_str().filter(|_| rules.get("pattern").is_some())?;
    let is_name = !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    (!is_name)
        .then(|| Problem::new(path, format!("`{text}` is not a name: lower case letters, digits and `-`")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(document: &Value) -> Vec<String> {
        problems(document).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_schema_is_json() {
        assert!(schema()["$defs"]["action"].is_object());
    }

    #[test]
    fn names_every_problem_with_a_suggestion() {
        let document = json!({
            "name": "Bad Name", "title": 5, "manifets": [], "until": "5", "start": "noon",
            "manifests": [{"kind": "Job", "metadata": {}}],
            "behaviours": [{"script": [{"run": "3s", "exit": 300}, "blok", {"runn": "3s"}, 7]}],
            "actions": [{"at": 30, "drain": {"node": 5}}, {"at": "1s"}],
            "assertions": [{"text": "x", "pods": {"phase": "Runing", "count": -1}}],
        });
        let problems = found(&document);
        let expected = [
            "actions[0].at: `30` needs a unit: `30s` or `30m` (a length of time is text)",
            "actions[0].drain.node: expected text or a mapping, found `5`",
            "actions[1]: expected one of `apply`, `expand`, `delete`, `patch`",
            "assertions[0].pods.count: `-1` is too small; at least 0",
            "assertions[0].pods.phase: `Runing` is not known here (did you mean `Running`?)",
            "behaviours[0].script[0].exit: `300` is too large; at most 255",
            "behaviours[0].script[0].exit: `run` and `exit` exclude each other",
            "behaviours[0].script[1]: `blok` is not known here (did you mean `block`?)",
            "behaviours[0].script[2].runn: unknown key `runn` (did you mean `run`?)",
            "behaviours[0].script[3]: expected text or a mapping, found `7`",
            "manifests[0]: `apiVersion` is missing",
            "manifets: unknown key `manifets` (did you mean `manifests`?)",
            "name: `Bad Name` is not a name",
            "start: `noon` is not a time like",
            "title: expected text, found `5` (put it in quotes)",
            "until: `5` needs a unit: `5s` or `5m`",
        ];
        for part in expected {
            assert!(problems.iter().any(|p| p.starts_with(part)), "no `{part}` in\n{}", problems.join("\n"));
        }
        assert_eq!(problems.len(), expected.len(), "{}", problems.join("\n"));
    }
}
