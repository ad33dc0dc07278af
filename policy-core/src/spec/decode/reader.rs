//! A cursor over JSON text that was checked to be well-formed.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

/// The text turned out not to be well-formed; cannot happen once it was checked.
#[derive(Debug)]
pub(super) struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the manifest is not well-formed JSON")
    }
}

pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Reader { text, at: 0 }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn advance(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    fn since(&self, start: usize) -> Result<&'a str, Malformed> {
        self.text.get(start..self.at).ok_or(Malformed)
    }

    /// The first byte of the next value, white space passed over.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte() {
            self.advance(1);
        }
        self.byte()
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Malformed> {
        if self.peek() != Some(wanted) {
            return Err(Malformed);
        }
        self.advance(1);
        Ok(())
    }

    /// What Go calls the next value in an error.
    pub(super) fn kind(&mut self) -> &'static str {
        match self.peek() {
            Some(b'{') => "object",
            Some(b'[') => "array",
            Some(b'"') => "string",
            Some(b't' | b'f') => "bool",
            Some(b'n') => "null",
            _ => "number",
        }
    }

    /// The next key of an object, with the reader at its value; `None` after the last.
    pub(super) fn next_key(&mut self, first: &mut bool) -> Result<Option<Cow<'a, str>>, Malformed> {
        if !self.next_in(first, b'{', b'}')? {
            return Ok(None);
        }
        let key = self.string()?;
        self.expect(b':')?;
        Ok(Some(key))
    }

    /// Goes to the next item of an array; false after the last.
    pub(super) fn next_item(&mut self, first: &mut bool) -> Result<bool, Malformed> {
        self.next_in(first, b'[', b']')
    }

    fn next_in(&mut self, first: &mut bool, open: u8, close: u8) -> Result<bool, Malformed> {
        if *first {
            self.expect(open)?;
            *first = false;
            if self.peek() != Some(close) {
                return Ok(true);
            }
        } else if self.peek() == Some(b',') {
            self.advance(1);
            return Ok(true);
        }
        self.expect(close)?;
        Ok(false)
    }

    /// Passes over a value of any kind, however deep, and returns its text.
    pub(super) fn skip(&mut self) -> Result<&'a str, Malformed> {
        self.peek();
        let start = self.at;
        let mut depth: usize = 0;
        loop {
            match self.peek().ok_or(Malformed)? {
                b'"' => drop(self.raw_string()?),
                b'{' | b'[' => {
                    depth = depth.saturating_add(1);
                    self.advance(1);
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1).ok_or(Malformed)?;
                    self.advance(1);
                }
                b',' | b':' => self.advance(1),
                _ => self.scalar()?,
            }
            if depth == 0 {
                return self.since(start);
            }
        }
    }

    fn scalar(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while let Some(b'0'..=b'9' | b'a'..=b'z' | b'E' | b'+' | b'-' | b'.') = self.byte() {
            self.advance(1);
        }
        if self.at == start { Err(Malformed) } else { Ok(()) }
    }

    /// A string's content before unescaping, and whether it holds escapes.
    fn raw_string(&mut self) -> Result<(&'a str, bool), Malformed> {
        self.expect(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = self.text.as_bytes().get(self.at..).ok_or(Malformed)?;
            let plain = rest.iter().position(|b| matches!(b, b'"' | b'\\')).ok_or(Malformed)?;
            self.advance(plain);
            if self.byte() == Some(b'"') {
                break;
            }
            escaped = true;
            self.advance(2);
        }
        let content = self.since(start)?;
        self.advance(1);
        Ok((content, escaped))
    }

    /// A string; borrowed unless it holds escapes.
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        let (content, escaped) = self.raw_string()?;
        if escaped { unescape(content).map(Cow::Owned) } else { Ok(Cow::Borrowed(content)) }
    }
}

/// Resolves escapes as Go does: half a surrogate pair becomes U+FFFD.
fn unescape(content: &str) -> Result<String, Malformed> {
    let mut text = String::with_capacity(content.len());
    let mut rest = content;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let mut chars = escape.chars();
        let escaped = match chars.next().ok_or(Malformed)? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let (decoded, after) = unicode_escape(chars.as_str()).ok_or(Malformed)?;
                text.push(decoded);
                rest = after;
                continue;
            }
            other => other,
        };
        text.push(escaped);
        rest = chars.as_str();
    }
    text.push_str(rest);
    Ok(text)
}

/// The character of the hexadecimal digits at the start, and of the other half after them where they need one.
fn unicode_escape(digits: &str) -> Option<(char, &str)> {
    let (unit, rest) = code_unit(digits)?;
    if (0xd800..0xdc00).contains(&unit)
        && let Some((low @ 0xdc00..0xe000, after)) = rest.strip_prefix("\\u").and_then(code_unit)
    {
        let decoded = char::decode_utf16([unit, low]).next()?.ok()?;
        return Some((decoded, after));
    }
    Some((char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER), rest))
}

fn code_unit(digits: &str) -> Option<(u16, &str)> {
    let (hex, rest) = digits.split_at_checked(4)?;
    Some((u16::from_str_radix(hex, 16).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unescapes_as_go_does() {
        for (content, text) in [
            (r"a\tb\n\/", "a\tb\n/"),
            (r"\u0041\u00e9", "Aé"),
            (r"\ud83d\ude00", "😀"),
            (r"\ud83dx\ude00", "\u{fffd}x\u{fffd}"),
            (r"\ud83d\u0041", "\u{fffd}A"),
        ] {
            assert_eq!(unescape(content).unwrap(), text, "{content}");
        }
    }

    #[test]
    fn skips_values_of_any_depth() {
        let deep = ["[".repeat(100_000), "]".repeat(100_000)].concat();
        assert_eq!(Reader::new(&deep).skip().unwrap(), deep);
        let text = r#" {"a":[1,{"b":"}\"]"}],"c":null} ,2"#;
        assert_eq!(Reader::new(text).skip().unwrap(), r#"{"a":[1,{"b":"}\"]"}],"c":null}"#);
    }
}
