//! Kubernetes' quantities, as far as nodes need them.

use serde_json::Value;

/// Suffixes with their factor in thousandths.
const SUFFIXES: &[(&str, u128)] = &[
    ("Ki", 1000 << 10),
    ("Mi", 1000 << 20),
    ("Gi", 1000 << 30),
    ("Ti", 1000 << 40),
    ("m", 1),
    ("k", 1_000_000),
    ("M", 1_000_000_000),
    ("G", 1_000_000_000_000),
    ("T", 1_000_000_000_000_000),
];

/// A quantity such as `500m`, `2` or `32Gi` in thousandths; `None` when it is not one.
pub(crate) fn thousandths(value: &Value) -> Option<u128> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let suffix = SUFFIXES.iter().find(|(suffix, _)| text.ends_with(suffix));
    let (number, factor) = match suffix {
        Some((suffix, factor)) => (&text[..text.len() - suffix.len()], *factor),
        None => (text.as_str(), 1000),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || whole.len() > 15 || fraction.len() > 9 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let scale = 10u128.pow(u32::try_from(fraction.len()).ok()?);
    let number: u128 = format!("{whole}{fraction}").parse().ok()?;
    Some(number * factor / scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_nodes_have() {
        let cases = [
            (json!("500m"), Some(500)),
            (json!(4), Some(4000)),
            (json!("1.5"), Some(1500)),
            (json!("2Gi"), Some(2000 << 30)),
            (json!("lots"), None),
            (json!(""), None),
            (json!(-1), None),
        ];
        for (value, expected) in cases {
            assert_eq!(thousandths(&value), expected, "{value}");
        }
    }
}
