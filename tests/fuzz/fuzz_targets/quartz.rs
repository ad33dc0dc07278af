//! Quartz-style lines: any text is translated or refused; a translation is a schedule that Kubernetes takes.
#![no_main]

use jobpolicy::cli::quartz::{compare, translate};
use jobpolicy::zones::TzDatabase;
use libfuzzer_sys::fuzz_target;
use policy_core::Timestamp;
use policy_core::cron::resolve_schedule;

fuzz_target!(|input: (&str, Option<&str>, u32)| {
    let (line, zone, seconds) = input;
    let Ok(translation) = translate(line) else { return };
    let Some(schedule) = translation.schedule() else { return };
    resolve_schedule(schedule, None, TzDatabase::shared()).expect("a translation is a schedule");
    let from = Timestamp::from_unix(i64::from(seconds), 0).expect("within chrono's years");
    let _ = compare(line, schedule, zone, from, 10);
});
