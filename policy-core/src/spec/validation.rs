//! Defaults and validation of Jobs and CronJobs, as the API server applies them.
