//! How much time and memory large Jobs take.

use super::{Cluster, job};
use crate::config::Config;
use crate::world::Ending;
use serde_json::json;
use std::time::Instant;

fn large(completions: u32, qps: f64) -> Cluster {
    let mut config = Config::default();
    config.controller.qps = qps;
    let mut cluster = Cluster::new(config, |_| Some((2, 0)));
    cluster.create(job(
        "large",
        json!({"completions": completions, "parallelism": completions.min(5_000), "completionMode": "Indexed"}),
    ));
    let start = Instant::now();
    assert_eq!(cluster.run(100_000), Ending::Finished);
    let virtual_seconds = cluster.world.now().nanos_since(cluster.world.config.start) / 1_000_000_000;
    println!("{completions} indexes: {virtual_seconds} virtual seconds in {:?}", start.elapsed());
    cluster.assert_complete("large", i32::try_from(completions).unwrap());
    cluster
}

#[test]
fn a_thousand_indexes_complete() {
    large(1_000, 0.0);
}

#[test]
#[ignore = "takes seconds; run with --release and --nocapture for figures"]
fn a_hundred_thousand_indexes_complete() {
    large(10_000, 20.0);
    large(10_000, 0.0);
    large(100_000, 0.0);
}

#[test]
fn a_pod_is_small() {
    assert!(size_of::<crate::object::Pod>() <= 400, "{}", size_of::<crate::object::Pod>());
}
