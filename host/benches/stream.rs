//! Lines a second of the stream protocol, one thread, from the vectors.

// Benchmarks may panic, and the macros of criterion make items without documentation.
#![allow(missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jobpolicy::wire;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

/// The longest line that counts as small.
const SMALL_LINE_BYTES: usize = 5 * 1024;

/// Appends the answer to a line.
type Answer = fn(&[u8], &mut Vec<u8>) -> Result<(), wire::LineError>;

fn small_lines(vectors: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/vectors");
    let file = std::fs::File::open(folder.join(vectors).with_extension("jsonl.gz")).expect("vectors");
    let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
    let lines = lines.map(|line| line.expect("a line").into_bytes());
    lines.filter(|line| line.len() <= SMALL_LINE_BYTES).take(2_000).collect()
}

fn streams(c: &mut Criterion) {
    let mut group = c.benchmark_group("stream");
    let streams: [(&str, Answer); 4] = [
        ("job-trajectory", wire::job::answer),
        ("job-random", wire::job::answer),
        ("sync", wire::cron_job::answer),
        ("schedule", wire::schedule::answer),
    ];
    for (vectors, answer) in streams {
        let lines = small_lines(vectors);
        group.throughput(Throughput::Elements(lines.len() as u64));
        group.bench_function(vectors, |b| {
            let mut out = Vec::new();
            b.iter(|| {
                for line in &lines {
                    out.clear();
                    answer(line, &mut out).expect("an answer");
                }
            });
        });
    }
    group.finish();
}

fn settings() -> Criterion {
    Criterion::default().sample_size(10).measurement_time(Duration::from_secs(2))
}

criterion_group!(name = benches; config = settings(); targets = streams);
criterion_main!(benches);
