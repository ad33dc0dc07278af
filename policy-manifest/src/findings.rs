//! From an answer of `validate` to messages at the lines they are about.

use crate::diagnostic::{Diagnostic, Severity};
use crate::manifest::{Manifest, path};
use policy_sim::zones::TzDatabase;
use serde::Deserialize;
use serde_json::{Value, json};

/// One error or warning about an object.
pub struct Finding {
    /// Upstream's `ErrorType` (`FieldValueInvalid`, …), `Decoding`, `StrictDecoding` or `Warning`.
    kind: String,
    /// The field; empty when it is about the whole object.
    field: String,
    message: String,
    line: usize,
    column: usize,
    /// The same for people.
    pub diagnostic: Diagnostic,
}

/// An answer of the line protocol.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Answer {
    errors: Option<Vec<FieldError>>,
    warnings: Option<Vec<String>>,
    strict_errors: Option<String>,
    decode_error: Option<String>,
}

#[derive(Debug, Deserialize)]
struct FieldError {
    r#type: String,
    #[serde(default)]
    field: String,
    #[serde(default)]
    detail: String,
}

/// Asks for a verdict about a manifest and places what comes back.
pub fn of(manifest: &Manifest, line: &Value) -> Vec<Finding> {
    let mut bytes = Vec::new();
    let answer =
        match policy_json::validate::answer(line.to_string().as_bytes(), TzDatabase::shared(), &mut bytes) {
            Ok(()) => serde_json::from_str(&String::from_utf8_lossy(&bytes)).unwrap_or_else(|error| Answer {
                decode_error: Some(format!("internal error: the verdict cannot be read: {error}")),
                ..Answer::default()
            }),
            Err(error) => Answer { decode_error: Some(error.message), ..Answer::default() },
        };
    let mut findings = Vec::new();
    findings.extend(answer.decode_error.map(|message| decoding(manifest, &message)));
    findings.extend(answer.strict_errors.iter().flat_map(|text| strict(manifest, text)));
    findings.extend(answer.errors.into_iter().flatten().map(|error| field_error(manifest, error)));
    findings.extend(answer.warnings.into_iter().flatten().map(|text| warning(manifest, &text)));
    findings
}

impl Finding {
    fn at_field(manifest: &Manifest, severity: Severity, kind: &str, field: &str, message: String) -> Self {
        let located = manifest.locate(field);
        let range = match located.key {
            Some(key) if kind == "StrictDecoding" => key,
            _ => located.range,
        };
        let at = manifest.source.position(range.start);
        let headline = if field.is_empty() { message.clone() } else { format!("{field}: {message}") };
        let missing = path::parse(field).get(located.found).map(|step| step.text().to_owned());
        let label = match missing {
            Some(step) if kind == "FieldValueRequired" => format!("`{step}` is missing here"),
            _ => String::new(),
        };
        let diagnostic = match severity {
            Severity::Error => Diagnostic::error(headline),
            Severity::Warning => Diagnostic::warning(headline),
            Severity::Info => Diagnostic::info(headline),
        };
        Finding {
            kind: kind.to_owned(),
            field: field.to_owned(),
            message,
            line: at.line,
            column: at.column,
            diagnostic: diagnostic.at(&manifest.source, range, label),
        }
    }

    fn help(mut self, help: Option<String>) -> Self {
        self.diagnostic.help = help;
        self
    }

    /// Upstream's `ErrorType` (`FieldValueInvalid`, …), `Decoding`, `StrictDecoding` or `Warning`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The field; empty when it is about the whole object.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Whether the API server refuses the object for it.
    pub fn is_error(&self) -> bool {
        self.diagnostic.severity == Severity::Error
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        json!({
            "type": self.kind,
            "field": self.field,
            "message": self.message,
            "line": self.line,
            "column": self.column,
        })
    }
}

