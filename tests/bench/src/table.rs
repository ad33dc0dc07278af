//! The rows for people.

use crate::baseline::{Baseline, Row};

/// Prints the rows beside what was recorded and what the real controller takes.
pub(crate) fn print(rows: &[Row], baseline: &Baseline) {
    println!(
        "{:<16}{:>10}  {:<12}{:<8}{:>11}{:>11}{:>8}  {:>9}  {:>10}",
        "case", "Pods", "mode", "engine", "least", "median", "B/Pod", "baseline", "upstream"
    );
    for row in rows {
        let times = |of: Option<u64>| match of {
            Some(nanos) if row.min_ns > 0 => format!("{:.2}x", nanos as f64 / row.min_ns as f64),
            _ => "-".to_owned(),
        };
        println!(
            "{:<16}{:>10}  {:<12}{:<8}{:>11}{:>11}{:>8}  {:>9}  {:>10}",
            row.case,
            row.pods,
            row.mode,
            row.engine,
            shown(row.min_ns),
            shown(row.median_ns),
            row.bytes_per_pod,
            times(baseline.row(row).map(|known| known.min_ns)),
            times(baseline.upstream(row).map(|known| known.min_ns)),
        );
    }
    println!("ratios: how many times faster the least time is than the recorded one, and than `syncJob`'s");
}

fn shown(nanos: u64) -> String {
    match nanos {
        0..10_000 => format!("{:.2} us", nanos as f64 / 1e3),
        10_000..1_000_000 => format!("{:.0} us", nanos as f64 / 1e3),
        _ => format!("{:.2} ms", nanos as f64 / 1e6),
    }
}
