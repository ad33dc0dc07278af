//! Quotas and rates of creations.

use super::ApiError;
use crate::config::ApiConfig;
use policy_core::{NANOS_PER_SECOND, Timestamp};

/// What etcd takes in one request (`embed.DefaultMaxRequestBytes`).
pub(crate) const MAX_REQUEST_BYTES: usize = 1_572_864;

/// The limits, and how much of the rate is used up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    config: ApiConfig,
    /// When the creations let through so far have had their time.
    busy_until: Option<Timestamp>,
}

impl Limits {
    pub(crate) fn new(config: ApiConfig) -> Self {
        Limits { config, busy_until: None }
    }

    /// Lets a creation through, or refuses it as priority and fairness does: a second's worth may come at once.
    pub(crate) fn take_rate(&mut self, resource: &str, now: Timestamp) -> Result<(), ApiError> {
        let Some(rate) = self.config.creations_per_second else { return Ok(()) };
        let interval = NANOS_PER_SECOND / i64::from(rate.max(1));
        let busy_until = self.busy_until.map_or(now, |until| until.max(now));
        if busy_until.nanos_since(now) > NANOS_PER_SECOND - interval {
            return Err(ApiError::too_many_requests("post", resource));
        }
        self.busy_until = Some(busy_until.plus_nanos(interval));
        Ok(())
    }

    /// Refuses an object that etcd would not take. A real API server stores Jobs as protobuf; the lists of indexes, which
    /// are what grows, are text in both forms.
    pub(crate) fn check_size(&self, bytes: usize) -> Result<(), ApiError> {
        let limit = self.config.request_bytes.map_or(MAX_REQUEST_BYTES, |bytes| bytes as usize);
        if bytes > limit { Err(ApiError::request_too_large()) } else { Ok(()) }
    }

    pub(crate) fn check_pods(&self, name: &str, used: u32) -> Result<(), ApiError> {
        match self.config.quota_pods {
            Some(limit) if used >= limit => Err(ApiError::quota_exceeded("pods", name, "pods", used, limit)),
            _ => Ok(()),
        }
    }

    pub(crate) fn check_jobs(&self, name: &str, used: u32) -> Result<(), ApiError> {
        match self.config.quota_jobs {
            Some(limit) if used >= limit => {
                Err(ApiError::quota_exceeded("jobs.batch", name, "count/jobs.batch", used, limit))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_as_large_as_etcd_takes_them() {
        let limits = Limits::new(ApiConfig::default());
        assert!(limits.check_size(MAX_REQUEST_BYTES).is_ok());
        assert_eq!(limits.check_size(MAX_REQUEST_BYTES + 1).unwrap_err().code, 500);
        let limits = Limits::new(ApiConfig { request_bytes: Some(10), ..ApiConfig::default() });
        assert!(limits.check_size(11).is_err());
    }

    #[test]
    fn a_seconds_worth_of_creations_comes_at_once() {
        let now = Timestamp::from_unix(1_767_225_600, 0).unwrap();
        let mut limits = Limits::new(ApiConfig { creations_per_second: Some(2), ..ApiConfig::default() });
        assert!(limits.take_rate("pods", now).is_ok() && limits.take_rate("pods", now).is_ok());
        assert_eq!(limits.take_rate("pods", now).unwrap_err().code, 429);
        let later = now.plus_nanos(NANOS_PER_SECOND / 2);
        assert!(limits.take_rate("pods", later).is_ok());
        assert!(limits.take_rate("pods", later).is_err());
    }
}
