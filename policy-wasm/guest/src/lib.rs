//! The decisions as a WebAssembly module that imports nothing: JSON in linear memory in, JSON out (docs/wasm-abi.md).
//!
//! [`Instance`] is what the module does, as plain functions over bytes; [`Buffers`] is the memory around it.

mod abi;
#[cfg(target_arch = "wasm32")]
mod exports;
mod fault;
mod instance;
mod requests;

pub use abi::{ABI_VERSION, Buffers, Operation};
pub use fault::{Code, Fault};
pub use instance::Instance;
