//! A line of `schedule`: any bytes get an answer that is JSON or an error.
#![no_main]

use jobpolicy::wire::schedule::answer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    let mut bytes = Vec::new();
    if answer(line, &mut bytes).is_ok() {
        serde_json::from_slice::<serde_json::Value>(&bytes).expect("answers are JSON");
    }
});
