//! Index lists: any text is read, and what is written reads back as the same set.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy_core::job::Intervals;

fuzz_target!(|input: (&str, &str, i32, u8)| {
    let (one, two, completions, count) = input;
    let completions = i64::from(completions);
    let (one, two) = (Intervals::parse(one, completions), Intervals::parse(two, completions));
    let union = one.merge(&two);
    for set in [&one, &two, &union] {
        let _ = (set.total(), set.has(i64::from(count)));
        assert!(set.first_missing(usize::from(count), completions).len() <= usize::from(count));
        // Lists out of order are kept as they came; ordered ones must survive being written.
        let ordered = set.as_slice().windows(2).all(|pair| pair[0].last < pair[1].first)
            && set.as_slice().iter().all(|interval| 0 <= interval.first && interval.first <= interval.last);
        if ordered {
            let again = Intervals::parse(&set.to_text(), completions);
            assert_eq!((again.total(), again.to_text()), (set.total(), set.to_text()));
        }
    }
});
