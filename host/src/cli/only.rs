//! The choice of one object among those of the input.

use crate::diagnostic::Diagnostic;
use crate::manifest::Manifest;

/// A Job or CronJob by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Only {
    kind: &'static str,
    name: String,
}

impl Only {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let refused = || format!("`{text}` is not like `job/NAME` or `cronjob/NAME`");
        let (kind, name) = text.split_once('/').filter(|(_, name)| !name.is_empty()).ok_or_else(refused)?;
        let kind = match kind.to_ascii_lowercase().as_str() {
            "job" | "jobs" | "job.batch" | "jobs.batch" => "Job",
            "cronjob" | "cronjobs" | "cj" | "cronjob.batch" | "cronjobs.batch" => "CronJob",
            _ => return Err(refused()),
        };
        Ok(Only { kind, name: name.to_owned() })
    }

    /// The kind and the name.
    #[cfg(feature = "controller")]
    pub(super) fn parts(&self) -> (&'static str, &str) {
        (self.kind, &self.name)
    }

    pub(super) fn matches(&self, manifest: &Manifest) -> bool {
        self.kind == manifest.kind() && self.name == manifest.name()
    }
}

/// The message for an input without a Job or CronJob, or without the one that was asked for.
pub(super) fn nothing_found(only: Option<&Only>) -> Diagnostic {
    match only {
        Some(only) => Diagnostic::error(format!("there is no {} `{}` in the input", only.kind, only.name))
            .help("check the name, or leave it out"),
        None => Diagnostic::error("there is no Job or CronJob in the input")
            .help("expected `apiVersion: batch/v1` and `kind: Job` or `kind: CronJob`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_taken_as_kubectl_writes_them() {
        let parsed = |text: &str| Only::parse(text).map(|only| (only.kind, only.name));
        assert_eq!(parsed("job/pi"), Ok(("Job", "pi".to_owned())));
        assert_eq!(parsed("cronjob.batch/x"), Ok(("CronJob", "x".to_owned())));
        for text in ["pi", "job/", "pod/x", ""] {
            assert!(parsed(text).is_err(), "{text}");
        }
    }
}
