//! The parameters of a template.

use super::Parameters;
use crate::diagnostic::Diagnostic;
use crate::manifest::{Source, yaml};
use serde_json::Value;
use std::sync::Arc;

/// Parameters for one expansion or several.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// None.
    Nothing,
    /// One expansion for each entry.
    Entries(Vec<Parameters>),
    /// One mapping for all.
    Whole(Parameters),
}

impl Values {
    /// From `NAME=VALUE,VALUE,…` of the command line: the values of all names go together, in order; a single value
    /// goes with every one of the others.
    ///
    /// # Errors
    /// A text is not of this form, a name is given twice, or the numbers of values do not match.
    pub fn from_sets(sets: &[String]) -> Result<Self, Diagnostic> {
        let mut columns: Vec<(String, Vec<Value>)> = Vec::new();
        for set in sets {
            let (name, values) = set.split_once('=').filter(|(name, _)| is_name(name)).ok_or_else(|| {
                Diagnostic::error(format!("`{set}` is not like `NAME=VALUE,VALUE`"))
                    .help("a name has letters, digits and `_`, for example `--set ITEM=apple,banana`")
            })?;
            if columns.iter().any(|(known, _)| known == name) {
                return Err(Diagnostic::error(format!("`{name}` is set twice"))
                    .help(format!("give all its values at once: `--set {name}=one,two`")));
            }
            columns.push((name.to_owned(), values.split(',').map(Value::from).collect()));
        }
        Ok(if columns.is_empty() { Values::Nothing } else { Values::Entries(rows(columns)?) })
    }

    /// From a file: a list of mappings is an entry each, a mapping is the whole.
    ///
    /// # Errors
    /// The text is not YAML or JSON, or neither a list of mappings nor a mapping.
    pub fn from_source(source: &Arc<Source>) -> Result<Self, Diagnostic> {
        let mut documents = yaml::parse(&source.text)
            .map_err(|error| {
                Diagnostic::error(format!("invalid YAML: {}", error.message)).at(source, error.range, "")
            })?
            .into_iter();
        let (first, second) = (documents.next(), documents.next());
        if let Some(second) = second {
            return Err(Diagnostic::error("expected one document of parameters, found several").at(
                source,
                second.spans.value,
                "",
            ));
        }
        let Some(document) = first else { return Ok(Values::Nothing) };
        let refused = |range| {
            Diagnostic::error("expected parameters: a list of mappings, or a mapping").at(source, range, "").help(
                "for example `- {name: apple, url: https://example.com/apple}` on a line for each expansion",
            )
        };
        match document.value {
            Value::Null => Ok(Values::Nothing),
            Value::Object(whole) => Ok(Values::Whole(whole)),
            Value::Array(items) => {
                let mut entries = Vec::new();
                for (index, item) in items.into_iter().enumerate() {
                    let Value::Object(entry) = item else {
                        let path = crate::manifest::path::parse(&format!("[{index}]"));
                        return Err(refused(document.spans.locate(&path).range));
                    };
                    entries.push(entry);
                }
                Ok(Values::Entries(entries))
            }
            _ => Err(refused(document.spans.value)),
        }
    }
}

/// Whether a text can be the name of a parameter.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Columns of values to rows.
pub(super) fn rows(columns: Vec<(String, Vec<Value>)>) -> Result<Vec<Parameters>, Diagnostic> {
    let longest = columns.iter().max_by_key(|(_, values)| values.len());
    let Some((longest, count)) = longest.map(|(name, values)| (name.clone(), values.len())) else {
        return Ok(Vec::new());
    };
    if let Some((name, values)) =
        columns.iter().find(|(_, values)| values.len() != 1 && values.len() != count)
    {
        return Err(Diagnostic::error(format!(
            "`{name}` has {} values, but `{longest}` has {count}",
            values.len()
        ))
        .help("values go together in order; give equally many, or a single one for all"));
    }
    let cell = |values: &[Value], row: usize| values.get(row).or_else(|| values.first()).cloned();
    let row = |row: usize| {
        columns.iter().filter_map(|(name, values)| Some((name.clone(), cell(values, row)?))).collect()
    };
    Ok((0..count).map(row).collect())
}
