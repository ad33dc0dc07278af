//! `$ITEM` and `${ITEM}`, as `sed` in the Kubernetes tutorial has it, but no placeholder is left behind unnoticed.

use super::values::{Values, rows};
use super::{Parameters, Piece, Rendered, SHOWN, described};
use crate::diagnostic::Diagnostic;
use crate::manifest::Source;
use serde_json::Value;
use std::ops::Range;
use std::sync::Arc;

/// A part of a template.
enum Token<'t> {
    /// Taken over.
    Literal(Range<usize>),
    /// A dollar sign that was escaped.
    Dollar(Range<usize>),
    /// A placeholder.
    Name(&'t str, Range<usize>),
}

/// Renders a template once for each entry.
pub(super) fn render(template: &Arc<Source>, values: &Values) -> Result<Vec<Rendered>, Vec<Diagnostic>> {
    let tokens = tokens(&template.text);
    let entries = match values {
        Values::Nothing => vec![Parameters::new()],
        Values::Entries(entries) => entries.clone(),
        Values::Whole(whole) => rows(whole.iter().map(column).collect()).map_err(|problem| vec![problem])?,
    };
    let mut rendered = Vec::new();
    for entry in &entries {
        let problems = problems(template, &tokens, entry);
        if !problems.is_empty() {
            return Err(problems);
        }
        rendered.push(fill(&template.text, &tokens, entry));
    }
    Ok(rendered)
}

fn column((name, value): (&String, &Value)) -> (String, Vec<Value>) {
    let values = match value {
        Value::Array(values) => values.clone(),
        one => vec![one.clone()],
    };
    (name.clone(), values)
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut literal = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find('$') {
        let start = at + found;
        let token = token_at(text, start);
        let end = match &token {
            Some(Token::Name(_, range) | Token::Dollar(range) | Token::Literal(range)) => range.end,
            None => start + 1,
        };
        if let Some(token) = token {
            tokens.push(Token::Literal(literal..start));
            tokens.push(token);
            literal = end;
        }
        at = end;
    }
    tokens.push(Token::Literal(literal..text.len()));
    tokens
}

/// What a dollar sign begins; `$(NAME)` belongs to Kubernetes, and other uses to the shell.
fn token_at(text: &str, start: usize) -> Option<Token<'_>> {
    let rest = &text[start + 1..];
    if let Some(escaped) = rest.strip_prefix('$') {
        let is_placeholder = name(escaped).is_some() || braced(escaped).is_some();
        return is_placeholder.then_some(Token::Dollar(start..start + 2));
    }
    if let Some(name) = name(rest) {
        return Some(Token::Name(name, start..start + 1 + name.len()));
    }
    braced(rest).map(|name| Token::Name(name, start..start + 3 + name.len()))
}

fn name(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let name = &text[..end];
    super::values::is_name(name).then_some(name)
}

fn braced(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('{')?;
    let found = name(inside)?;
    inside[found.len()..].starts_with('}').then_some(found)
}

fn problems(template: &Arc<Source>, tokens: &[Token<'_>], entry: &Parameters) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for token in tokens {
        let Token::Name(name, range) = token else { continue };
        let problem = match entry.get(*name) {
            None => missing(name, entry),
            Some(Value::Array(_) | Value::Object(_)) => {
                Diagnostic::error(format!("`{name}` is a list or a mapping, which cannot stand in a text"))
            }
            Some(_) => continue,
        };
        problems.push(problem.at(template, range.clone(), ""));
    }
    if problems.is_empty()
        && let Some(unused) =
            entry.keys().find(|key| !tokens.iter().any(|t| matches!(t, Token::Name(n, _) if n == key)))
    {
        problems.push(Diagnostic::error(format!("the template has no placeholder `${unused}`")).help(
            format!("it would come out the same for every value; write `${unused}` where the value goes"),
        ));
    }
    problems.truncate(SHOWN);
    problems
}

fn missing(name: &str, entry: &Parameters) -> Diagnostic {
    let problem = Diagnostic::error(format!("no value for the parameter `{name}`"));
    let same = entry.keys().find(|key| key.eq_ignore_ascii_case(name));
    match same {
        Some(key) => problem.help(format!("there is one for `{key}`; names are case-sensitive")),
        None => problem
            .help(format!("add `--set {name}=VALUE,VALUE`, or write `$${name}` if the dollar sign is meant")),
    }
}

fn fill(text: &str, tokens: &[Token<'_>], entry: &Parameters) -> Rendered {
    let mut out = String::with_capacity(text.len());
    let mut pieces = Vec::new();
    for token in tokens {
        let start = out.len();
        let (template, literal) = match token {
            Token::Literal(range) => {
                out.push_str(&text[range.clone()]);
                (range.clone(), true)
            }
            Token::Dollar(range) => {
                out.push('$');
                (range.clone(), false)
            }
            Token::Name(name, range) => {
                match entry.get(*name) {
                    Some(Value::String(value)) => out.push_str(value),
                    Some(value) => out.push_str(&value.to_string()),
                    None => {}
                }
                (range.clone(), false)
            }
        };
        if out.len() > start {
            pieces.push(Piece { start, template, literal });
        }
    }
    Rendered { text: out, with: described(entry), pieces }
}
