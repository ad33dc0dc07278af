//! JSON with duplicate keys refused, and the places of its values, found when asked for.

use super::path::Step;
use super::spans::Located;
use super::yaml::MAX_DEPTH;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// Why a text is not JSON that can be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong.
    pub message: String,
    /// The byte where reading stopped.
    pub offset: usize,
    /// Whether a reader of YAML, where JSON is a subset, could still make sense of the text.
    pub syntax: bool,
}

/// Reads JSON values written one after another; each with the bytes it takes.
///
/// # Errors
/// The first thing that is wrong with the text.
pub fn parse(text: &str) -> Result<Vec<(Value, Range<usize>)>, JsonError> {
    let mut documents = Vec::new();
    let mut start = 0;
    while let Some(skipped) = text[start..].find(|c: char| !c.is_ascii_whitespace()) {
        start += skipped;
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Strict>();
        let Some(value) = values.next() else { break };
        let value = value.map_err(|error| json_error(text, start, &error))?;
        let end = start + values.byte_offset();
        documents.push((value.0, start..end));
        start = end;
    }
    Ok(documents)
}

fn json_error(text: &str, start: usize, error: &serde_json::Error) -> JsonError {
    let full = error.to_string();
    let message = full.rsplit_once(" at line ").map_or(full.as_str(), |(message, _)| message);
    let message = match message {
        "recursion limit exceeded" => format!("values are nested more than {MAX_DEPTH} deep"),
        eof if eof.starts_with("EOF while parsing ") => {
            eof.replacen("EOF while parsing", "the text ends inside", 1)
        }
        other => other.to_owned(),
    };
    let line_start = nth_line(&text[start..], error.line()) + start;
    let offset = text.floor_char_boundary((line_start + error.column().saturating_sub(1)).min(text.len()));
    JsonError { message, offset, syntax: error.is_syntax() || error.is_eof() }
}

/// The byte where a line starts; lines count from 1.
fn nth_line(text: &str, line: usize) -> usize {
    match line.checked_sub(2) {
        None => 0,
        Some(breaks) => text.match_indices('\n').nth(breaks).map_or(text.len(), |(at, _)| at + 1),
    }
}

/// A JSON value whose objects have no key twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        StrictVisitor.deserialize(deserializer).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> DeserializeSeed<'de> for StrictVisitor {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(StrictVisitor)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(de::Error::custom(format_args!("duplicate key `{key}`")));
            }
            map.insert(key, access.next_value_seed(StrictVisitor)?);
        }
        Ok(Value::Object(map))
    }
}

/// The place of a path in a JSON document that was read before; `document` are its bytes in `text`.
pub fn locate(text: &str, document: &Range<usize>, path: &[Step]) -> Located {
    let offset_of = |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
    let mut raw = text.get(document.clone()).unwrap_or_default().trim();
    let mut key: Option<Range<usize>> = None;
    let mut found = 0;
    for step in path {
        let Some((next_key, next)) = step_into(raw, step) else { break };
        key = next_key.map(|key| offset_of(key)..offset_of(key) + key.len());
        raw = next;
        found += 1;
    }
    let start = offset_of(raw);
    let scalar = !raw.starts_with(['{', '[']) && found == path.len();
    let value = start..start + raw.len();
    let range = match &key {
        _ if scalar => value,
        Some(key) => key.clone(),
        None => start..start + raw.len().min(1),
    };
    Located { range, key, found }
}

/// The bytes of each item of a document's list `items`; none when there is no such list.
pub fn items(text: &str, document: &Range<usize>) -> Vec<Range<usize>> {
    let raw = text.get(document.clone()).unwrap_or_default().trim();
    let items = step_into(raw, &Step::Field("items".to_owned()))
        .and_then(|(_, list)| serde_json::from_str::<Vec<&RawValue>>(list).ok())
        .unwrap_or_default();
    let offset_of = |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
    items.iter().map(|item| offset_of(item.get())..offset_of(item.get()) + item.get().len()).collect()
}

/// What serde says is wrong with a JSON text of one line, and the path of the value that it means.
pub fn place_of_error<'e>(text: &str, error: &'e str) -> (&'e str, Vec<Step>) {
    let (what, column) = match error.rsplit_once(" at line 1 column ") {
        Some((what, column)) => (what, column.parse::<usize>().unwrap_or_default()),
        None => (error, 0),
    };
    (what, path_at(text, column.saturating_sub(1)))
}

