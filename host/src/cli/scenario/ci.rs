//! Runs as checks: JUnit reports and annotations of GitHub Actions.

use crate::cli::console::Console;
use crate::diagnostic::Diagnostic;
use crate::manifest::Position;
use crate::scenario::Loaded;
use policy_sim::scenario::{Held, Run};
use std::path::Path;

/// The assertions of one run.
pub(in crate::cli) struct Suite {
    variant: String,
    seconds: f64,
    assertions: Vec<Held>,
    why: String,
}

impl Suite {
    /// Cases that took no virtual time.
    pub(in crate::cli) fn new(name: String, assertions: Vec<Held>) -> Self {
        Suite { variant: name, seconds: 0.0, assertions, why: String::new() }
    }

    pub(super) fn of(variant: &str, run: &Run<'_>) -> Self {
        let seconds = run.elapsed().nanos() as f64 / 1e9;
        Suite {
            variant: variant.to_owned(),
            seconds,
            assertions: run.assertions(),
            why: run.why().join("\n"),
        }
    }
}

/// Prints an annotation for each assertion that does not hold.
pub(super) fn annotate(loaded: &Loaded, variant: &str, run: &Run<'_>, console: &mut Console) {
    for assertion in run.assertions().iter().filter(|assertion| !assertion.held) {
        let file = &loaded.source.name;
        let place = match assertion.place {
            Some(place) => Some(loaded.source.position(loaded.locate_assertion(variant, place).start)),
            None => None,
        };
        let found = assertion.found.as_deref().unwrap_or_default();
        let message = format!("{} ({variant}): {found}", assertion.text);
        console.text(&annotation("error", file, place, "jobpolicy", &message));
    }
}

/// A workflow command of GitHub Actions; the level is `error`, `warning` or `notice`.
pub(in crate::cli) fn annotation(
    level: &str,
    file: &str,
    place: Option<Position>,
    title: &str,
    message: &str,
) -> String {
    let place = place.map(|at| format!(",line={},col={}", at.line, at.column)).unwrap_or_default();
    format!("::{level} file={}{place},title={}::{}\n", property(file), property(title), escaped(message))
}

/// As GitHub wants messages of workflow commands.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

/// Writes a JUnit report: a suite for each variant, a case for each assertion.
pub(in crate::cli) fn write_junit(path: &Path, scenario: &str, suites: &[Suite]) -> Result<(), Diagnostic> {
    std::fs::write(path, junit(scenario, suites)).map_err(|error| {
        Diagnostic::error(format!("cannot write `{}`: {error}", path.display()))
            .help("does its folder exist?")
    })
}

fn junit(scenario: &str, suites: &[Suite]) -> String {
    let failures = |suite: &Suite| suite.assertions.iter().filter(|assertion| !assertion.held).count();
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let tests: usize = suites.iter().map(|suite| suite.assertions.len()).sum();
    let failed: usize = suites.iter().map(failures).sum();
    xml.push_str(&format!(
        "<testsuites name=\"{}\" tests=\"{tests}\" failures=\"{failed}\">\n",
        attribute(scenario)
    ));
    for suite in suites {
        let name = attribute(&format!("{scenario} {}", suite.variant));
        xml.push_str(&format!(
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" time=\"{}\">\n",
            suite.assertions.len(),
            failures(suite),
            suite.seconds,
        ));
        for assertion in &suite.assertions {
            let case = format!("    <testcase classname=\"{name}\" name=\"{}\"", attribute(&assertion.text));
            xml.push_str(&case);
            match &assertion.found {
                Some(found) if !assertion.held => xml.push_str(&format!(
                    ">\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
                    attribute(found),
                    attribute(&suite.why),
                )),
                _ => xml.push_str("/>\n"),
            }
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// Text for XML; what XML cannot hold becomes a replacement character.
fn attribute(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            c if c.is_control() && c != '\t' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_counts_and_escapes() {
        let held = |text: &str, found: Option<&str>| Held {
            text: text.into(),
            held: found.is_none(),
            found: found.map(Into::into),
            at: None,
            place: None,
        };
        let suite = Suite {
            variant: "base".into(),
            seconds: 1.5,
            assertions: vec![held("a", None), held("b < c", Some("it is \"d\""))],
            why: "e & f".into(),
        };
        let xml = junit("demo", &[suite]);
        assert!(xml.contains("<testsuites name=\"demo\" tests=\"2\" failures=\"1\">"), "{xml}");
        assert!(xml.contains(
            "name=\"b &lt; c\">\n      <failure message=\"it is &quot;d&quot;\">e &amp; f</failure>"
        ));
    }

    #[test]
    fn annotations_are_escaped() {
        assert_eq!(escaped("50 %\nx"), "50 %25%0Ax");
        assert_eq!(property("a,b:c"), "a%2Cb%3Ac");
    }
}
