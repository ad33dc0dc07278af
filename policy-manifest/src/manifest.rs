//! Manifests as people have them: files or standard input, YAML or JSON, several documents, lists; each object with
//! a way back from a field path to its line.

use crate::diagnostic::Diagnostic;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

mod hints;
pub mod json;
pub mod path;
mod scalar;
mod source;
pub mod spans;
pub mod yaml;

pub(crate) use scalar::{Scalar, resolve as resolve_scalar};
pub use source::{MAX_SOURCE_BYTES, Position, Source};

use path::Step;
use spans::{Located, SpanNode};

/// One object of the input.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The text it came from.
    pub source: Arc<Source>,
    /// The object.
    pub object: Value,
    /// The path of the object within its document: empty, or `items[3]` of a list.
    prefix: Vec<Step>,
    spans: Spans,
}

/// Ways from a field path to bytes.
#[derive(Clone, Debug)]
enum Spans {
    /// Recorded while the YAML was read.
    Yaml(Arc<SpanNode>),
    /// Looked up in the JSON text, of which these bytes are the document.
    Json(Range<usize>),
}

/// Reads every object of every file; `-` is standard input.
///
/// # Errors
/// Everything that is wrong with the files, one diagnostic for each file or document at fault, beside what could be
/// read.
pub fn read_all(paths: &[PathBuf]) -> (Vec<Manifest>, Vec<Diagnostic>) {
    let (mut manifests, mut problems) = (Vec::new(), Vec::new());
    for (index, path) in paths.iter().enumerate() {
        if path.as_os_str() == "-" && paths[..index].contains(path) {
            problems.push(Diagnostic::error("standard input (`-`) is given twice").help("name it once"));
            continue;
        }
        match Source::read(path).and_then(|source| parse(&source)) {
            Ok(read) => manifests.extend(read),
            Err(problem) => problems.push(problem),
        }
    }
    (manifests, problems)
}

/// The objects of a text, in order; lists are taken apart, empty documents left out.
///
/// # Errors
/// Where the text is not YAML or JSON, or a document is not an object.
pub fn parse(source: &Arc<Source>) -> Result<Vec<Manifest>, Diagnostic> {
    let mut manifests = Vec::new();
    for (value, spans) in documents(source)? {
        if value.is_null() {
            continue;
        }
        let document = Manifest { source: source.clone(), object: value, prefix: Vec::new(), spans };
        if !document.object.is_object() {
            let found = yaml::json_type_name(&document.object);
            return Err(Diagnostic::error(format!(
                "expected an object with `kind` and `metadata`, found {found}"
            ))
            .at(source, document.locate("").range, "not an object")
            .help("a manifest is a mapping: `apiVersion: batch/v1`, `kind: Job`, …"));
        }
        document.take_apart(&mut manifests)?;
    }
    if manifests.is_empty() {
        return Err(Diagnostic::error(format!("`{}` holds no object", source.name))
            .help("expected at least one Kubernetes object in YAML or JSON"));
    }
    Ok(manifests)
}

fn documents(source: &Arc<Source>) -> Result<Vec<(Value, Spans)>, Diagnostic> {
    let text = &source.text;
    let json_error = if text.trim_start().starts_with(['{', '[']) {
        match json::parse(text) {
            Ok(documents) => {
                return Ok(documents.into_iter().map(|(value, range)| (value, Spans::Json(range))).collect());
            }
            Err(error) => Some(error),
        }
    } else {
        None
    };
    if let Some(error) = json_error.as_ref().filter(|error| !error.syntax) {
        return Err(json_diagnostic(source, error));
    }
    match (yaml::parse(text), json_error) {
        (Ok(documents), _) => {
            Ok(documents.into_iter().map(|d| (d.value, Spans::Yaml(Arc::new(d.spans)))).collect())
        }
        // A text that starts like JSON was most likely meant to be JSON.
        (Err(_), Some(error)) => Err(json_diagnostic(source, &error)),
        (Err(error), None) => {
            let diagnostic =
                Diagnostic::error(format!("invalid YAML: {}", error.message)).at(source, error.range, "");
            Err(Diagnostic { help: error.help, ..diagnostic })
        }
    }
}

fn json_diagnostic(source: &Arc<Source>, error: &json::JsonError) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("invalid JSON: {}", error.message)).at(
        source,
        error.offset..error.offset + 1,
        "",
    );
    if error.message.starts_with("the text ends") {
        return diagnostic.help("was it cut off?");
    }
    diagnostic
}

impl Manifest {
    /// The object's `kind`, or an empty string.
    pub fn kind(&self) -> &str {
        self.text_at("/kind")
    }

    /// The object's `apiVersion`, or an empty string.
    pub fn api_version(&self) -> &str {
        self.text_at("/apiVersion")
    }

    /// The object's name or, without one, its `generateName` prefix.
    pub fn name(&self) -> &str {
        match self.text_at("/metadata/name") {
            "" => self.text_at("/metadata/generateName"),
            name => name,
        }
    }

    /// The object's namespace; `default` when it has none.
    pub fn namespace(&self) -> &str {
        match self.text_at("/metadata/namespace") {
            "" => "default",
            namespace => namespace,
        }
    }

    /// The object's UID, or an empty string.
    pub fn uid(&self) -> &str {
        self.text_at("/metadata/uid")
    }