fn field_error(manifest: &Manifest, error: FieldError) -> Finding {
    let words = words_of(&error.r#type);
    let message = match (words, error.detail.as_str()) {
        (words, "") => words.to_owned(),
        (words, detail) => format!("{words}: {detail}"),
    };
    let field = if error.field == "<nil>" { "" } else { &error.field };
    Finding::at_field(manifest, Severity::Error, &error.r#type, field, message)
}

/// The words for a type of error (`field.ErrorType.String`), in lower case.
fn words_of(error_type: &str) -> &str {
    match error_type {
        "FieldValueNotFound" => "not found",
        "FieldValueRequired" => "required value",
        "FieldValueDuplicate" => "duplicate value",
        "FieldValueInvalid" => "invalid value",
        "FieldValueNotSupported" => "unsupported value",
        "FieldValueForbidden" => "forbidden",
        "FieldValueTooLong" => "too long",
        "FieldValueTooMany" => "too many",
        "FieldValueTypeInvalid" => "wrong type",
        "InternalError" => "internal error",
        other => other,
    }
}

/// `strict decoding error: unknown field "spec.foo", duplicate field "spec.bar"`.
fn strict(manifest: &Manifest, text: &str) -> Vec<Finding> {
    let list = text.strip_prefix("strict decoding error: ").unwrap_or(text);
    list.split("\", ")
        .map(|part| {
            let part = part.trim_end_matches('"');
            let (what, field) = part.split_once(" \"").unwrap_or((part, ""));
            let help = (what == "unknown field").then(|| {
                "the API server refuses fields it does not know; check the spelling and the indentation"
                    .to_owned()
            });
            Finding::at_field(manifest, Severity::Error, "StrictDecoding", field, what.to_owned()).help(help)
        })
        .collect()
}

/// `json: cannot unmarshal string into Go struct field JobSpec.spec.parallelism of type int32`, said plainly.
fn decoding(manifest: &Manifest, message: &str) -> Finding {
    let Some(mismatch) = Mismatch::parse(message) else {
        let (field, help) = match message.starts_with("no kind ") {
            true => ("kind", Some("the API server knows `Job` and `CronJob` of `batch/v1`".to_owned())),
            false => ("", None),
        };
        let finding = Finding::at_field(manifest, Severity::Error, "Decoding", field, message.to_owned());
        return finding.help(help);
    };
    let field = mismatch.find(&manifest.object).unwrap_or_else(|| mismatch.path.to_owned());
    let text = format!("expected {}, found {}", mismatch.expected(), mismatch.found_in_words());
    let help = mismatch.help(manifest, &field);
    Finding::at_field(manifest, Severity::Error, "Decoding", &field, text).help(help)
}

/// `metadata.name: this is used …`.
fn warning(manifest: &Manifest, text: &str) -> Finding {
    let (field, message) = match text.split_once(": ") {
        Some((field, message)) if !field.contains(' ') => (field, message),
        _ => ("", text),
    };
    Finding::at_field(manifest, Severity::Warning, "Warning", field, message.to_owned())
}

/// Go's words for a value of the wrong type.
struct Mismatch<'m> {
    /// The JSON type found, with the number where Go gives it: `string`, `number 1.5`.
    found: &'m str,
    /// The path without indexes: `spec.template.spec.containers.command`.
    path: &'m str,
    go_type: &'m str,
}

impl<'m> Mismatch<'m> {
    fn parse(message: &'m str) -> Option<Self> {
        let (_, rest) = message.split_once("cannot unmarshal ")?;
        let (found, rest) = rest.split_once(" into Go struct field ")?;
        let (field, go_type) = rest.split_once(" of type ")?;
        let (_, path) = field.split_once('.')?;
        Some(Mismatch { found, path, go_type })
    }

    fn found_in_words(&self) -> String {
        match self.found {
            "string" => "a string".to_owned(),
            "bool" => "a boolean".to_owned(),
            "array" => "a list".to_owned(),
            "object" => "a mapping".to_owned(),
            "number" => "a number".to_owned(),
            literal => literal.replacen("number ", "", 1),
        }
    }

    fn expected(&self) -> &str {
        match self.go_type {
            "string" => "a string",
            "bool" => "a boolean",
            "int32" => "an integer of 32 bits",
            "int64" | "int" => "an integer",
            list if list.starts_with("[]") => "a list",
            map if map.starts_with("map[") => "a mapping",
            _ => "an object",
        }
    }

    /// The path with indexes of the first value of the type found, as Go's message leaves them out.
    fn find(&self, object: &Value) -> Option<String> {
        let names: Vec<&str> = self.path.split('.').collect();
        self.find_in(object, &names, String::new())
    }

    fn find_in(&self, value: &Value, names: &[&str], at: String) -> Option<String> {
        match value {
            Value::Array(items) if !(names.is_empty() && self.is_found(value)) => {
                let mut items = items.iter().enumerate();
                items.find_map(|(i, item)| self.find_in(item, names, format!("{at}[{i}]")))
            }
            _ => match names {
                [] if self.is_found(value) => Some(at),
                // A map of strings: the message stops at the map.
                [] => {
                    let mut entries = value.as_object()?.iter();
                    entries.find(|(_, value)| self.is_found(value)).map(|(key, _)| format!("{at}[{key}]"))
                }
                [name, rest @ ..] => {
                    let dot = if at.is_empty() { "" } else { "." };
                    self.find_in(value.get(name)?, rest, format!("{at}{dot}{name}"))
                }
            },
        }
    }

    fn is_found(&self, value: &Value) -> bool {
        let (kind, literal) = self.found.split_once(' ').unwrap_or((self.found, ""));
        match value {
            Value::Null => false,
            Value::Bool(_) => kind == "bool",
            Value::Number(number) => {
                kind == "number" && (literal.is_empty() || number.to_string() == literal)
            }
            Value::String(_) => kind == "string",
            Value::Array(_) => kind == "array",
            Value::Object(_) => kind == "object",
        }
    }

    fn help(&self, manifest: &Manifest, field: &str) -> Option<String> {
        let written = manifest.source.text.get(manifest.locate(field).range)?;
        match (self.go_type, self.found) {
            ("string", "bool" | "number") if !written.contains(['"', '\n']) => {
                Some(format!("`{written}` without quotes is not a string; write `\"{written}\"`"))
            }
            ("int32" | "int64" | "bool", "string") if written.starts_with(['"', '\'']) => {
                Some("remove the quotes".to_owned())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Source, parse};

    fn manifest(text: &str) -> Manifest {
        parse(&Source::new("job.yaml", text)).unwrap().remove(0)
    }

    #[test]
    fn type_errors_are_found_again_in_lists() {
        let manifest = manifest("spec:\n  containers:\n  - env:\n    - value: x\n    - value: yes\n");
        let text = "json: cannot unmarshal bool into Go struct field EnvVar.spec.containers.env.value of type string";
        let finding = decoding(&manifest, text);
        assert_eq!(finding.field, "spec.containers[0].env[1].value");
        assert_eq!((finding.line, finding.column), (5, 14));
        assert_eq!(finding.message, "expected a string, found a boolean");
        assert!(finding.diagnostic.help.unwrap().contains("write `\"yes\"`"));
    }

    #[test]
    fn type_errors_in_maps_are_found_by_their_value() {
        let manifest = manifest("metadata:\n  labels:\n    a: b\n    on: 5\n");
        let text =
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string";
        assert_eq!(decoding(&manifest, text).field, "metadata.labels[true]");
    }

    #[test]
    fn strict_errors_are_taken_apart() {
        let manifest = manifest("spec:\n  paralellism: 1\n");
        let found = strict(
            &manifest,
            "strict decoding error: unknown field \"spec.paralellism\", duplicate field \"spec\"",
        );
        let shown: Vec<_> = found.iter().map(|f| (f.message.as_str(), f.field.as_str(), f.line)).collect();
        assert_eq!(shown, [("unknown field", "spec.paralellism", 2), ("duplicate field", "spec", 1)]);
    }

    #[test]
    fn missing_fields_are_shown_where_they_belong() {
        let manifest = manifest("spec:\n  template:\n    spec: {}\n");
        let error = FieldError {
            r#type: "FieldValueRequired".to_owned(),
            field: "spec.template.spec.restartPolicy".to_owned(),
            detail: String::new(),
        };
        let finding = field_error(&manifest, error);
        assert_eq!((finding.line, finding.message.as_str()), (3, "required value"));
        assert_eq!(finding.diagnostic.place.unwrap().label, "`restartPolicy` is missing here");
    }
}
