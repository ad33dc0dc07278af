//! CronJob decisions: schedules, missed runs, concurrency, history.
