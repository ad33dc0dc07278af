//! What containers do, as flags say it.

use policy_sim::scenario::Duration;
use serde_json::{Map, Value, json};

/// Which containers a flag is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Which {
    job: Option<String>,
    container: Option<String>,
}

impl Which {
    /// Reads `[JOB/][CONTAINER=]` and returns what follows.
    fn parse(text: &str) -> (Self, &str) {
        let Some((which, rest)) = text.split_once('=') else { return (Which::default(), text) };
        let (job, container) = match which.split_once('/') {
            Some((job, container)) => (Some(job), container),
            None => (None, which),
        };
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        (Which { job: job.and_then(some), container: some(container) }, rest)
    }

    fn matches(&self) -> Map<String, Value> {
        let entries = [("job", &self.job), ("container", &self.container)];
        entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?.into()))).collect()
    }

    /// How many things it is particular about.
    fn weight(&self) -> usize {
        usize::from(self.job.is_some()) + usize::from(self.container.is_some())
    }

    /// Whether what this says also goes for the other's containers.
    fn covers(&self, other: &Which) -> bool {
        let over = |mine: &Option<String>, theirs: &Option<String>| mine.is_none() || mine == theirs;
        over(&self.job, &other.job) && over(&self.container, &other.container)
    }
}

/// An exit code, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExitCode {
    which: Which,
    code: u8,
    attempts: Vec<u32>,
    indexes: Option<String>,
}

impl ExitCode {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let refused = || {
            format!(
                "`{text}` is not like `42`, `main=42`, `main=42@2` (the second Pod) or `main=42#0,3` (indexes)"
            )
        };
        let (which, rest) = Which::parse(text);
        let (rest, indexes) = match rest.split_once('#') {
            Some((rest, indexes)) => (rest, Some(indexes.to_owned())),
            None => (rest, None),
        };
        let (code, attempts) = match rest.split_once('@') {
            Some((code, attempts)) => {
                let numbers: Result<Vec<u32>, _> = attempts.split(',').map(str::parse).collect();
                (code, numbers.ok().filter(|numbers| !numbers.contains(&0)).ok_or_else(refused)?)
            }
            None => (rest, Vec::new()),
        };
        let code = code.parse().map_err(|_| refused())?;
        Ok(ExitCode { which, code, attempts, indexes })
    }

    fn weight(&self) -> usize {
        self.which.weight()
            + 4 * usize::from(!self.attempts.is_empty())
            + 4 * usize::from(self.indexes.is_some())
    }
}

/// How long containers run, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunTime {
    which: Which,
    time: Duration,
}

impl RunTime {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (which, time) = Which::parse(text);
        Ok(RunTime { which, time: Duration::parse(time)? })
    }
}

/// A drain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DrainAt {
    node: String,
    at: Duration,
}

impl DrainAt {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (node, at) = text.split_once('@').ok_or_else(|| format!("`{text}` is not like `node-1@45s`"))?;
        Ok(DrainAt { node: node.to_owned(), at: Duration::parse(at)? })
    }

    pub(super) fn action(&self) -> Value {
        json!({"at": self.at.to_string(), "drain": self.node})
    }
}

/// How long a container works before it exits with a code, unless said otherwise.
const USUAL: Duration = Duration::from_nanos(5_000_000_000);

/// The behaviours of a scenario, the most particular first.
pub(super) fn behaviours(exit_codes: &[ExitCode], run_times: &[RunTime]) -> Vec<Value> {
    let mut times: Vec<&RunTime> = run_times.iter().collect();
    times.sort_by_key(|time| std::cmp::Reverse(time.which.weight()));
    let time_of = |which: &Which| {
        times.iter().find(|time| time.which.covers(which)).map_or(USUAL, |time| time.time).to_string()
    };
    let mut codes: Vec<&ExitCode> = exit_codes.iter().collect();
    codes.sort_by_key(|code| std::cmp::Reverse(code.weight()));
    let exits = codes.into_iter().map(|exit| {
        let mut matches = exit.which.matches();
        if !exit.attempts.is_empty() {
            matches.insert("attempts".to_owned(), exit.attempts.clone().into());
        }
        if let Some(indexes) = &exit.indexes {
            matches.insert("indexes".to_owned(), indexes.clone().into());
        }
        json!({"matches": matches, "script": [{"run": time_of(&exit.which)}, {"exit": exit.code}]})
    });
    let runs = times
        .iter()
        .map(|time| json!({"matches": time.which.matches(), "script": [{"run": time.time.to_string()}]}));
    exits.chain(runs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_become_behaviours() {
        let codes: Vec<ExitCode> =
            ["1", "main=42@2", "j/main=3#0,2"].iter().map(|text| ExitCode::parse(text).unwrap()).collect();
        let times = [RunTime::parse("main=30s").unwrap(), RunTime::parse("10s").unwrap()];
        assert_eq!(
            Value::Array(behaviours(&codes, &times)),
            json!([
                {"matches": {"job": "j", "container": "main", "indexes": "0,2"}, "script": [{"run": "30s"}, {"exit": 3}]},
                {"matches": {"container": "main", "attempts": [2]}, "script": [{"run": "30s"}, {"exit": 42}]},
                {"matches": {}, "script": [{"run": "10s"}, {"exit": 1}]},
                {"matches": {"container": "main"}, "script": [{"run": "30s"}]},
                {"matches": {}, "script": [{"run": "10s"}]},
            ])
        );
    }

    #[test]
    fn flags_that_make_no_sense_are_refused() {
        for text in ["", "main=", "main=300", "main=1@0", "main=1@x", "x"] {
            assert!(ExitCode::parse(text).is_err(), "{text}");
        }
        assert!(RunTime::parse("main=30").unwrap_err().contains("needs a unit"));
        assert!(DrainAt::parse("node-1").is_err());
    }
}
