//! Full decisions, and apart from them the digesting and parsing that comes before: the rows of docs/performance.md.

// Benchmarks may panic, and the macros of criterion make items without documentation.
#![allow(missing_docs, clippy::indexing_slicing, clippy::expect_used, clippy::arithmetic_side_effects)]

// `tests/bench` shows it to others.
#[allow(unreachable_pub)]
mod cases;

use cases::{Case, now};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use policy_core::job::{JobView, PodDigester, PodFacts, decide};
use policy_core::spec::Pod;
use policy_core::{JobMemory, Settings};
use std::hint::black_box;
use std::time::Duration;

const SIZES: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];

fn full_decisions(c: &mut Criterion) {
    for case in Case::ALL {
        let mut group = c.benchmark_group(format!("decide/{}", case.name()));
        for size in SIZES {
            let job = case.job(size);
            let digester = PodDigester::new(&job);
            let pods: Vec<PodFacts> = case.each_pod(size).map(|pod| digester.digest(&pod)).collect();
            let view = JobView::new(&job, &pods, &Settings::DEFAULT);
            let memory = JobMemory::default();
            group.bench_function(BenchmarkId::from_parameter(size), |b| {
                b.iter(|| decide(black_box(view), &memory, now(), &mut ()));
            });
        }
        group.finish();
    }
}

fn digesting(c: &mut Criterion) {
    for case in [Case::Steady, Case::Policy] {
        let mut group = c.benchmark_group(format!("digest/{}", case.name()));
        for size in [1_000, 10_000] {
            let digester = PodDigester::new(&case.job(size));
            let pods: Vec<Pod> = case.each_pod(size).collect();
            group.throughput(Throughput::Elements(size as u64));
            group.bench_function(BenchmarkId::from_parameter(size), |b| {
                b.iter(|| pods.iter().map(|pod| digester.digest(black_box(pod))).collect::<Vec<_>>());
            });
        }
        group.finish();
    }
}

fn parsing(c: &mut Criterion) {
    let mut group = c.benchmark_group("parse/steady");
    for size in [1_000, 10_000] {
        let texts: Vec<String> = (0..size).map(|place| Case::Steady.pod_json(place, size)).collect();
        group.throughput(Throughput::Bytes(texts.iter().map(|text| text.len() as u64).sum()));
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| {
                let pods = texts.iter().map(|text| serde_json::from_str::<Pod>(black_box(text)));
                pods.collect::<Result<Vec<_>, _>>().expect("Pods")
            });
        });
    }
    group.finish();
}

fn settings() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
}

criterion_group!(name = benches; config = settings(); targets = full_decisions, digesting, parsing);
criterion_main!(benches);
