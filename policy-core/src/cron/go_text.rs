//! Go's ways with text that reach events and error messages: `strconv.Quote` and `strconv.Atoi`.

use alloc::string::String;
use core::fmt::Write;

/// `strconv.Quote`, also what the verb `%q` prints.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(2));
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            _ if is_printable(c) => out.push(c),
            _ => push_escaped(&mut out, u32::from(c)),
        }
    }
    out.push('"');
    out
}

fn push_escaped(out: &mut String, code: u32) {
    // Writing into a String cannot fail.
    let _ = match code {
        0..0x20 | 0x7f => write!(out, "\\x{code:02x}"),
        0..0x1_0000 => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

/// `strconv.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
pub(crate) fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    // Rust's table of printable characters leaves out the same categories. Behind another character, combining marks
    // are not escaped on their own account.
    let mut buffer = [b'a'; 5];
    let Some(tail) = buffer.get_mut(1..) else { return false };
    let length = c.encode_utf8(tail).len().saturating_add(1);
    let text = buffer.get(..length).and_then(|bytes| core::str::from_utf8(bytes).ok());
    text.is_some_and(|text| text.escape_debug().nth(1) != Some('\\'))
}

/// Why a text is not an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtoiError {
    /// `strconv.ErrSyntax`.
    Syntax,
    /// `strconv.ErrRange`.
    Range,
}

impl AtoiError {
    /// The words of Go's `NumError` for `text`.
    pub(crate) fn message(self, text: &str) -> String {
        let why = match self {
            AtoiError::Syntax => "invalid syntax",
            AtoiError::Range => "value out of range",
        };
        alloc::format!("strconv.Atoi: parsing {}: {why}", quote(text))
    }
}

/// `strconv.Atoi` on a 64-bit machine: an optional sign and decimal digits, read from the left, so that a number that
/// grows too large is reported before a later character that is no digit.
pub(crate) fn atoi(text: &str) -> Result<i64, AtoiError> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    if digits.is_empty() {
        return Err(AtoiError::Syntax);
    }
    let mut value: u64 = 0;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return Err(AtoiError::Syntax);
        }
        let digit = u64::from(byte.wrapping_sub(b'0'));
        value = value.checked_mul(10).and_then(|v| v.checked_add(digit)).ok_or(AtoiError::Range)?;
    }
    let signed = i64::try_from(value);
    match (negative, signed) {
        (false, Ok(value)) => Ok(value),
        (true, Ok(value)) => Ok(value.wrapping_neg()),
        (true, Err(_)) if value == i64::MIN.unsigned_abs() => Ok(i64::MIN),
        _ => Err(AtoiError::Range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go_does() {
        assert_eq!(quote("a\"b\\c"), r#""a\"b\\c""#);
        assert_eq!(quote("\t\n\u{0}\u{7f}"), r#""\t\n\x00\x7f""#);
        assert_eq!(quote("é✓\u{301}"), "\"é✓\u{301}\"");
        assert_eq!(quote("\u{a0}\u{ad}\u{200b}\u{feff}\u{e0001}"), r#""\u00a0\u00ad\u200b\ufeff\U000e0001""#);
    }

    #[test]
    fn reads_integers_as_go_does() {
        assert_eq!(atoi("+5"), Ok(5));
        assert_eq!(atoi("-0"), Ok(0));
        assert_eq!(atoi("0000000000000000000000012"), Ok(12));
        assert_eq!(atoi("-9223372036854775808"), Ok(i64::MIN));
        assert_eq!(atoi("9223372036854775808"), Err(AtoiError::Range));
        assert_eq!(atoi("99999999999999999999x"), Err(AtoiError::Range));
        for text in ["", "+", "-", "1_0", "0x1", " 1", "１"] {
            assert_eq!(atoi(text), Err(AtoiError::Syntax), "{text}");
        }
        assert_eq!(AtoiError::Syntax.message("L"), r#"strconv.Atoi: parsing "L": invalid syntax"#);
    }
}
