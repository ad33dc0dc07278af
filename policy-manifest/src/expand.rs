//! Templates to manifests: `$ITEM` placeholders, or Jinja.

use crate::diagnostic::Diagnostic;
use crate::manifest::{self, Manifest, Source};
use policy_sim::scenario::{self, PathStep, Problem};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

mod dollar;
mod jinja;
pub mod values;

use values::Values;

/// How placeholders are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// `$ITEM` and `${ITEM}`.
    Dollar,
    /// `{{ item }}` and `{% for … %}`.
    Jinja,
}

impl Syntax {
    /// The syntax of a template, by its name and else by what is in it.
    pub fn of(template: &Source) -> Self {
        let jinja_name = [".jinja2", ".jinja", ".j2"].iter().any(|end| template.name.ends_with(end));
        let jinja_text = template.text.contains("{{") || template.text.contains("{%");
        if jinja_name || jinja_text { Syntax::Jinja } else { Syntax::Dollar }
    }
}

/// What a template became for one set of parameters.
#[derive(Debug)]
pub struct Expansion {
    /// The manifests as text.
    pub text: String,
    /// The objects in it.
    pub manifests: Vec<Manifest>,
}

/// Parameters by name.
pub type Parameters = Map<String, Value>;

/// Text made from a template, with the way back to it.
struct Rendered {
    text: String,
    /// Which parameters it was made with, for messages.
    with: String,
    pieces: Vec<Piece>,
}

/// A part of a rendered text.
struct Piece {
    /// Where it starts in the text.
    start: usize,
    /// What it was in the template.
    template: Range<usize>,
    /// Whether it was taken over as it is.
    literal: bool,
}

/// Messages shown at most; with thousands of items, the first ones say it all.
const SHOWN: usize = 10;

/// Expands a template.
///
/// # Errors
/// What is wrong with the template, its parameters, or the manifests that they make, each with its place.
pub fn expand(
    template: &Arc<Source>,
    syntax: Syntax,
    values: &Values,
) -> Result<Vec<Expansion>, Vec<Diagnostic>> {
    let rendered = match syntax {
        Syntax::Dollar => dollar::render(template, values)?,
        Syntax::Jinja => jinja::render(template, values)?,
    };
    let (mut expansions, mut problems) = (Vec::new(), Vec::new());
    let mut names: BTreeMap<(String, String, String), String> = BTreeMap::new();
    for rendered in &rendered {
        match checked(template, rendered, &mut names) {
            Ok(manifests) => expansions.push(Expansion { text: rendered.text.clone(), manifests }),
            Err(more) => problems.extend(more),
        }
        if problems.len() >= SHOWN {
            break;
        }
    }
    if problems.is_empty() { Ok(expansions) } else { Err(problems) }
}

/// All manifests in one stream of documents.
pub fn stream(expansions: &[Expansion]) -> String {
    let mut text = String::new();
    for expansion in expansions {
        let own = expansion.text.trim_start_matches(['\n', ' ']);
        if !own.starts_with("---") && (!text.is_empty() || expansions.len() > 1) {
            text.push_str("---\n");
        }
        text.push_str(own);
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
    text
}

type Names = BTreeMap<(String, String, String), String>;

fn checked(
    template: &Arc<Source>,
    rendered: &Rendered,
    names: &mut Names,
) -> Result<Vec<Manifest>, Vec<Diagnostic>> {
    let source = Source::new(format!("{} (expanded)", template.name), rendered.text.as_str());
    let manifests =
        manifest::parse(&source).map_err(|problem| vec![rendered.placed(template, &source, problem)])?;
    let mut problems = Vec::new();
    for manifest in &manifests {
        let found = scenario::check_manifest(&manifest.object);
        problems.extend(found.iter().map(|problem| rendered.diagnose(template, manifest, problem)));
        let kind = manifest.kind().to_owned();
        let key = (kind, manifest.namespace().to_owned(), manifest.name().to_owned());
        if let Some(other) = names.insert(key, rendered.with.clone()).filter(|_| !manifest.name().is_empty())
        {
            problems.push(rendered.twice(template, manifest, &other));
        }
    }
    if problems.is_empty() { Ok(manifests) } else { Err(problems) }
}

impl Rendered {
    fn diagnose(&self, template: &Arc<Source>, manifest: &Manifest, problem: &Problem) -> Diagnostic {
        let steps = problem.path.0.iter().map(|step| match step {
            PathStep::Key(key) => manifest::path::Step::Field(key.clone()),
            PathStep::Index(index) => manifest::path::Step::Bracket(index.to_string()),
        });
        let located = manifest.locate_steps(steps.collect());
        let diagnostic = Diagnostic::error(&problem.message).at(&manifest.source, located.range, "");
        self.placed(template, &manifest.source, diagnostic)
    }

    fn twice(&self, template: &Arc<Source>, manifest: &Manifest, other: &str) -> Diagnostic {
        let (kind, name) = (manifest.kind(), manifest.name());
        let located = manifest.locate("metadata.name");
        let message = format!("there are two of {kind} `{name}`");
        let diagnostic = Diagnostic::error(message).at(&manifest.source, located.range, "");
        let diagnostic = self.placed(template, &manifest.source, diagnostic);
        if other.is_empty() {
            return diagnostic.help("give each a name of its own");
        }
        diagnostic
            .help(format!("the other one is made with {other}; put a parameter that differs into the name"))
    }

    /// Moves a message about the rendered text to the template, where that is possible.
    fn placed(&self, template: &Arc<Source>, source: &Arc<Source>, mut problem: Diagnostic) -> Diagnostic {
        if !self.with.is_empty() {
            problem.title = format!("{} (with {})", problem.title, self.with);
        }
        let Some(place) = problem.place.take() else { return problem };
        match (self.in_template(&place.range), place.source.name == source.name) {
            (Some(range), true) => {
                let made = source.text.get(place.range.clone()).unwrap_or_default();
                let was = template.text.get(range.clone()).unwrap_or_default();
                let label = if made == was || made.contains('\n') || made.is_empty() {
                    place.label
                } else {
                    format!("becomes `{made}`")
                };
                problem.at(template, range, label)
            }
            _ => problem.at(&place.source, place.range, place.label),
        }
    }

    fn in_template(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let piece_at = |offset: usize| {
            let index = self.pieces.partition_point(|piece| piece.start <= offset).checked_sub(1)?;
            self.pieces.get(index)
        };
        let first = piece_at(range.start)?;
        let start = if first.literal {
            first.template.start + (range.start - first.start)
        } else {
            first.template.start
        };
        let last = piece_at(range.end.saturating_sub(1).max(range.start))?;
        let end =
            if last.literal { last.template.start + (range.end - last.start) } else { last.template.end };
        Some(start..end.max(start))
    }
}

/// Parameters as text for messages: `ITEM=apple, N=3`.
fn described(parameters: &Parameters) -> String {
    let one = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name}=`{text}`"),
        other => format!("{name}=`{other}`"),
    };
    parameters.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
