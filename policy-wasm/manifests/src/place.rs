//! Places in a text as editors count.

use policy_manifest::diagnostic::{Diagnostic, Severity};
use policy_manifest::manifest::Source;
use policy_wasm::{Code, Problem};
use serde::Serialize;
use std::ops::Range;

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The character within the line, from 1.
    pub column: usize,
    /// The first UTF-16 unit, as JavaScript counts.
    pub from: usize,
    /// The first UTF-16 unit after it.
    pub to: usize,
}

impl Place {
    /// The place of bytes of a source.
    pub fn of(source: &Source, range: &Range<usize>) -> Self {
        let at = source.position(range.start);
        let units = |end: usize| {
            let end = source.text.floor_char_boundary(end);
            source.text.get(..end).unwrap_or_default().encode_utf16().count()
        };
        let from = units(range.start);
        Place { line: at.line, column: at.column, from, to: units(range.end.max(range.start)) }
    }
}

/// Something that is said about a place of the text.
#[derive(Clone, Debug, Serialize)]
pub struct Placed {
    /// `error`, `warning` or `info`.
    pub severity: &'static str,
    /// A word for it: `syntax`, upstream's type of an error, or a code of lint.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// The field, as Kubernetes writes paths; empty for the whole.
    pub path: String,
    /// Where; none when it is not about a part of this text.
    pub place: Option<Place>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Placed {
    /// A message of the reader's.
    pub fn of(code: &str, path: &str, diagnostic: &Diagnostic) -> Self {
        Placed {
            severity: match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "info",
            },
            code: code.to_owned(),
            message: diagnostic.title.clone(),
            path: path.to_owned(),
            place: diagnostic.place.as_ref().map(|place| Place::of(&place.source, &place.range)),
            help: diagnostic.help.clone(),
        }
    }
}

/// A message of the reader's as a problem; its place goes before the words.
pub(crate) fn problem(code: Code, diagnostic: &Diagnostic) -> Problem {
    let at = diagnostic.place.as_ref().map(|place| place.source.position(place.range.start));
    let message = match at {
        Some(at) => format!("line {}, column {}: {}", at.line, at.column, diagnostic.title),
        None => diagnostic.title.clone(),
    };
    let problem = Problem::new(code, message);
    match &diagnostic.help {
        Some(help) => problem.help(help.clone()),
        None => problem,
    }
}
