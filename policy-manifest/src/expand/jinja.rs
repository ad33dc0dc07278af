//! Jinja templates, through minijinja.

use super::values::Values;
use super::{Parameters, Piece, Rendered, described};
use crate::diagnostic::Diagnostic;
use crate::manifest::Source;
use minijinja::{Environment, Error, ErrorKind, OutputSpanKind, UndefinedBehavior};
use serde_json::Value;
use std::sync::Arc;

/// The name of the list of entries in a template that wants all of them.
const ALL: &str = "params";

/// Instructions that a template may take: enough for a hundred thousand manifests, too few to hang.
const FUEL: u64 = 200_000_000;

/// Renders a template: once with everything, or once for each entry when it does not take the list itself.
pub(super) fn render(template: &Arc<Source>, values: &Values) -> Result<Vec<Rendered>, Vec<Diagnostic>> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment
        .add_template("template", &template.text)
        .map_err(|error| vec![diagnostic(template, &error, &Parameters::new())])?;
    let compiled = environment
        .get_template("template")
        .map_err(|error| vec![diagnostic(template, &error, &Parameters::new())])?;
    let wants_all = compiled.undeclared_variables(false).contains(ALL);
    let contexts: Vec<(Parameters, String)> = match values {
        Values::Nothing => vec![(Parameters::new(), String::new())],
        Values::Whole(whole) => vec![(whole.clone(), String::new())],
        Values::Entries(entries) if wants_all => {
            let all: Value = entries.iter().cloned().map(Value::Object).collect();
            vec![(Parameters::from_iter([(ALL.to_owned(), all)]), String::new())]
        }
        Values::Entries(entries) => entries.iter().map(|entry| (entry.clone(), described(entry))).collect(),
    };
    let render = |(context, with): (Parameters, String)| {
        let value = minijinja::value::Serde(&context);
        let (text, spans) = compiled
            .render_with_spans(value)
            .map_err(|error| vec![diagnostic(template, &error, &context)])?;
        let pieces = spans.iter().map(|span| {
            let literal = span.kind() == OutputSpanKind::Raw;
            Piece { start: span.output_range().start, template: span.source_range(), literal }
        });
        let pieces = pieces.collect();
        Ok(Rendered { text: terminated(text), with, pieces })
    };
    contexts.into_iter().map(render).collect()
}

/// Jinja drops the last line break of a template.
fn terminated(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn diagnostic(template: &Arc<Source>, error: &Error, context: &Parameters) -> Diagnostic {
    let range = error.range().unwrap_or_else(|| line_range(template, error.line().unwrap_or(1)));
    let range = range.start.min(template.text.len())..range.end.min(template.text.len());
    let named = template.text.get(range.clone()).unwrap_or_default().trim();
    let problem = match error.kind() {
        ErrorKind::UndefinedError if super::values::is_name(named) => {
            let problem = Diagnostic::error(format!("no value for the parameter `{named}`"));
            let known: Vec<&str> = context.keys().map(String::as_str).collect();
            problem.help(match known.as_slice() {
                [] => format!("add `--set {named}=VALUE,VALUE`, or a file with `--values`"),
                known => format!("there are values for `{}`", known.join("`, `")),
            })
        }
        ErrorKind::OutOfFuel => {
            Diagnostic::error("the template does not come to an end").help("is there a very large `range()`?")
        }
        kind => {
            let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
            Diagnostic::error(format!("bad template: {kind}{detail}"))
        }
    };
    problem.at(template, range, "")
}

fn line_range(template: &Arc<Source>, line: usize) -> std::ops::Range<usize> {
    let start: usize = template.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let length = template.text[start.min(template.text.len())..].lines().next().map_or(0, str::len);
    start..start + length
}
