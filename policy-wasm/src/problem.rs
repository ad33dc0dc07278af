//! What is wrong with what was given, as an object.

use policy_json::LineError;
use policy_sim::scenario::{self, PathStep};
use serde::Serialize;

/// The kinds of problems; types.d.ts says what they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// Not JSON.
    MalformedJson,
    /// Neither YAML nor JSON.
    MalformedYaml,
    /// A template, or what it makes.
    InvalidTemplate,
    /// A time zone is named, and their data has not been loaded.
    ZonesNotLoaded,
    /// JSON of another form.
    WrongShape,
    /// A scenario that cannot be run.
    InvalidScenario,
    /// An object that the API server would refuse.
    InvalidObject,
    /// No such variant.
    UnknownVariant,
    /// No such object.
    UnknownObject,
    /// A number beyond what is allowed.
    OutOfRange,
    /// Right elsewhere.
    NotAllowedHere,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Its kind.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// Where, in Kubernetes' notation.
    pub path: String,
    /// The same, step by step.
    pub steps: Vec<Step>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Step {
    /// Into a key.
    Key(String),
    /// Into a list.
    Index(usize),
}

impl Problem {
    /// A problem with the whole.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Problem { code, message: message.into(), path: String::new(), steps: Vec::new(), help: None }
    }

    /// A problem with a field.
    pub fn at(code: Code, field: &str, message: impl Into<String>) -> Self {
        let steps = vec![Step::Key(field.to_owned())];
        Problem { path: field.to_owned(), steps, ..Problem::new(code, message) }
    }

    /// Says what to do.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Problem { help: Some(help.into()), ..self }
    }

    /// A problem of a scenario, its place told from `skip` steps on.
    pub fn of_scenario(code: Code, problem: &scenario::Problem, skip: usize) -> Self {
        let path = scenario::FieldPath(problem.path.0.get(skip..).unwrap_or_default().to_vec());
        let step = |step: &PathStep| match step {
            PathStep::Key(key) => Step::Key(key.clone()),
            PathStep::Index(index) => Step::Index(*index),
        };
        Problem {
            code,
            message: problem.message.clone(),
            steps: path.0.iter().map(step).collect(),
            path: path.to_string(),
            help: problem.help.clone(),
        }
    }
}

impl From<&serde_json::Error> for Problem {
    fn from(error: &serde_json::Error) -> Self {
        let code = if error.is_data() { Code::WrongShape } else { Code::MalformedJson };
        Problem::new(code, error.to_string())
    }
}

impl From<&LineError> for Problem {
    fn from(error: &LineError) -> Self {
        // The protocol names the field before the message.
        let field = error.message.strip_prefix('`').and_then(|rest| rest.split_once("`: "));
        match field {
            Some((field, message)) => Problem::at(Code::WrongShape, field, message),
            None => Problem::new(Code::WrongShape, error.message.clone()),
        }
    }
}

/// What functions answer with, or why they do not.
pub type Answer<T> = Result<T, Vec<Problem>>;

/// `{"ok":true,"value":…}` or `{"ok":false,"problems":[…]}`.
#[derive(Serialize)]
#[serde(untagged)]
enum Written<'a, T> {
    Good { ok: bool, value: T },
    Bad { ok: bool, problems: &'a [Problem] },
}

/// An answer's bytes.
pub fn written<T: Serialize>(answer: &Answer<T>) -> Vec<u8> {
    let written = match answer {
        Ok(value) => Written::Good { ok: true, value },
        Err(problems) => Written::Bad { ok: false, problems },
    };
    bytes(&written)
}

/// A value's bytes. Only maps with keys that are not strings cannot be written, and no answer has any.
pub fn bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// Reads JSON.
///
/// # Errors
/// It is not JSON of the expected form.
pub fn read<'a, T: serde::Deserialize<'a>>(json: &'a [u8]) -> Answer<T> {
    let text = std::str::from_utf8(json)
        .map_err(|error| vec![Problem::new(Code::MalformedJson, format!("not UTF-8: {error}"))])?;
    serde_json::from_str(text).map_err(|error| vec![Problem::from(&error)])
}
