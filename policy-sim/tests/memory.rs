//! How much memory a Pod takes that has ended.

use policy_sim::Ending;
use policy_sim::scenario::{Document, Options, Run, RunReport};
use serde_json::json;
use std::alloc::{GlobalAlloc, Layout, System};
use std::io;
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

/// Bytes in use after the run of a Job of so many Pods, with all that the report is written from.
fn bytes_after(pods: usize) -> usize {
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}});
    let spec =
        json!({"completions": pods, "parallelism": 500, "template": template, "completionMode": "Indexed"});
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job"}, "spec": spec});
    let nodes: Vec<_> = (0..20).map(|n| json!({"name": format!("n{n}")})).collect();
    let document = Document::load(json!({
        "name": "memory", "title": "Memory", "until": "10h", "manifests": [job], "cluster": {"nodes": nodes},
    }))
    .unwrap();
    let before = IN_USE.load(Ordering::Relaxed);
    let mut run = Run::new(document.base(), Options { trace: true, ..Options::default() });
    assert_eq!(run.finish(), Ending::Finished);
    // The controllers see that the Job has finished, and forget its Pods.
    run.world.advance(run.world.now().plus_nanos(60_000_000_000));
    assert_eq!(run.world.store.pods().count(), pods);
    assert_eq!(run.world.record.events.len(), pods * 5 + 1);
    let mut written = Counter(0);
    RunReport { run: &run, variant: "base" }.write_json(&mut written).unwrap();
    assert!(written.0 > pods * 1_000);
    IN_USE.load(Ordering::Relaxed) - before
}

/// Counts what is written.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_pod_that_has_ended_takes_less_than_a_kilobyte() {
    // Powers of two, so that the spare room of growing lists is the same share of both.
    let (few, many) = (bytes_after(4_096), bytes_after(8_192));
    let each = (many - few) / 4_096;
    println!("{each} bytes a Pod, with its events, its timeline and the decisions about it");
    assert!(each < 1_024, "{each} bytes a Pod");
}
