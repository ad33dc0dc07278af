//! How much memory a Pod takes that has ended.

use policy_sim::config::{Act, Behaviour, Config, Match, NodeConfig};
use policy_sim::{Ending, World};
use serde_json::json;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, counting what is in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes on to the system's allocator unchanged; only a number is kept beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the block came from `alloc` above, with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes in use after a Job of so many Pods, without and with the events that were recorded.
fn bytes_after(pods: usize) -> (usize, usize) {
    let nodes = (0..20).map(|n| NodeConfig { pods: 250, ..NodeConfig::named(&format!("n{n}")) }).collect();
    let (matches, script) = (Match::default(), vec![Act::Run(5_000)]);
    let behaviours = vec![Behaviour { matches, script, on_term: None, ready_after_millis: 0 }];
    let mut config = Config { nodes, behaviours, ..Config::default() };
    config.controller.qps = 0.0;
    let before = IN_USE.load(Ordering::Relaxed);
    let mut world = World::new(config);
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}});
    let spec = json!({"completions": pods, "parallelism": 5_000, "template": template,
        "completionMode": "Indexed"});
    let metadata = json!({"name": "job", "namespace": "default"});
    world
        .create(&json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}))
        .unwrap();
    let until = world.now().plus_nanos(3_600_000_000_000);
    assert_eq!(world.run(until), Ending::Finished);
    world.advance(world.now().plus_nanos(60_000_000_000));
    assert_eq!(world.store.pods().count(), pods);
    let with_events = IN_USE.load(Ordering::Relaxed) - before;
    world.record.events = Vec::new();
    world.record.decisions = Vec::new();
    (IN_USE.load(Ordering::Relaxed) - before, with_events)
}

#[test]
fn a_pod_that_has_ended_takes_less_than_a_kilobyte() {
    // Powers of two, so that the spare room of growing lists is the same share of both.
    let (few, few_with_events) = bytes_after(4_096);
    let (many, many_with_events) = bytes_after(8_192);
    let each = (many - few) / 4_096;
    let each_with_events = (many_with_events - few_with_events) / 4_096;
    println!("{each} bytes a Pod, {each_with_events} with events and decisions");
    assert!(each < 1_024, "{each} bytes a Pod");
}
