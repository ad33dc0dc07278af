//! Leader election by a Lease, as client-go's: one replica writes at a time.
//!
//! Whether the lease is held is told by the steady clock from when the last renewal was sent, so that a wall clock that
//! jumps, or an answer that comes late, does not make two leaders.

use super::api::{Api, ApiError, Call};
use super::clock::Clock;
use super::options::LeaseOptions;
use policy_core::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Until when this replica leads, for everybody to ask.
#[derive(Debug)]
pub(super) struct Leadership {
    clock: Clock,
    /// On the steady clock, in nanoseconds after the start; `i64::MAX` without an election.
    until_nanos: AtomicI64,
}

impl Leadership {
    /// `elected` is whether there is an election at all.
    pub(super) fn new(clock: Clock, elected: bool) -> Self {
        let until = if elected { i64::MIN } else { i64::MAX };
        Leadership { clock, until_nanos: AtomicI64::new(until) }
    }

    /// Whether this replica leads now. Whoever is told that it does not has given up what it was about to do, so that no
    /// later renewal may bring leadership back: the process ends, and another takes all Jobs up anew.
    pub(super) fn leads(&self) -> bool {
        let mut until = self.until_nanos.load(Ordering::Acquire);
        while nanos(self.clock.steady()) >= until {
            let ended =
                self.until_nanos.compare_exchange(until, i64::MIN, Ordering::AcqRel, Ordering::Acquire);
            match ended {
                Ok(_) => return false,
                // It was renewed meanwhile.
                Err(renewed) => until = renewed,
            }
        }
        true
    }

    fn begin(&self, until: Timestamp) {
        self.until_nanos.store(nanos(until), Ordering::Release);
    }

    /// Whether leadership goes on: it has not ended meanwhile.
    fn renew(&self, until: Timestamp) -> bool {
        let goes_on = |before| (before != i64::MIN).then_some(nanos(until));
        self.until_nanos.fetch_update(Ordering::AcqRel, Ordering::Acquire, goes_on).is_ok()
    }

    fn end(&self) {
        self.until_nanos.store(i64::MIN, Ordering::Release);
    }
}

fn nanos(steady: Timestamp) -> i64 {
    steady.unix_seconds().saturating_mul(1_000_000_000).saturating_add(i64::from(steady.subsec_nanos()))
}

/// One replica's part in the election.
pub(super) struct Election {
    api: Api,
    clock: Clock,
    options: LeaseOptions,
    path: String,
    name_path: String,
    identity: String,
    /// The lease as it was last seen to change, and when that was on the steady clock.
    seen: Option<(Spec, Timestamp)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    holder_identity: Option<String>,
    renew_time: Option<String>,
    acquire_time: Option<String>,
    lease_duration_seconds: Option<i64>,
    lease_transitions: Option<i64>,
}

impl Election {
    pub(super) fn new(api: Api, clock: Clock, options: LeaseOptions, namespace: &str) -> Self {
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases");
        let name_path = format!("{path}/{}", options.name);
        Election { api, clock, options, path, name_path, identity: identity(), seen: None }
    }

    /// Waits until this replica leads.
    pub(super) async fn win(&mut self, leadership: &Leadership) {
        tracing::info!(lease = self.options.name, identity = self.identity, "waiting to lead");
        loop {
            match self.hold().await {
                Ok(Some(until)) => {
                    leadership.begin(until);
                    tracing::info!(identity = self.identity, "leading");
                    return;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "cannot get the lease"),
            }
            self.pause().await;
        }
    }

    /// Renews the lease for as long as that works; returns when this replica does not lead any more.
    pub(super) async fn keep(&mut self, leadership: &Leadership) {
        loop {
            self.pause().await;
            match self.hold().await {
                Ok(Some(until)) if leadership.renew(until) => {}
                Ok(_) => break,
                Err(error) if leadership.leads() => tracing::warn!(%error, "cannot renew the lease yet"),
                Err(_) => break,
            }
        }
        leadership.end();
    }

    /// Gives the lease up, so that another replica need not wait until it is over.
    pub(super) async fn release(&mut self, leadership: &Leadership) {
        let held = leadership.leads();
        leadership.end();
        if held && let Err(error) = self.write_released().await {
            tracing::warn!(%error, "the lease is not released and runs out");
        }
    }

    async fn pause(&self) {
        let period = u64::try_from(self.options.retry_period_nanos).unwrap_or(0);
        tokio::time::sleep(Duration::from_nanos(period)).await;
    }

    /// Takes or renews the lease if it can be had; returns until when on the steady clock.
    async fn hold(&mut self) -> Result<Option<Timestamp>, ApiError> {
        let sent = self.clock.steady();
        let deadline = Duration::from_nanos(u64::try_from(self.options.renew_deadline_nanos).unwrap_or(0));
        let late = |_| ApiError::unanswered("no answer in time");
        let held = tokio::time::timeout(deadline, self.try_hold()).await.map_err(late)??;
        Ok(held.then(|| sent.plus_nanos(self.options.renew_deadline_nanos)))
    }

