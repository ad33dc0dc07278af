//! `--feature-gates`, as Kubernetes' components take it.

use crate::diagnostic::Diagnostic;
use policy_core::Gates;
use std::collections::BTreeMap;
use std::str::FromStr;

/// Gates whose absence is what is built in, and which cannot be turned on.
const ABSENT: [&str; 2] = ["WorkloadWithJob", "GenericWorkload"];
const JOB_MANAGED_BY: &str = "JobManagedBy";
const MUTABLE_SCHEDULING: &str = "MutableSchedulingDirectivesForSuspendedJobs";
const STALE_CONSISTENCY: &str = "StaleControllerConsistencyJob";
/// Known, and without a meaning for Jobs.
const POD_DELETION_COST: &str = "PodDeletionCost";

/// Gates by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FeatureGates(BTreeMap<String, bool>);

impl FromStr for FeatureGates {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut gates = BTreeMap::new();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, value) =
                pair.split_once('=').ok_or_else(|| format!("`{pair}`: expected NAME=true or NAME=false"))?;
            let value = match value.trim() {
                "true" | "True" | "TRUE" | "t" | "T" | "1" => true,
                "false" | "False" | "FALSE" | "f" | "F" | "0" => false,
                other => return Err(format!("{name}: `{other}` is neither true nor false")),
            };
            gates.insert(name.trim().to_string(), value);
        }
        Ok(FeatureGates(gates))
    }
}

impl FeatureGates {
    /// Gates that are asked for and not there.
    pub(super) fn problems(&self) -> Vec<Diagnostic> {
        let asked = ABSENT.iter().filter(|name| self.is_on(name, false));
        asked
            .map(|name| {
                Diagnostic::error(format!(
                    "--feature-gates: {name} cannot be turned on: gang scheduling is not there yet"
                ))
                .help(format!("leave {name} out"))
            })
            .collect()
    }

    /// Gates that nobody here knows.
    pub(super) fn unknown(&self) -> impl Iterator<Item = &str> {
        let known = [JOB_MANAGED_BY, MUTABLE_SCHEDULING, STALE_CONSISTENCY, POD_DELETION_COST];
        let names = self.0.keys().map(String::as_str);
        names.filter(move |name| !known.contains(name) && !ABSENT.contains(name))
    }

    /// The gates that change decisions.
    pub(super) fn gates(&self) -> Gates {
        Gates {
            job_managed_by: self.is_on(JOB_MANAGED_BY, Gates::DEFAULT.job_managed_by),
            mutable_scheduling_directives_for_suspended_jobs: self
                .is_on(MUTABLE_SCHEDULING, Gates::DEFAULT.mutable_scheduling_directives_for_suspended_jobs),
        }
    }

    /// Whether a sync waits until own writes are in the cache.
    pub(super) fn waits_for_own_writes(&self) -> bool {
        self.is_on(STALE_CONSISTENCY, true)
    }

    fn is_on(&self, name: &str, default: bool) -> bool {
        self.0.get(name).copied().unwrap_or(default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_are_read() {
        let gates: FeatureGates = "JobManagedBy=false, Nonsense=true,WorkloadWithJob=true".parse().unwrap();
        assert!(!gates.gates().job_managed_by);
        assert!(gates.gates().mutable_scheduling_directives_for_suspended_jobs);
        assert_eq!(gates.unknown().collect::<Vec<_>>(), ["Nonsense"]);
        assert_eq!(gates.problems().len(), 1);
        assert!("JobManagedBy".parse::<FeatureGates>().is_err());
        assert!("JobManagedBy=maybe".parse::<FeatureGates>().is_err());
    }
}