    /// Whether the object has a UID, and so comes from a cluster.
    pub fn is_stored(&self) -> bool {
        !self.uid().is_empty()
    }

    /// Whether the object has a resource version, as all that is read from an API server.
    pub fn has_resource_version(&self) -> bool {
        !self.text_at("/metadata/resourceVersion").is_empty()
    }

    /// A field (`uid`, `name`) of the owner that controls the object; empty without one (`metav1.GetControllerOf`).
    pub fn controller(&self, field: &str) -> &str {
        let owners = self.object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        let mut owners = owners.map(Vec::as_slice).unwrap_or_default().iter();
        let owner = owners.find(|owner| owner.get("controller") == Some(&Value::Bool(true)));
        owner.and_then(|owner| owner.get(field)?.as_str()).unwrap_or_default()
    }

    fn text_at(&self, pointer: &str) -> &str {
        self.object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// The place of a field, or of its nearest ancestor that exists.
    pub fn locate(&self, field: &str) -> Located {
        self.locate_steps(path::parse(field))
    }

    /// The same for a path in steps.
    pub fn locate_steps(&self, field: Vec<Step>) -> Located {
        let steps: Vec<Step> = self.prefix.iter().cloned().chain(field).collect();
        let mut located = match &self.spans {
            Spans::Yaml(root) => root.locate(&steps),
            Spans::Json(document) => json::locate(&self.source.text, document, &steps),
        };
        let line = self.source.line_around(located.range.start);
        located.range.end = located.range.end.clamp(located.range.start, line.end.max(located.range.start));
        located.found = located.found.saturating_sub(self.prefix.len());
        located
    }

    /// The object as a type.
    ///
    /// # Errors
    /// A message that points at the value that is not of the type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Diagnostic> {
        self.read_as(&self.object)
    }

    /// Another form of the object, with defaults perhaps, as a type.
    ///
    /// # Errors
    /// As [`Manifest::read`].
    pub fn read_as<T: DeserializeOwned>(&self, object: &Value) -> Result<T, Diagnostic> {
        let text = object.to_string();
        serde_json::from_str(&text).map_err(|error| {
            let error = error.to_string();
            let (what, field) = json::place_of_error(&text, &error);
            self.cannot_be_read(field, what)
        })
    }

    /// The message for a value that is not of its type.
    pub fn cannot_be_read(&self, field: Vec<Step>, what: &str) -> Diagnostic {
        let (kind, name, path) = (self.kind(), self.name(), path::to_string(&field));
        let colon = if path.is_empty() { "" } else { ": " };
        let range = self.locate_steps(field).range;
        let diagnostic = Diagnostic::error(format!("{kind} `{name}` cannot be read: {path}{colon}{what}"));
        let help =
            (kind != "Pod").then(|| "`jobpolicy validate` checks Jobs and CronJobs in full".to_owned());
        Diagnostic { help, ..diagnostic }.at(&self.source, range, "")
    }

    /// The line and column of a field.
    pub fn position(&self, field: &str) -> Position {
        self.source.position(self.locate(field).range.start)
    }

    /// Takes a list apart (`kind: List`, `PodList`, …); anything else is kept as it is.
    fn take_apart(self, manifests: &mut Vec<Manifest>) -> Result<(), Diagnostic> {
        let Some(item_kind) = self.kind().strip_suffix("List").map(str::to_owned) else {
            manifests.push(self);
            return Ok(());
        };
        let api_version = self.api_version().to_owned();
        let Manifest { source, mut object, spans, .. } = self;
        let list = Manifest { source, object: Value::Null, prefix: Vec::new(), spans };
        let items = match object.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => items,
            None | Some(Value::Null) => Vec::new(),
            Some(other) => {
                let found = yaml::json_type_name(&other);
                return Err(list.refuse("items", &format!("`items` must be a list, found {found}")));
            }
        };
        let places = list.places_of_items(items.len());
        for (index, (mut object, (prefix, spans))) in items.into_iter().zip(places).enumerate() {
            let Some(fields) = object.as_object_mut() else {
                return Err(list.refuse(&format!("items[{index}]"), "an item of a list must be an object"));
            };
            // The items of a typed list do not repeat their kind.
            if !item_kind.is_empty() && !fields.contains_key("kind") {
                fields.insert("kind".to_owned(), item_kind.clone().into());
                fields.entry("apiVersion").or_insert_with(|| api_version.clone().into());
            }
            manifests.push(Manifest { source: list.source.clone(), object, prefix, spans });
        }
        Ok(())
    }

    /// How to find each item of a list again. JSON is searched from its start each time, so an item gets its own part.
    fn places_of_items(&self, count: usize) -> Vec<(Vec<Step>, Spans)> {
        let ranges = match &self.spans {
            Spans::Json(document) => json::items(&self.source.text, document),
            Spans::Yaml(_) => Vec::new(),
        };
        let prefix = |index: usize| vec![Step::Field("items".to_owned()), Step::Bracket(index.to_string())];
        let place = |index: usize| match ranges.get(index) {
            Some(range) => (Vec::new(), Spans::Json(range.clone())),
            None => (prefix(index), self.spans.clone()),
        };
        (0..count).map(place).collect()
    }

    fn refuse(&self, field: &str, message: &str) -> Diagnostic {
        Diagnostic::error(message).at(&self.source, self.locate(field).range, "")
    }
}

#[cfg(test)]
mod tests;
