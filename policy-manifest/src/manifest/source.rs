//! Where text comes from: a file or standard input, read whole, within a limit, and checked to be text.

use crate::diagnostic::Diagnostic;
use memchr::memchr_iter;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The most that is read from one file or from standard input.
pub const MAX_SOURCE_BYTES: u64 = 256 << 20;

/// A text with the name to show for it.
#[derive(Debug)]
pub struct Source {
    /// The path as given, or `<stdin>`, or a word for text from the command line.
    pub name: String,
    /// The text, without a byte order mark.
    pub text: String,
    /// Where lines start, once someone asked for a position.
    line_starts: OnceLock<Vec<usize>>,
}

/// A line and a column, both counted from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character within the line.
    pub column: usize,
}

impl Source {
    /// A source from text at hand.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self::of(name.into(), text.into()))
    }

    fn of(name: String, text: String) -> Self {
        Source { name, text, line_starts: OnceLock::new() }
    }

    /// Reads a file; `-` is standard input.
    ///
    /// # Errors
    /// What could not be read or is not UTF-8 text, and where.
    pub fn read(path: &Path) -> Result<Arc<Self>, Diagnostic> {
        let (name, bytes) = if path.as_os_str() == "-" {
            ("<stdin>".to_owned(), read_limited(io::stdin().lock()))
        } else {
            let bytes = File::open(path).and_then(|file| {
                if file.metadata()?.is_dir() {
                    Err(io::ErrorKind::IsADirectory.into())
                } else {
                    read_limited(file)
                }
            });
            (path.display().to_string(), bytes)
        };
        let bytes = bytes.map_err(|error| unreadable(&name, &error))?;
        Self::from_bytes(name, bytes)
    }

    /// A source from bytes, which must be UTF-8 text.
    ///
    /// # Errors
    /// The place of the first byte that is not text.
    pub fn from_bytes(name: String, mut bytes: Vec<u8>) -> Result<Arc<Self>, Diagnostic> {
        if bytes.len() as u64 > MAX_SOURCE_BYTES {
            let limit = MAX_SOURCE_BYTES >> 20;
            return Err(Diagnostic::error(format!("`{name}` is larger than {limit} MiB"))
                .help("split it, or send its objects one a line to a command with `--stream`"));
        }
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(Diagnostic::error(format!("`{name}` is UTF-16 text, expected UTF-8"))
                .help("save it as UTF-8; in PowerShell: `… | Out-File -Encoding utf8 FILE`"));
        }
        if bytes.starts_with("\u{feff}".as_bytes()) {
            bytes.drain(..3);
        }
        let text = String::from_utf8(bytes).map_err(|error| not_utf8(&name, &error))?;
        let source = Source::of(name, text);
        match source.text.find(is_binary) {
            Some(offset) => Err(source.binary_at(offset)),
            None => Ok(Arc::new(source)),
        }
    }

    fn binary_at(self, offset: usize) -> Diagnostic {
        let at = self.position(offset);
        let byte = self.text.as_bytes().get(offset).copied().unwrap_or_default();
        Diagnostic::error(format!(
            "{}:{}:{}: this is not text: control character 0x{byte:02x}",
            self.name, at.line, at.column
        ))
        .help("expected YAML or JSON; is it compressed, or another kind of file?")
    }

    /// The line and column of a byte offset.
    pub fn position(&self, offset: usize) -> Position {
        let starts = self.line_starts.get_or_init(|| {
            std::iter::once(0)
                .chain(memchr_iter(b'\n', self.text.as_bytes()).map(|newline| newline + 1))
                .collect()
        });
        let offset = self.text.floor_char_boundary(offset);
        let line = starts.partition_point(|start| *start <= offset);
        let start = starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        Position { line, column: self.text.get(start..offset).unwrap_or_default().chars().count() + 1 }
    }

    /// The bytes of the line around an offset, without its line break.
    pub fn line_around(&self, offset: usize) -> Range<usize> {
        let offset = self.text.floor_char_boundary(offset);
        let (before, after) = self.text.split_at(offset);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let end = after.find(['\n', '\r']).map_or(self.text.len(), |length| offset + length);
        start..end.max(start)
    }
}

/// Characters that no YAML or JSON text holds (go-yaml: "control characters are not allowed").
fn is_binary(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}') && c < '\u{80}'
}

fn read_limited(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_SOURCE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(name: &str, error: &io::Error) -> Diagnostic {
    let (what, help) = match error.kind() {
        io::ErrorKind::NotFound => ("no such file", "check the path; `-` reads standard input"),
        io::ErrorKind::IsADirectory => {
            ("it is a directory", "name the files in it, for example `DIR/*.yaml`")
        }
        io::ErrorKind::PermissionDenied => ("permission denied", "check who may read it"),
        _ => ("", "check that it is a file that can be read"),
    };
    let what = if what.is_empty() { error.to_string() } else { what.to_owned() };
    Diagnostic::error(format!("cannot read `{name}`: {what}")).help(help)
}

fn not_utf8(name: &str, error: &std::string::FromUtf8Error) -> Diagnostic {
    let valid = error.utf8_error().valid_up_to();
    let bytes = error.as_bytes();
    let byte = bytes.get(valid).copied().unwrap_or_default();
    let before = String::from_utf8_lossy(bytes.get(..valid).unwrap_or_default()).into_owned();
    let read = Source::of(name.to_owned(), before);
    if let Some(offset) = read.text.find(is_binary) {
        return read.binary_at(offset);
    }
    let at = read.position(valid);
    Diagnostic::error(format!("{name}:{}:{}: byte 0x{byte:02x} is not UTF-8 text", at.line, at.column))
        .help("expected YAML or JSON in UTF-8; is it compressed, or in another encoding?")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        Source::from_bytes("f".to_owned(), bytes.to_vec()).unwrap_err().title
    }

    #[test]
    fn says_where_text_stops_being_text() {
        assert_eq!(refusal(b"a: 1\nb: \xff\n"), "f:2:4: byte 0xff is not UTF-8 text");
        assert_eq!(refusal(b"\x7fELF"), "f:1:1: this is not text: control character 0x7f");
        assert_eq!(refusal(b"\xff\xfea\0"), "`f` is UTF-16 text, expected UTF-8");
    }

    #[test]
    fn positions_count_characters_from_one() {
        let source = Source::new("f", "é: 1\nab: ü x\n");
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        let x = source.text.find('x').unwrap();
        assert_eq!(source.position(x), Position { line: 2, column: 7 });
        assert_eq!(&source.text[source.line_around(x)], "ab: ü x");
        assert_eq!(source.line_around(source.text.len()), source.text.len()..source.text.len());
    }

    #[test]
    fn a_byte_order_mark_is_dropped() {
        let source = Source::from_bytes("f".to_owned(), "\u{feff}a: 1".into()).unwrap();
        assert_eq!(source.text, "a: 1");
    }
}
