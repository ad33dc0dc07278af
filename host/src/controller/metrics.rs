//! Metrics with the names and labels of the built-in controllers, in Prometheus' text format.
//!
//! The format is written here: client libraries for Rust write OpenMetrics, whose counters are typed under another
//! name than the one that dashboards of the built-in controller ask for.

use policy_core::job::{Counted, JobVerdict};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Upper bounds of `job_sync_duration_seconds` (upstream `ExponentialBuckets(0.004, 2, 15)`).
const FIRST_SYNC_BUCKET_SECONDS: f64 = 0.004;
const SYNC_BUCKETS: u32 = 15;
/// Upper bounds of `cronjob_controller_job_creation_skew_duration_seconds` (upstream `ExponentialBuckets(1, 2, 10)`).
const FIRST_SKEW_BUCKET_SECONDS: f64 = 1.0;
const SKEW_BUCKETS: u32 = 10;

/// Actions of Pod failure policy rules, in the order of [`Counted::policy_actions`].
const POLICY_ACTIONS: [&str; 4] = ["FailJob", "FailIndex", "Ignore", "Count"];

/// All metrics of the process.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    families: Mutex<BTreeMap<&'static str, Family>>,
}

/// The series of one name.
#[derive(Debug, Default)]
struct Family {
    help: &'static str,
    kind: &'static str,
    /// Values by rendered labels.
    series: BTreeMap<String, Series>,
}

#[derive(Debug)]
enum Series {
    Counter(u64),
    Gauge(i64),
    Histogram { bounds: Vec<f64>, counts: Vec<u64>, sum: f64 },
}

impl Metrics {
    /// Counts what a sync did.
    pub(super) fn synced(&self, verdict: &JobVerdict, counted: &Counted, failed: bool, seconds: f64) {
        let mode = ("completion_mode", counted.completion_mode);
        self.count_pods(mode, counted);
        if let Some(reason) = &counted.finished_reason {
            let result = if matches!(verdict, JobVerdict::Failed) { "failed" } else { "succeeded" };
            self.add(JOBS_FINISHED, &[mode, ("result", result), ("reason", reason)], 1);
        }
        if matches!(
            verdict,
            JobVerdict::Continues | JobVerdict::Completed | JobVerdict::Failed | JobVerdict::Errored
        ) {
            let result = if failed { "error" } else { "success" };
            let labels = [mode, ("result", result), ("action", counted.action.as_str())];
            self.add(JOB_SYNCS, &labels, 1);
            self.observe(SYNC_SECONDS, &labels, (FIRST_SYNC_BUCKET_SECONDS, SYNC_BUCKETS), seconds);
        }
    }

