//! A line of `decide`: any bytes get an answer that is JSON or an error, and the same one twice.
#![no_main]

use jobpolicy::stream::decide;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let result = decide(line, &mut first);
    assert_eq!(result, decide(line, &mut second));
    if result.is_ok() {
        assert_eq!(first, second, "two answers to one line");
        serde_json::from_slice::<serde_json::Value>(&first).expect("answers are JSON");
    }
});