/// The path of the value that stands at, or ends before, an offset of a valid JSON text.
pub fn path_at(text: &str, offset: usize) -> Vec<Step> {
    let bytes = text.as_bytes();
    let mut path: Vec<Step> = Vec::new();
    let mut at = 0;
    while at < offset.min(bytes.len()) {
        let byte = bytes[at];
        at += 1;
        match byte {
            b'[' => path.push(Step::Bracket("0".to_owned())),
            b'{' => path.push(Step::Field(String::new())),
            b']' | b'}' => drop(path.pop()),
            b',' => {
                if let Some(index) = path.last().and_then(Step::index) {
                    path.pop();
                    path.push(Step::Bracket((index + 1).to_string()));
                }
            }
            b'"' => {
                let end = end_of_string(bytes, at);
                let is_key = bytes.get(end..).is_some_and(|rest| rest.trim_ascii_start().starts_with(b":"));
                if is_key
                    && let Ok(key) = serde_json::from_str::<String>(text.get(at - 1..end).unwrap_or_default())
                {
                    path.pop();
                    path.push(Step::Field(key));
                }
                at = end;
            }
            _ => {}
        }
    }
    path
}

/// The byte after the closing quote of a string whose text starts at `at`.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match bytes.get(at) {
            None => return bytes.len(),
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}

/// The value of one key or index, and the key's text where it has no escapes.
fn step_into<'t>(raw: &'t str, step: &Step) -> Option<(Option<&'t str>, &'t str)> {
    if raw.starts_with('{') {
        let entries: Entries<'t> = serde_json::from_str(raw).ok()?;
        let (key, value) = entries.0.into_iter().find(|(key, _)| key == step.text())?;
        let key = match key {
            Cow::Borrowed(key) => Some(key),
            Cow::Owned(_) => None,
        };
        Some((key, value.get()))
    } else {
        let items: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
        Some((None, items.get(step.index()?)?.get()))
    }
}

struct Entries<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'de: 't, 't> Deserialize<'de> for Entries<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;
        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(key) = access.next_key::<Key<'de>>()? {
                    entries.push((key.0, access.next_value()?));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(EntriesVisitor)
    }
}

/// `Cow<str>` does not borrow by itself in serde.
#[derive(serde::Deserialize)]
struct Key<'t>(#[serde(borrow)] Cow<'t, str>);

#[cfg(test)]
mod tests {
    use super::super::path;
    use super::*;

    #[test]
    fn reads_values_one_after_another() {
        let documents = parse(" {\"a\":1}\n[2] ").unwrap();
        assert_eq!(documents.len(), 2);
        assert_eq!(documents[1].0, serde_json::json!([2]));
        assert_eq!(documents[1].1, 9..12);
    }

    #[test]
    fn errors_have_places_in_any_document() {
        let text = "{\"a\":1}\n{\"b\":\n  1,\n  \"b\":2}";
        let error = parse(text).unwrap_err();
        assert_eq!(error.message, "duplicate key `b`");
        assert!(!error.syntax);
        assert!(text[error.offset..].starts_with("\":2"), "{}", &text[error.offset..]);
        assert_eq!(parse("{\"a\": 1").unwrap_err().message, "the text ends inside an object");
        assert!(parse(&"[".repeat(1000)).unwrap_err().message.contains("128 deep"));
    }

    #[test]
    fn offsets_lead_to_paths() {
        let text = r#"{"a":{"b\"]":[1,{"c":"x,{"},[2,3]]},"d":true}"#;
        let shown = |at: &str| {
            let path = path_at(text, text.find(at).unwrap());
            path.iter().map(|step| step.text().to_owned()).collect::<Vec<_>>().join("/")
        };
        assert_eq!(shown("1,"), "a/b\"]/0");
        assert_eq!(shown("\"x"), "a/b\"]/1/c");
        assert_eq!(shown("3]"), "a/b\"]/2/1");
        assert_eq!(shown("true"), "d");
        assert_eq!(path_at(text, usize::MAX), []);
        assert_eq!(path_at("\"open", 9), []);
    }

    #[test]
    fn locates_like_yaml() {
        let text = "{\"a\":1} {\"spec\": {\"n\": \"five\", \"list\": [{\"x\": 1}, 2]}}";
        let document = parse(text).unwrap()[1].1.clone();
        let shown = |at: &str| {
            let located = locate(text, &document, &path::parse(at));
            (&text[located.range], located.found)
        };
        assert_eq!(shown("spec.n"), ("\"five\"", 2));
        assert_eq!(shown("spec.list[1]"), ("2", 3));
        assert_eq!(shown("spec.list[0].gone"), ("{", 3));
        assert_eq!(shown("spec.list"), ("list", 2));
        assert_eq!(shown("gone"), ("{", 0));
    }
}
