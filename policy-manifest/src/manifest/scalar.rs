//! What a plain YAML scalar means to `kubectl`: the YAML 1.1 rules of go-yaml v2, which `sigs.k8s.io/yaml` uses.
//!
//! They differ from YAML 1.2 where it hurts: `yes`, `on` and `y` are booleans, `010` is eight, `1_000` a thousand.

use serde_json::{Number, Value};

/// A scalar with its type settled.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Str,
}

impl Scalar {
    /// How go-yaml calls the type, for messages.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Scalar::Null => "null",
            Scalar::Bool(_) => "a boolean",
            Scalar::Int(_) | Scalar::UInt(_) => "an integer",
            Scalar::Float(_) => "a number with a fraction",
            Scalar::Str => "a string",
        }
    }

    /// The JSON value, with floats written as Go's encoder writes them; `None` for NaN and infinities.
    pub(crate) fn to_json(&self, text: &str) -> Option<Value> {
        Some(match self {
            Scalar::Null => Value::Null,
            Scalar::Bool(b) => Value::Bool(*b),
            Scalar::Int(i) => Value::from(*i),
            Scalar::UInt(u) => Value::from(*u),
            Scalar::Float(f) => Value::Number(float_to_json(*f)?),
            Scalar::Str => Value::String(text.to_owned()),
        })
    }

    /// The object key (`convertToJSONableObject`); `None` for the types that cannot be one.
    pub(crate) fn to_key(&self, text: &str) -> Option<String> {
        match self {
            Scalar::Null | Scalar::UInt(_) => None,
            Scalar::Bool(b) => Some(b.to_string()),
            Scalar::Int(i) => Some(i.to_string()),
            Scalar::Float(f) => Some(float_key(*f)),
            Scalar::Str => Some(text.to_owned()),
        }
    }
}

/// Go writes a float without a fraction as an integer (`8`, not `8.0`), and integer fields then accept it.
fn float_to_json(f: f64) -> Option<Number> {
    // Display gives the shortest digits, padded with zeros, as Go does below 1e21.
    let text = f.to_string();
    if let Ok(i) = text.parse::<i64>() {
        return Some(i.into());
    }
    text.parse::<u64>().map_or_else(|_| Number::from_f64(f), |u| Some(u.into()))
}

/// A float as a key: the shortest digits that read back as the same `f32` (`FormatFloat(f, 'g', -1, 32)`).
fn float_key(f: f64) -> String {
    if f.is_nan() {
        return ".nan".to_owned();
    }
    #[expect(clippy::cast_possible_truncation, reason = "upstream formats keys with 32 bits")]
    let short = f as f32;
    if short.is_infinite() {
        return if short > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{short:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // Go's shortest 'g' turns to exponents below 1e-4 and from 1e6 up.
    if (-4..6).contains(&exponent) {
        return format!("{short}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// The type of a plain scalar without a tag (`resolve` of go-yaml v2).
pub(crate) fn resolve(text: &str) -> Scalar {
    let Some(first) = text.chars().next() else { return Scalar::Null };
    if let Some(word) = resolve_word(text) {
        return word;
    }
    match first {
        '.' if underscores_separate_digits(text) => {
            parse_float(&text.replace('_', "")).map_or(Scalar::Str, Scalar::Float)
        }
        '0'..='9' | '+' | '-' => resolve_number(&text.replace('_', "")),
        _ => Scalar::Str,
    }
}

fn resolve_word(text: &str) -> Option<Scalar> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

fn resolve_number(plain: &str) -> Scalar {
    if let Some(i) = parse_int(plain) {
        return i;
    }
    if is_yaml_float(plain)
        && let Some(f) = parse_float(plain)
    {
        return Scalar::Float(f);
    }
    Scalar::Str
}

/// Go's `ParseInt(s, 0, 64)`, then `ParseUint(s, 0, 64)`, once underscores are gone.
fn parse_int(plain: &str) -> Option<Scalar> {
    let (negative, digits) = match plain.as_bytes().first()? {
        b'-' => (true, &plain[1..]),
        b'+' => (false, &plain[1..]),
        _ => (false, plain),
    };
    let signed = digits.len() < plain.len();
    let (radix, digits) = radix_of(digits);
    if digits.is_empty() || !digits.bytes().all(|b| (b as char).is_digit(radix)) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        return 0i64.checked_sub_unsigned(magnitude).map(Scalar::Int);
    }
    match i64::try_from(magnitude) {
        Ok(i) => Some(Scalar::Int(i)),
        // `ParseUint` takes no sign.
        Err(_) => (!signed).then_some(Scalar::UInt(magnitude)),
    }
}

fn radix_of(digits: &str) -> (u32, &str) {
    let bytes = digits.as_bytes();
    match bytes {
        [b'0', b'x' | b'X', _, ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    }
}

/// Whether every underscore stands between digits (`underscoreOK` of Go's strconv).
fn underscores_separate_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_digit);
    text.match_indices('_').all(|(i, _)| digit(i.checked_sub(1)) && digit(i.checked_add(1)))
}

/// `yamlStyleFloat`: `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn is_yaml_float(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, rest) = take_digits(rest);
    let rest = match rest.strip_prefix('.') {
        Some(after) => {
            let (fraction, after) = take_digits(after);
            if whole == 0 && fraction == 0 {
                return false;
            }
            after
        }
        None if whole == 0 => return false,
        None => rest,
    };
    match rest.strip_prefix(['e', 'E']) {
        Some(exponent) => {
            let (digits, after) = take_digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent));
            digits > 0 && after.is_empty()
        }
        None => rest.is_empty(),
    }
}

fn take_digits(text: &str) -> (usize, &str) {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    (count, &text[count..])
}

/// Go's `ParseFloat`, which refuses what overflows, for text without hexadecimal digits.
fn parse_float(text: &str) -> Option<f64> {
    if !is_yaml_float(text) {
        return None;
    }
    text.parse().ok().filter(|f: &f64| f.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_floats_become_integers_as_in_go() {
        assert_eq!(resolve("08").to_json("08"), Some(Value::from(8)));
        assert_eq!(resolve("1e3").to_json("1e3"), Some(Value::from(1000)));
        assert_eq!(resolve("1.5").to_json("1.5"), Some(Value::from(1.5)));
        assert_eq!(resolve(".nan").to_json(".nan"), None);
    }

    #[test]
    fn keys_are_strings_except_null_and_huge_integers() {
        assert_eq!(resolve("010").to_key("010").as_deref(), Some("8"));
        assert_eq!(resolve("on").to_key("on").as_deref(), Some("true"));
        assert_eq!(resolve("~").to_key("~"), None);
        assert_eq!(resolve("18446744073709551615").to_key("18446744073709551615"), None);
        for (text, key) in
            [("1e6", "1e+06"), ("1e-5", "1e-05"), ("1e5", "100000"), ("0.1", "0.1"), ("1.5e300", ".inf")]
        {
            assert_eq!(resolve(text).to_key(text).as_deref(), Some(key), "{text}");
        }
    }
}