    async fn try_hold(&mut self) -> Result<bool, ApiError> {
        let now = micro_time(self.clock.wall());
        let Some((lease, spec)) = self.read().await? else {
            let body = json!({
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": self.options.name},
                "spec": self.spec(&now, &now, 0),
            });
            self.api.call_at_once(&Call::post(self.path.clone(), body.to_string().into_bytes())).await?;
            return Ok(true);
        };
        let ours = spec.holder_identity.as_deref() == Some(&self.identity);
        if self.seen.as_ref().is_none_or(|(seen, _)| *seen != spec) {
            self.seen = Some((spec.clone(), self.clock.steady()));
        }
        if !ours && !self.is_over(&spec) {
            return Ok(false);
        }
        let acquired = spec.acquire_time.filter(|_| ours).unwrap_or_else(|| now.clone());
        let transitions = spec.lease_transitions.unwrap_or(0) + i64::from(!ours);
        self.write(lease, self.spec(&acquired, &now, transitions)).await?;
        Ok(true)
    }

    /// Whether the lease is nobody's: it was given up, or has not changed for as long as it lasts.
    fn is_over(&self, spec: &Spec) -> bool {
        if spec.holder_identity.as_deref().unwrap_or_default().is_empty() {
            return true;
        }
        let named_nanos =
            spec.lease_duration_seconds.map_or(0, |seconds| seconds.saturating_mul(1_000_000_000));
        let duration_nanos = named_nanos.max(self.options.duration_nanos);
        self.seen.as_ref().is_some_and(|(_, at)| self.clock.steady().nanos_since(*at) > duration_nanos)
    }

    async fn read(&self) -> Result<Option<(Map<String, Value>, Spec)>, ApiError> {
        match self.api.call_at_once(&Call::get(self.name_path.clone())).await {
            Ok(answer) => {
                let lease: Map<String, Value> =
                    serde_json::from_slice(&answer).map_err(ApiError::unanswered)?;
                let spec = lease.get("spec").cloned().unwrap_or_default();
                let spec = serde_json::from_value::<Option<Spec>>(spec).map_err(ApiError::unanswered)?;
                Ok(Some((lease, spec.unwrap_or_default())))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the lease on the version that was read: a conflict means that another replica was faster.
    async fn write(&self, mut lease: Map<String, Value>, spec: Value) -> Result<(), ApiError> {
        lease.insert("spec".into(), spec);
        let body = Value::Object(lease).to_string().into_bytes();
        self.api.call_at_once(&Call::put(self.name_path.clone(), body)).await.map(|_| ())
    }

    async fn write_released(&self) -> Result<(), ApiError> {
        let Some((lease, spec)) = self.read().await? else { return Ok(()) };
        if spec.holder_identity.as_deref() != Some(&self.identity) {
            return Ok(());
        }
        let now = micro_time(self.clock.wall());
        let released = json!({
            "holderIdentity": "",
            "leaseDurationSeconds": 1,
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": spec.lease_transitions.unwrap_or(0),
        });
        self.write(lease, released).await
    }

    fn spec(&self, acquired: &str, now: &str, transitions: i64) -> Value {
        json!({
            "holderIdentity": self.identity,
            "leaseDurationSeconds": (self.options.duration_nanos / 1_000_000_000).max(1),
            "acquireTime": acquired,
            "renewTime": now,
            "leaseTransitions": transitions,
        })
    }
}

/// `metav1.MicroTime`.
fn micro_time(at: Timestamp) -> String {
    let whole = at.to_string();
    format!("{}.{:06}Z", whole.trim_end_matches('Z'), at.subsec_nanos() / 1000)
}

/// The host's name and something that no other process has.
fn identity() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let host = std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty());
    let host = host.or_else(|| std::fs::read_to_string("/etc/hostname").ok());
    let host = host.map_or("jobpolicy".to_string(), |name| name.trim().to_string());
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    format!("{host}_{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn leadership_runs_out_by_itself() {
        let clock = Clock::new();
        let leadership = Leadership::new(clock, true);
        assert!(!leadership.leads());
        leadership.begin(clock.steady().plus_nanos(3_600_000_000_000));
        assert!(leadership.leads());
        leadership.begin(clock.steady());
        assert!(!leadership.leads());
        assert!(Leadership::new(clock, false).leads());
    }

    #[tokio::test]
    async fn a_late_renewal_does_not_hide_that_work_was_refused() {
        let clock = Clock::new();
        let (leadership, later) =
            (Leadership::new(clock, true), clock.steady().plus_nanos(3_600_000_000_000));
        leadership.begin(clock.steady());
        assert!(leadership.renew(clock.steady()), "nobody has asked in between");
        assert!(!leadership.leads());
        assert!(!leadership.renew(later));
        assert!(!leadership.leads());
    }

    #[test]
    fn times_have_microseconds() {
        let at = Timestamp::from_unix(1_767_225_600, 1_234_567).unwrap();
        assert_eq!(micro_time(at), "2026-01-01T00:00:00.001234Z");
    }
}
