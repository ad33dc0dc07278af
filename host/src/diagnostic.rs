//! What went wrong, shown to people: a headline, the line of the input with a caret under it, and what to do.

use crate::manifest::Source;
use annotate_snippets::renderer::DEFAULT_TERM_WIDTH;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::ops::Range;
use std::sync::Arc;

/// How serious a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The work could not be done, or the answer is no.
    Error,
    /// Worth knowing; nothing was refused.
    Warning,
}

/// One message with its place in the input.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
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

    /// The message as lines of text, with the source line and a caret.
    pub fn render(&self, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let window = self.place.as_ref().map(Window::around);
        let mut group: Group<'_> = level.primary_title(printable(&self.title)).elements(window.iter().map(Window::snippet));
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(printable(help)));
        }
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        renderer.term_width(DEFAULT_TERM_WIDTH).render(&[group])
    }
}

/// One line of the source, shortened around the place when it is very long.
struct Window<'a> {
    place: &'a Place,
    line: usize,
    column: usize,
    text: String,
    caret: Range<usize>,
}

/// Characters shown of a long line, before and after the caret's start.
const CONTEXT_CHARS: usize = 90;

impl<'a> Window<'a> {
    fn around(place: &'a Place) -> Self {
        let source = &place.source;
        let start = source.text.floor_char_boundary(place.range.start);
        let line = source.line_around(start);
        let end = source.text.floor_char_boundary(place.range.end.clamp(start, line.end.max(start)));
        let position = source.position(start);
        let before: Vec<char> = source.text[line.start..start].chars().collect();
        let caret: Vec<char> = source.text[start..end].chars().take(CONTEXT_CHARS).collect();
        let after = source.text.get(end..line.end).unwrap_or_default();

        let hidden = before.len().saturating_sub(CONTEXT_CHARS);
        let mut text = if hidden > 0 { "…".to_owned() } else { String::new() };
        text.push_str(&printable_chars(&before[hidden..]));
        let caret_start = text.len();
        text.push_str(&printable_chars(&caret));
        let caret_end = text.len();
        let rest: Vec<char> = after.chars().take(CONTEXT_CHARS).collect();
        text.push_str(&printable_chars(&rest));
        if after.chars().nth(CONTEXT_CHARS).is_some() {
            text.push('…');
        }
        Window { place, line: position.line, column: position.column, text, caret: caret_start..caret_end }
    }

    fn snippet(&self) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
        let label = (!self.place.label.is_empty()).then(|| printable(&self.place.label));
        Snippet::source(self.text.as_str())
            .line_start(self.line)
            .path(format!("{}:{}:{}", self.place.source.name, self.line, self.column))
            .annotation(AnnotationKind::Primary.span(self.caret.clone()).label(label))
    }
}

/// Text without characters that would move the cursor or start an escape sequence.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

fn printable_chars(chars: &[char]) -> String {
    chars.iter().map(|c| if c.is_control() { ' ' } else { *c }).collect()
}