    fn count_pods(&self, mode: (&'static str, &str), counted: &Counted) {
        let limit = ("backoffLimit", counted.backoff_limit);
        for (result, pods, indexes, creations) in [
            ("succeeded", counted.pods_succeeded, counted.indexes_succeeded, counted.creations_succeeded),
            ("failed", counted.pods_failed, counted.indexes_failed, counted.creations_failed),
        ] {
            self.add(PODS_FINISHED, &[mode, ("result", result)], pods);
            self.add(INDEXES_FINISHED, &[("status", result), limit], indexes);
            let reason = ("reason", counted.creation_reason);
            self.add(PODS_CREATED, &[reason, ("status", result)], creations);
        }
        for (action, count) in POLICY_ACTIONS.iter().zip(counted.policy_actions) {
            self.add(POLICY_FAILURES, &[("action", action)], count);
        }
    }

    /// A terminated Pod gained (`add`) or lost (`delete`) the tracking finalizer.
    pub(super) fn terminated_pod_tracking(&self, event: &'static str) {
        self.add(TERMINATED_TRACKED, &[("event", event)], 1);
    }

    /// A Job that another controller manages has appeared.
    pub(super) fn managed_elsewhere(&self, controller: &str) {
        self.add(MANAGED_ELSEWHERE, &[("controller_name", controller)], 1);
    }

    /// A sync was put off because own writes are not in the cache yet.
    pub(super) fn stale_sync_skipped(&self, group: &'static str, resource: &'static str) {
        self.add(STALE_SKIPS, &[("group", group), ("resource", resource)], 1);
    }

    /// A Job was created this long after its time.
    pub(super) fn creation_skew(&self, seconds: f64) {
        self.observe(CREATION_SKEW, &[], (FIRST_SKEW_BUCKET_SECONDS, SKEW_BUCKETS), seconds);
    }

    /// A call to the API server was answered, or not.
    pub(super) fn called(&self, method: &str, code: &str) {
        self.add(API_CALLS, &[("method", method), ("code", code)], 1);
    }

    /// A Job cannot be decided about by this version.
    pub(super) fn not_understood(&self) {
        self.add(NOT_UNDERSTOOD, &[], 1);
    }

    /// Whether this replica leads.
    pub(super) fn leads(&self, leads: bool) {
        let mut families = self.lock();
        let series = family(&mut families, LEADS, "gauge").series.entry(String::new());
        *series.or_insert(Series::Gauge(0)) = Series::Gauge(i64::from(leads));
    }

    fn add(&self, name: Name, labels: &[(&str, &str)], count: i64) {
        let Some(count) = u64::try_from(count).ok().filter(|count| *count > 0) else { return };
        let mut families = self.lock();
        let series = family(&mut families, name, "counter").series.entry(render_labels(labels));
        if let Series::Counter(total) = series.or_insert(Series::Counter(0)) {
            *total = total.saturating_add(count);
        }
    }

    fn observe(&self, name: Name, labels: &[(&str, &str)], (first, buckets): (f64, u32), value: f64) {
        let mut families = self.lock();
        let series = family(&mut families, name, "histogram").series.entry(render_labels(labels));
        let fresh = || {
            let bounds: Vec<f64> = (0..buckets).map(|power| first * f64::from(1_u32 << power)).collect();
            Series::Histogram { counts: vec![0; bounds.len() + 1], bounds, sum: 0.0 }
        };
        if let Series::Histogram { bounds, counts, sum } = series.or_insert_with(fresh) {
            *sum += value;
            let place = bounds.partition_point(|bound| *bound < value);
            if let Some(count) = counts.get_mut(place) {
                *count += 1;
            }
        }
    }

    /// All metrics as text.
    pub(super) fn render(&self) -> String {
        let mut text = String::new();
        for (name, family) in self.lock().iter() {
            let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {}", family.help, family.kind);
            for (labels, series) in &family.series {
                series.render(&mut text, name, labels);
            }
        }
        text
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Family>> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Series {
    fn render(&self, text: &mut String, name: &str, labels: &str) {
        let braced = |labels: &str| if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        // Writing to a string does not fail.
        let _ = match self {
            Series::Counter(value) => writeln!(text, "{name}{} {value}", braced(labels)),
            Series::Gauge(value) => writeln!(text, "{name}{} {value}", braced(labels)),
            Series::Histogram { bounds, counts, sum } => {
                let comma = if labels.is_empty() { "" } else { "," };
                let mut total = 0_u64;
                let ends = bounds.iter().map(f64::to_string).chain(["+Inf".to_string()]);
                for (end, count) in ends.zip(counts) {
                    total += count;
                    let _ = writeln!(text, "{name}_bucket{{{labels}{comma}le=\"{end}\"}} {total}");
                }
                let labels = braced(labels);
                writeln!(text, "{name}_sum{labels} {sum}\n{name}_count{labels} {total}")
            }
        };
    }
}

/// A metric's name and what it means.
type Name = (&'static str, &'static str);

const JOBS_FINISHED: Name = ("job_controller_jobs_finished_total", "The number of finished jobs");
const JOB_SYNCS: Name = ("job_controller_job_syncs_total", "The number of job syncs");
const SYNC_SECONDS: Name = ("job_controller_job_sync_duration_seconds", "The time it took to sync a job");
const PODS_FINISHED: Name =
    ("job_controller_job_pods_finished_total", "The number of finished Pods that are fully tracked");
const INDEXES_FINISHED: Name =
    ("job_controller_job_finished_indexes_total", "The number of finished indexes");
const PODS_CREATED: Name = (
    "job_controller_job_pods_creation_total",
    "The number of Pods created, by the reason for their creation and whether it went well",
);
const POLICY_FAILURES: Name = (
    "job_controller_pod_failures_handled_by_failure_policy_total",
    "The number of failed Pods handled by a rule of the pod failure policy, by its action",
);
const TERMINATED_TRACKED: Name = (
    "job_controller_terminated_pods_tracking_finalizer_total",
    "The number of terminated pods that have the finalizer batch.kubernetes.io/job-tracking, by add or delete",
);
const MANAGED_ELSEWHERE: Name = (
    "job_controller_jobs_by_external_controller_total",
    "The number of Jobs managed by an external controller",
);
const STALE_SKIPS: Name = (
    "job_controller_stale_sync_skips_total",
    "The number of job syncs put off because the watch has not shown own writes yet",
);
const CREATION_SKEW: Name = (
    "cronjob_controller_job_creation_skew_duration_seconds",
    "The time between when a cronjob is scheduled to be run, and when the corresponding job is created",
);
const API_CALLS: Name = ("jobpolicy_api_calls_total", "Calls to the API server, by method and answer");
const NOT_UNDERSTOOD: Name = (
    "jobpolicy_jobs_not_understood_total",
    "Jobs left alone because this version does not know what they ask for",
);
const LEADS: Name = ("jobpolicy_leads", "Whether this replica leads");

fn family<'f>(
    families: &'f mut BTreeMap<&'static str, Family>,
    (name, help): Name,
    kind: &'static str,
) -> &'f mut Family {
    families.entry(name).or_insert_with(|| Family { help, kind, series: BTreeMap::new() })
}

/// Labels sorted by name, their values escaped.
fn render_labels(labels: &[(&str, &str)]) -> String {
    let mut labels = labels.to_vec();
    labels.sort_unstable();
    let escape = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let rendered: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
    rendered.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_prometheus_reads() {
        let metrics = Metrics::default();
        metrics.managed_elsewhere("a\"b\\c");
        metrics.managed_elsewhere("a\"b\\c");
        metrics.stale_sync_skipped("batch", "jobs");
        let text = metrics.render();
        assert!(text.contains(
            "# TYPE job_controller_jobs_by_external_controller_total counter\n\
             job_controller_jobs_by_external_controller_total{controller_name=\"a\\\"b\\\\c\"} 2\n"
        ));
        assert!(text.contains("stale_sync_skips_total{group=\"batch\",resource=\"jobs\"} 1\n"));
    }

    #[test]
    fn buckets_add_up() {
        let metrics = Metrics::default();
        for seconds in [0.5, 1.0, 3.0, 1e9] {
            metrics.creation_skew(seconds);
        }
        let text = metrics.render();
        let name = "cronjob_controller_job_creation_skew_duration_seconds";
        for (end, total) in [("1", 2), ("2", 2), ("4", 3), ("512", 3), ("+Inf", 4)] {
            assert!(text.contains(&format!("{name}_bucket{{le=\"{end}\"}} {total}\n")), "{end}: {text}");
        }
        assert!(text.contains(&format!("{name}_count 4\n")));
    }
}
