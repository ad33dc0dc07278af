//! Samples on all processors. The result depends on the seed and the number of samples alone.

use indicatif::{ProgressBar, ProgressStyle};
use policy_sim::worst_case::{Environment, Estimate, Sample, Sampler};
use serde_json::Value;
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

pub(super) const DEFAULT_SAMPLES: u32 = 1_000;

/// Runs a Job so many times.
///
/// # Errors
/// Why it cannot be sampled.
pub(super) fn estimate(
    job: &Value,
    environment: &Environment,
    samples: u32,
    seed: u64,
) -> Result<Estimate, String> {
    let sampler = Sampler::new(job, environment)?;
    let threads = thread::available_parallelism().map_or(1, usize::from);
    Ok(Estimate::of(&run(&sampler, samples, seed, threads)))
}

fn run(sampler: &Sampler, samples: u32, seed: u64, threads: usize) -> Vec<Sample> {
    let bar = progress_bar(samples.into());
    let next = AtomicU64::new(0);
    let (sender, receiver) = mpsc::channel();
    let mut done = thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    // Nobody takes samples any more only if this process is ending.
                    if number >= samples.into() || sender.send((number, sampler.run(seed, number))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        receiver.iter().inspect(|_| bar.inc(1)).collect::<Vec<(u64, Sample)>>()
    });
    bar.finish_and_clear();
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, sample)| sample).collect()
}

/// A bar on standard error, in a terminal only.
fn progress_bar(samples: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    // The template is a constant that is well formed.
    let style = ProgressStyle::with_template("sampling {wide_bar} {pos}/{len}");
    ProgressBar::new(samples).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy_sim::worst_case::ExitCodes;
    use serde_json::json;

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let job = json!({"spec": {"completions": 3, "parallelism": 2, "backoffLimit": 1, "template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "main"}]}}}});
        let exit_codes = ExitCodes::parse("0:0.7,1:0.3").unwrap();
        let environment = Environment { run_seconds: Some(10), exit_codes, disruptions: false };
        let sampler = Sampler::new(&job, &environment).unwrap();
        let one = run(&sampler, 50, 3, 1);
        assert_eq!(one.len(), 50);
        assert_eq!(run(&sampler, 50, 3, 7), one);
        assert_ne!(run(&sampler, 50, 4, 1), one);
    }
}
