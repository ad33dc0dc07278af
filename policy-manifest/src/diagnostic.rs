//! What went wrong, shown to people: a headline, the line of the input with a caret under it, and what to do.

use crate::manifest::Source;
use anstyle::{AnsiColor, Style};
use std::fmt::{self, Write};
use std::ops::Range;
use std::sync::Arc;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How serious a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The work could not be done, or the answer is no.
    Error,
    /// Worth knowing; nothing was refused.
    Warning,
    /// Worth knowing, and perhaps meant.
    Info,
}

/// One message with its place in the input.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// How serious it is.
    pub severity: Severity,
    /// What went wrong, in a sentence; where too, when there is no source line to show.
    pub title: String,
    /// The place in the input, if there is one.
    pub place: Option<Place>,
    /// What to do about it.
    pub help: Option<String>,
}

/// A range of a source and what is said about it.
#[derive(Clone, Debug)]
pub struct Place {
    /// The text.
    pub source: Arc<Source>,
    /// The bytes the caret points at.
    pub range: Range<usize>,
    /// What to write beside the caret; may be empty.
    pub label: String,
}

impl Diagnostic {
    /// An error.
    pub fn error(title: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Error, title: title.into(), place: None, help: None }
    }

    /// A warning.
    pub fn warning(title: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(title) }
    }

    /// An information.
    pub fn info(title: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Info, ..Diagnostic::error(title) }
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Points at bytes of a source.
    #[must_use]
    pub fn at(mut self, source: &Arc<Source>, range: Range<usize>, label: impl Into<String>) -> Self {
        self.place = Some(Place { source: source.clone(), range, label: label.into() });
        self
    }

    /// The message as lines of text, with the source line and a caret; without a line break at the end.
    pub fn render(&self, color: bool) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut text, &Paint::new(self.severity, color));
        text
    }

    fn write(&self, out: &mut String, paint: &Paint) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        let (severe, bold, reset) = (paint.severe, paint.bold, paint.reset);
        write!(out, "{severe}{word}{reset}{bold}: {}{reset}", printable(&self.title))?;
        if let Some(place) = &self.place {
            Window::around(place).write(out, paint)?;
        }
        if let Some(help) = &self.help {
            write!(out, "\n{}help{}: {}", paint.margin, reset, printable(help))?;
        }
        Ok(())
    }
}

/// Escape sequences; all empty without colours.
struct Paint {
    severe: anstyle::Style,
    bold: anstyle::Style,
    margin: anstyle::Style,
    reset: &'static str,
}

impl Paint {
    fn new(severity: Severity, color: bool) -> Self {
        if !color {
            let plain = Style::new();
            return Paint { severe: plain, bold: plain, margin: plain, reset: "" };
        }
        let severe = match severity {
            Severity::Error => AnsiColor::BrightRed,
            Severity::Warning => AnsiColor::Yellow,
            Severity::Info => AnsiColor::BrightCyan,
        };
        Paint {
            severe: severe.on_default().bold(),
            bold: Style::new().bold(),
            margin: AnsiColor::BrightBlue.on_default().bold(),
            reset: "\u{1b}[0m",
        }
    }
}

/// One line of the source, shortened around the place when it is very long.
struct Window<'a> {
    place: &'a Place,
    line: usize,
    column: usize,
    before: String,
    caret: String,
    after: String,
}

/// Characters shown of a long line, on either side of the caret and above it.
const CONTEXT_CHARS: usize = 60;

impl<'a> Window<'a> {
    fn around(place: &'a Place) -> Self {
        let source = &place.source;
        let start = source.text.floor_char_boundary(place.range.start);
        let line = source.line_around(start);
        let end = source.text.floor_char_boundary(place.range.end.clamp(start, line.end.max(start)));
        let position = source.position(start);

        let before = source.text.get(line.start..start).unwrap_or_default();
        let hidden = before.chars().count().saturating_sub(CONTEXT_CHARS);
        let mut before: String = before.chars().skip(hidden).collect();
        if hidden > 0 {
            before.insert(0, '…');
        }
        let caret = shortened(source.text.get(start..end).unwrap_or_default());
        let after = shortened(source.text.get(end..line.end).unwrap_or_default());
        let (line, column) = (position.line, position.column);
        Window { place, line, column, before: on_one_line(&before), caret, after }
    }

    fn write(&self, out: &mut String, paint: &Paint) -> fmt::Result {
        let Window { line, column, before, caret, after, .. } = self;
        let (margin, severe, reset) = (paint.margin, paint.severe, paint.reset);
        let number = line.to_string();
        let gap = " ".repeat(number.len());
        let indent = " ".repeat(before.width());
        let carets = "^".repeat(caret.width().max(1));
        let label = printable(&self.place.label);
        let label_gap = if label.is_empty() { "" } else { " " };
        let name = printable(&self.place.source.name);
        write!(out, "\n{gap}{margin}-->{reset} {name}:{line}:{column}")?;
        write!(out, "\n{gap} {margin}|{reset}")?;
        write!(out, "\n{margin}{number} |{reset} {before}{caret}{after}")?;
        write!(out, "\n{gap} {margin}|{reset} {indent}{severe}{carets}{label_gap}{label}{reset}")
    }
}

/// Text without characters that would move the cursor or start an escape sequence.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// Text in which each character takes the room that `unicode-width` gives it: tabs and controls become a space.
fn on_one_line(text: &str) -> String {
    text.chars().map(|c| if c.width().is_some() { c } else { ' ' }).collect()
}

fn shortened(text: &str) -> String {
    let mut short = on_one_line(&text.chars().take(CONTEXT_CHARS).collect::<String>());
    if text.chars().nth(CONTEXT_CHARS).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str, at: &str, label: &str) -> String {
        let start = text.find(at).unwrap();
        let source = Source::new("f.yaml", text);
        Diagnostic::error("no").at(&source, start..start + at.len(), label).help("do").render(false)
    }

    #[test]
    fn points_at_the_place() {
        let expected = "error: no\n --> f.yaml:2:6\n  |\n2 |   b: xyz # c\n  |      ^^^ here\nhelp: do";
        assert_eq!(rendered("a:\n  b: xyz # c\n", "xyz", "here"), expected);
    }

    #[test]
    fn wide_characters_tabs_and_controls_keep_the_caret_in_place() {
        assert!(rendered("漢字: x\ty\u{1b}z", "z", "").contains("漢字: x y z\n  |           ^"));
    }

    #[test]
    fn long_lines_are_cut_on_both_sides_and_columns_stay_true() {
        let text = format!("{}HERE{}", "é".repeat(1_000), "y".repeat(1_000));
        let shown = rendered(&text, "HERE", "");
        assert!(shown.contains("--> f.yaml:1:1001\n"), "{shown}");
        assert!(shown.contains(&format!("…{}HERE{}…", "é".repeat(60), "y".repeat(60))), "{shown}");
    }

    #[test]
    fn places_at_the_end_of_the_text_are_shown() {
        let source = Source::new("f", "ab");
        assert!(Diagnostic::error("e").at(&source, 2..2, "").render(false).ends_with("1 | ab\n  |   ^"));
        assert!(Diagnostic::error("e").at(&source, 9..20, "").render(true).contains("1:3"));
    }
}
