//! CronJob lines of `decide`.
