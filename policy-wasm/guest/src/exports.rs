//! The exported functions.

use crate::abi::{ABI_VERSION, Buffers, Operation};
use crate::instance::Instance;
use std::cell::RefCell;

thread_local! {
    static STATE: RefCell<(Buffers, Instance)> = RefCell::default();
}

/// The answer's address is in the upper half, its length in the lower.
fn run(address: u32, len: u32, operation: Operation) -> u64 {
    STATE.with_borrow_mut(|(buffers, instance)| {
        let (address, len) = buffers.run(instance, address, len, operation);
        u64::from(address) << 32 | u64::from(len)
    })
}

/// See docs/wasm-abi.md, as for all of these.
#[unsafe(no_mangle)]
extern "C" fn abi_version() -> u32 {
    ABI_VERSION
}

#[unsafe(no_mangle)]
extern "C" fn alloc(len: u32) -> u32 {
    STATE.with_borrow_mut(|(buffers, _)| buffers.alloc(len))
}

#[unsafe(no_mangle)]
extern "C" fn dealloc(address: u32, _len: u32) -> u32 {
    STATE.with_borrow_mut(|(buffers, _)| u32::from(buffers.dealloc(address)))
}

#[unsafe(no_mangle)]
extern "C" fn decide(address: u32, len: u32) -> u64 {
    run(address, len, |instance, request| instance.decide(request))
}

#[unsafe(no_mangle)]
extern "C" fn apply(address: u32, len: u32) -> u64 {
    run(address, len, Instance::apply)
}

#[unsafe(no_mangle)]
extern "C" fn begin(address: u32, len: u32) -> u64 {
    run(address, len, Instance::begin)
}

#[unsafe(no_mangle)]
extern "C" fn resume(address: u32, len: u32) -> u64 {
    run(address, len, Instance::resume)
}
