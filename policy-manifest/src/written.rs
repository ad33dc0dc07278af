//! JSON values as YAML that `kubectl` (YAML 1.1) and YAML 1.2 readers read back alike.

use crate::manifest::{Scalar, resolve_scalar};
use serde_json::Value;

/// The value as a YAML document.
pub fn to_string(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => mapping(&mut out, map, 0, false),
        Value::Array(items) if !items.is_empty() => sequence(&mut out, items, 0, false),
        other => {
            scalar(&mut out, other, 0);
            out.push('\n');
        }
    }
    out
}

/// Entries at a depth; the first one continues the current line when `inline` is set (after `- `).
fn mapping(out: &mut String, map: &serde_json::Map<String, Value>, depth: usize, inline: bool) {
    for (index, (key, value)) in map.iter().enumerate() {
        if !inline || index > 0 {
            indent(out, depth);
        }
        text(out, key);
        out.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                out.push('\n');
                mapping(out, inner, depth + 1, false);
            }
            // As `kubectl` writes lists: not indented under their key.
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                sequence(out, items, depth, false);
            }
            other => {
                out.push(' ');
                scalar(out, other, depth + 1);
                out.push('\n');
            }
        }
    }
}

fn sequence(out: &mut String, items: &[Value], depth: usize, inline: bool) {
    for (index, item) in items.iter().enumerate() {
        if !inline || index > 0 {
            indent(out, depth);
        }
        out.push_str("- ");
        match item {
            Value::Object(map) if !map.is_empty() => mapping(out, map, depth + 1, true),
            Value::Array(inner) if !inner.is_empty() => sequence(out, inner, depth + 1, true),
            other => {
                scalar(out, other, depth + 1);
                out.push('\n');
            }
        }
    }
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn scalar(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::String(string) if is_block(string) => block(out, string, depth),
        Value::String(string) => text(out, string),
        // Numbers, booleans and null are the same in JSON; so are `{}` and `[]`.
        other => out.push_str(&other.to_string()),
    }
}

/// Text of several lines reads best as a block; it must have no oddities that a block cannot hold.
fn is_block(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
        && !text.starts_with([' ', '\n', '\t'])
        && !text.ends_with("\n\n")
        && text.chars().all(|c| c == '\n' || (!c.is_control() && !is_odd(c)))
}

fn block(out: &mut String, text: &str, depth: usize) {
    out.push_str(if text.ends_with('\n') { "|" } else { "|-" });
    for line in text.trim_end_matches('\n').split('\n') {
        out.push('\n');
        if !line.is_empty() {
            indent(out, depth);
            out.push_str(line);
        }
    }
}

/// A string on one line: plain where every reader takes it for this string, else quoted as in JSON.
fn text(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if (c.is_control() || is_odd(c)) && (c as u32) <= 0xffff => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Line breaks and marks of YAML 1.1 that other readers take for text.
fn is_odd(c: char) -> bool {
    matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn is_plain(text: &str) -> bool {
    const FIRST: &str = "-?:,[]{}#&*!|>'\"%@`=<~";
    text.chars().next().is_some_and(|first| !FIRST.contains(first) && !first.is_whitespace())
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && text.chars().all(|c| !c.is_control() && !is_odd(c))
        && resolve_scalar(text) == Scalar::Str
        && !looks_like_other_scalar(text)
}

/// Times and base-60 numbers are other types to some readers.
fn looks_like_other_scalar(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == '+')
        && text.chars().all(|c| c.is_ascii_digit() || "+-.:eExXobTtZz_ abcdfABCDF".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::yaml;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn reads_like_the_output_of_kubectl() {
        let value = json!({
            "list": [{"name": "a", "args": ["x", "yes"]}, [1, []], {}],
            "map": {"on": "010", "text": "two\nlines\n", "time": "2026-01-01T00:00:00Z"},
            "none": null, "empty": "",
        });
        let expected = "list:\n- args:\n  - x\n  - \"yes\"\n  name: a\n- - 1\n  - []\n- {}\nmap:\n  \"on\": \"010\"\n  text: |\n    two\n    lines\n  time: \"2026-01-01T00:00:00Z\"\n";
        let text = to_string(&value);
        assert!(text.ends_with(expected) || text.contains(expected), "{text}");
        assert_eq!(yaml::parse(&text).unwrap()[0].value, value);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            "[ -~]{0,12}",
            "[yYnNoOfFtTrRuUeE0-9_.:+xob-]{0,6}",
            "[a :#\\-\n\t\"'\\\\]{0,10}",
            "\\PC{0,8}",
            any::<String>(),
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1000i32..1000).prop_map(|n| Value::from(f64::from(n) / 8.0 + 0.0625)),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(text.clone(), inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in any_json()) {
            let text = to_string(&value);
            let read = yaml::parse(&text).map_err(|error| TestCaseError::fail(format!("{error:?}\n{text}")))?;
            prop_assert_eq!(&read[0].value, &value, "{}", text);
        }
    }
}
