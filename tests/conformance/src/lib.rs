//! Parity with the real controllers: the vectors, the trait an engine implements, and how answers are compared.

use flate2::read::GzDecoder;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

/// One case: the input line as it is, and what the real controller answered.
#[derive(Debug)]
pub struct Case {
    /// The case's name.
    pub id: String,
    /// The whole line, which is what an engine reads.
    pub line: Vec<u8>,
    /// The line as JSON.
    pub input: Value,
    /// The part under `expect`.
    pub expect: Value,
}

/// Anything that answers lines of the stream protocol.
pub trait Engine {
    /// The answer to one line, as JSON.
    ///
    /// # Errors
    /// The text of the error answer, where the line was refused.
    fn answer(&mut self, line: &[u8]) -> Result<Value, String>;
}

impl<F: FnMut(&[u8]) -> Result<Value, String>> Engine for F {
    fn answer(&mut self, line: &[u8]) -> Result<Value, String> {
        self(line)
    }
}

/// The path of a vector file.
pub fn vector_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors").join(format!("{name}.jsonl.gz"))
}

/// The cases of a vector file, one at a time.
pub fn cases(name: &str) -> impl Iterator<Item = Case> {
    let path = vector_path(name);
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    BufReader::new(GzDecoder::new(file)).lines().map(|line| {
        let line = line.expect("vectors are UTF-8 lines").into_bytes();
        let mut input: Value = serde_json::from_slice(&line).expect("vectors are JSON");
        let expect = input.as_object_mut().and_then(|o| o.remove("expect")).unwrap_or(Value::Null);
        let id = input["id"].as_str().unwrap_or_default().to_owned();
        Case { id, line, input, expect }
    })
}

/// What is left when everything that means "not set" is taken out: null, `""`, `[]`, `{}`.
///
/// Go's `omitempty` makes these the same thing, so comparing them would only compare encoders.
pub fn without_unset(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(s) if s.is_empty() => None,
        Value::Array(items) if items.is_empty() => None,
        // Items keep their places: an unset item still counts.
        Value::Array(items) => {
            Some(items.iter().map(|item| without_unset(item).unwrap_or(Value::Null)).collect())
        }
        Value::Object(map) => {
            let kept: serde_json::Map<_, _> =
                map.iter().filter_map(|(k, v)| Some((k.clone(), without_unset(v)?))).collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        other => Some(other.clone()),
    }
}

/// Where two values first differ, as `path: ours X, upstream Y`; `None` when they are the same once unset is unset.
pub fn first_difference(ours: &Value, upstream: &Value) -> Option<String> {
    let (ours, upstream) = (without_unset(ours), without_unset(upstream));
    difference("", ours.as_ref(), upstream.as_ref())
}

fn difference(path: &str, ours: Option<&Value>, upstream: Option<&Value>) -> Option<String> {
    match (ours, upstream) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            keys.into_iter().find_map(|k| difference(&format!("{path}.{k}"), a.get(k), b.get(k)))
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            (0..a.len().max(b.len())).find_map(|i| difference(&format!("{path}[{i}]"), a.get(i), b.get(i)))
        }
        (a, b) if a == b => None,
        (a, b) => {
            let show = |v: Option<&Value>| v.map_or("nothing".to_owned(), Value::to_string);
            Some(format!("{}: ours {}, upstream {}", path.trim_start_matches('.'), show(a), show(b)))
        }
    }
}

/// What a run over a vector file found.
#[derive(Debug, Default)]
pub struct Report {
    /// Cases compared.
    pub cases: usize,
    /// Cases that differ, each with its first difference.
    pub mismatches: Vec<(String, String)>,
    /// Of the mismatches, those whose upstream answer depends on an unspecified order.
    pub order_sensitive: usize,
}

impl Report {
    /// Runs `engine` over a vector file; `compare` returns the first difference of one case.
    pub fn run(
        name: &str,
        engine: &mut impl Engine,
        compare: impl Fn(&Case, &Result<Value, String>) -> Option<String>,
    ) -> Self {
        let mut report = Report::default();
        for case in cases(name) {
            report.cases += 1;
            let answer = engine.answer(&case.line);
            if let Some(difference) = compare(&case, &answer) {
                let order_sensitive = case.input["orderSensitive"] == Value::Bool(true);
                report.order_sensitive += usize::from(order_sensitive);
                report.mismatches.push((case.id, difference));
            }
        }
        report
    }

    /// Fails with the first few differences and the command that replays one.
    pub fn assert_parity(&self, name: &str, command: &str) {
        assert!(self.cases > 0, "{name}: no cases were read");
        let Some((id, _)) = self.mismatches.first() else { return };
        let shown: Vec<String> =
            self.mismatches.iter().take(20).map(|(id, diff)| format!("  {id}: {diff}")).collect();
        panic!(
            "{name}: {} of {} cases differ ({} order sensitive)\n{}\nreplay one: zcat tests/conformance/vectors/{name}.jsonl.gz | grep '\"id\":\"{id}\"' | cargo run -q -p jobpolicy -- {command} --stream",
            self.mismatches.len(),
            self.cases,
            self.order_sensitive,
            shown.join("\n"),
        );
    }
}
