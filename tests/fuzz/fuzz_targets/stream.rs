//! Streams: any bytes, in any pieces, get one answer line for each line.
#![no_main]

use jobpolicy::stream::{decide, run};
use libfuzzer_sys::fuzz_target;
use std::io::{self, Read};

/// Gives a few bytes at a time.
struct Pieces<'t> {
    rest: &'t [u8],
    size: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.size.min(self.rest.len()).min(buffer.len());
        let (first, rest) = self.rest.split_at(size);
        buffer[..size].copy_from_slice(first);
        self.rest = rest;
        Ok(size)
    }
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, bytes) = input;
    let (mut whole, mut pieces) = (Vec::new(), Vec::new());
    let summary = run(&mut &*bytes, &mut whole, decide).expect("memory can be written");
    let mut reader = Pieces { rest: bytes, size: usize::from(size) + 1 };
    run(&mut reader, &mut pieces, decide).expect("memory can be written");
    assert_eq!(whole, pieces);
    let lines = bytes.split(|byte| *byte == b'\n').count() - usize::from(bytes.ends_with(b"\n") || bytes.is_empty());
    assert_eq!((summary.lines, whole.split(|byte| *byte == b'\n').count() - 1), (lines as u64, lines));
});
