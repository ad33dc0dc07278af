//! What samples say together, with the error that comes from their number.

use super::endings::Outcome;
use super::sampler::Sample;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The quantile of the normal distribution for a 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

/// An estimate from samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// How many samples there are.
    pub samples: usize,
    /// The share of those that completed.
    pub complete: f64,
    /// The 95 % interval of the probability to complete (Wilson).
    pub complete_interval: (f64, f64),
    /// The mean of the Pod-minutes, and its standard error.
    pub pod_minutes: (f64, f64),
    /// Seconds to the end, of the samples that ended.
    pub seconds_to_end: Option<Spread>,
    /// Pods that were created.
    pub pods: Option<Spread>,
    /// How often each way to end was seen: `Failed: BackoffLimitExceeded`.
    pub endings: BTreeMap<String, usize>,
}

/// How numbers are spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// Half of them are at most this.
    pub p50: f64,
    /// Nine out of ten are at most this.
    pub p90: f64,
    /// All but one in a hundred are at most this.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

impl Estimate {
    /// Sums samples up. The order of the samples does not matter much, but it does for the last digits: give them in the
    /// order of their numbers.
    pub fn of(samples: &[Sample]) -> Self {
        let count = samples.len();
        let complete = samples.iter().filter(|sample| sample.outcome == Outcome::Complete).count();
        let minutes: Vec<f64> = samples.iter().map(|sample| sample.pod_millis as f64 / 60_000.0).collect();
        let ended = samples.iter().filter(|sample| sample.outcome != Outcome::Never);
        let mut endings = BTreeMap::new();
        for sample in samples {
            let name = match sample.outcome {
                Outcome::Never => "not ended in 30 days".to_owned(),
                outcome => format!("{}: {}", outcome.as_str(), sample.reason),
            };
            *endings.entry(name).or_default() += 1;
        }
        Estimate {
            samples: count,
            complete: complete as f64 / (count as f64).max(1.0),
            complete_interval: wilson(complete, count),
            pod_minutes: mean_and_error(&minutes),
            seconds_to_end: Spread::of(ended.map(|sample| sample.millis as f64 / 1_000.0).collect()),
            pods: Spread::of(samples.iter().map(|sample| sample.pods as f64).collect()),
            endings,
        }
    }

    /// All of it, for programs.
    pub fn to_json(&self) -> Value {
        let (low, high) = self.complete_interval;
        let (mean, error) = self.pod_minutes;
        json!({
            "samples": self.samples,
            "complete": {"probability": self.complete, "low": low, "high": high},
            "podMinutes": {"mean": mean, "standardError": error},
            "secondsToEnd": self.seconds_to_end.map(Spread::to_json),
            "pods": self.pods.map(Spread::to_json),
            "endings": self.endings,
        })
    }
}

impl Spread {
    fn of(mut numbers: Vec<f64>) -> Option<Self> {
        numbers.sort_by(f64::total_cmp);
        let (count, max) = (numbers.len(), *numbers.last()?);
        // The nearest rank.
        let share = |share: f64| {
            let rank = (share * count as f64).ceil().max(1.0) as usize;
            numbers.get(rank - 1).copied().unwrap_or(max)
        };
        let mean = numbers.iter().sum::<f64>() / count as f64;
        Some(Spread { mean, p50: share(0.5), p90: share(0.9), p99: share(0.99), max })
    }

    fn to_json(self) -> Value {
        let Spread { mean, p50, p90, p99, max } = self;
        json!({"mean": mean, "p50": p50, "p90": p90, "p99": p99, "max": max})
    }
}

/// Wilson's interval for a share.
fn wilson(hits: usize, count: usize) -> (f64, f64) {
    if count == 0 {
        return (0.0, 1.0);
    }
    let (n, share) = (count as f64, hits as f64 / count as f64);
    let z2 = Z * Z;
    let middle = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
    // At the ends rounding may leave a trace.
    let low = if hits == 0 { 0.0 } else { (middle - half).max(0.0) };
    let high = if hits == count { 1.0 } else { (middle + half).min(1.0) };
    (low, high)
}

fn mean_and_error(numbers: &[f64]) -> (f64, f64) {
    let n = (numbers.len() as f64).max(1.0);
    let mean = numbers.iter().sum::<f64>() / n;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0).max(1.0) / n).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_wilsons() {
        let (low, high) = wilson(8, 10);
        assert!((low - 0.4902).abs() < 1e-3 && (high - 0.9433).abs() < 1e-3, "{low} {high}");
        assert_eq!(wilson(0, 10).0, 0.0);
        assert_eq!(wilson(10, 10).1, 1.0);
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }

    #[test]
    fn errors_and_ranks() {
        let (mean, error) = mean_and_error(&[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(mean, 2.5);
        assert!((error - 0.6455).abs() < 1e-4);
        let spread = Spread::of((1..=100).map(f64::from).collect()).unwrap();
        assert_eq!((spread.p50, spread.p90, spread.p99, spread.max), (50.0, 90.0, 99.0, 100.0));
        assert!(Spread::of(Vec::new()).is_none());
    }
}
