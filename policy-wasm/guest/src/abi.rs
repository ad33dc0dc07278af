//! The buffers that are shared with the driver, and operations on what is in them.
//!
//! Addresses are only ever looked up among the buffers that were handed out, so that no address that a driver makes up
//! is followed.

use crate::fault::{Code, Fault};
use crate::instance::Instance;
use serde::Serialize;
use std::collections::BTreeMap;

/// The version of the interface. A driver refuses a module with another one.
pub const ABI_VERSION: u32 = 1;

/// Buffers by their address.
#[derive(Debug, Default)]
pub struct Buffers {
    live: BTreeMap<u32, Vec<u8>>,
}

impl Buffers {
    /// A buffer of that length for the driver to write to; 0 when there is no room.
    pub fn alloc(&mut self, len: u32) -> u32 {
        let Ok(len) = usize::try_from(len) else { return 0 };
        let mut bytes = Vec::new();
        // An empty buffer would have no address of its own.
        if bytes.try_reserve_exact(len.max(1)).is_err() {
            return 0;
        }
        bytes.resize(len, 0);
        self.keep(bytes).0
    }

    /// Frees a buffer; `false` when there is none at that address.
    pub fn dealloc(&mut self, address: u32) -> bool {
        self.live.remove(&address).is_some()
    }

    /// The first `len` bytes of a buffer.
    ///
    /// # Errors
    /// There is no buffer at that address, or it is shorter.
    pub fn get(&self, address: u32, len: u32) -> Result<&[u8], Fault> {
        let bytes = self.live.get(&address).zip(usize::try_from(len).ok());
        bytes.and_then(|(bytes, len)| bytes.get(..len)).ok_or_else(|| {
            Fault::new(Code::BadPointer, format!("there is no buffer of {len} bytes at address {address}"))
        })
    }

    /// Keeps bytes for the driver to read; returns their address and length.
    pub fn keep(&mut self, bytes: Vec<u8>) -> (u32, u32) {
        // Linear memory has 32-bit addresses; on other machines tests never look at them.
        #[expect(clippy::cast_possible_truncation, reason = "addresses are 32 bits wide in the module")]
        let (address, len) = (bytes.as_ptr() as usize as u32, bytes.len() as u32);
        self.live.insert(address, bytes);
        (address, len)
    }
}

#[derive(Serialize)]
struct Faulty<'a> {
    fault: &'a Fault,
}

/// An answer's bytes: those of the operation, or `{"fault": …}`.
fn answer(result: Result<Vec<u8>, Fault>) -> Vec<u8> {
    result.unwrap_or_else(|fault| serde_json::to_vec(&Faulty { fault: &fault }).unwrap_or_default())
}

/// What an exported function does.
pub type Operation = fn(&mut Instance, &[u8]) -> Result<Vec<u8>, Fault>;

impl Buffers {
    /// Runs an operation on a request; returns the answer's address and length.
    pub fn run(
        &mut self,
        instance: &mut Instance,
        address: u32,
        len: u32,
        operation: Operation,
    ) -> (u32, u32) {
        let result = self.get(address, len).and_then(|request| operation(instance, request));
        self.keep(answer(result))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_addresses_are_faults() {
        let mut buffers = Buffers::default();
        let address = buffers.alloc(4);
        assert_eq!(buffers.get(address, 4), Ok(&[0; 4][..]));
        assert_eq!(buffers.get(address, 5).unwrap_err().code, Code::BadPointer);
        assert_eq!(buffers.get(address.wrapping_add(1), 1).unwrap_err().code, Code::BadPointer);
        assert!(buffers.dealloc(address) && !buffers.dealloc(address));
        assert_eq!(buffers.get(address, 0).unwrap_err().code, Code::BadPointer);
    }

    #[test]
    fn empty_buffers_have_addresses_of_their_own() {
        let mut buffers = Buffers::default();
        let (a, b) = (buffers.alloc(0), buffers.alloc(0));
        assert!(a != 0 && b != 0 && a != b);
    }

    #[test]
    fn faults_are_json() {
        let bytes = answer(Err(Fault::new(Code::UnknownHandle, "no")));
        assert_eq!(bytes, br#"{"fault":{"code":"unknownHandle","message":"no"}}"#);
    }
}
