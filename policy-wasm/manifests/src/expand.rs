//! Templates.

use crate::place::problem;
use policy_manifest::expand::{self, Syntax, stream, values::Values};
use policy_manifest::manifest::Source;
use policy_wasm::{Answer, Code};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A template and its parameters.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    template: String,
    /// `dollar` or `jinja`; found out when left out.
    #[serde(default)]
    syntax: Option<String>,
    /// YAML: a list of mappings is an expansion each, a mapping is for all.
    #[serde(default)]
    values: Option<String>,
    /// `NAME=VALUE,VALUE`, in place of `values`.
    #[serde(default)]
    set: Vec<String>,
}

/// What a template became.
#[derive(Clone, Debug, Serialize)]
pub struct Expanded {
    /// All of it as one text.
    pub text: String,
    /// The objects.
    pub objects: Vec<Value>,
}

/// Expands a template.
///
/// # Errors
/// What is wrong with it, its parameters, or what they make.
pub fn expand(request: Request) -> Answer<Expanded> {
    let one = |diagnostic| vec![problem(Code::InvalidTemplate, &diagnostic)];
    let template = Source::new("template", request.template);
    let values = match request.values {
        Some(values) => Values::from_source(&Source::new("values", values)).map_err(one)?,
        None => Values::from_sets(&request.set).map_err(one)?,
    };
    let syntax = match request.syntax.as_deref() {
        Some("dollar") => Syntax::Dollar,
        Some("jinja") => Syntax::Jinja,
        _ => Syntax::of(&template),
    };
    let expansions = expand::expand(&template, syntax, &values).map_err(|problems| {
        problems.iter().map(|diagnostic| problem(Code::InvalidTemplate, diagnostic)).collect::<Vec<_>>()
    })?;
    let objects = expansions.iter().flat_map(|expansion| &expansion.manifests);
    Ok(Expanded {
        objects: objects.map(|manifest| manifest.object.clone()).collect(),
        text: stream(&expansions),
    })
}
