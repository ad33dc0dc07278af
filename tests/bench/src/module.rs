//! The same cases inside a WebAssembly module: whoever runs it, times it. It imports nothing.

use crate::engine::{Engine, Mode, native};
use crate::{Case, Counting};
use std::cell::RefCell;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static STATE: RefCell<Option<Box<dyn Engine>>> = const { RefCell::new(None) };
}

/// Sets a case up, by its place in [`Case::ALL`] and its mode's in [`Mode::ALL`]; what the Pods take in memory.
#[unsafe(no_mangle)]
extern "C" fn set_up(case: u32, pods: u32, mode: u32) -> u32 {
    let state = native(Case::ALL[case as usize], pods as usize, Mode::ALL[mode as usize]);
    let bytes = u32::try_from(state.bytes()).unwrap_or(u32::MAX);
    STATE.set(Some(state));
    bytes
}

/// Decides so many times.
#[unsafe(no_mangle)]
extern "C" fn repeat(decisions: u32) {
    STATE.with_borrow_mut(|state| {
        for state in state.iter_mut() {
            (0..decisions).for_each(|_| state.decide());
        }
    });
}
