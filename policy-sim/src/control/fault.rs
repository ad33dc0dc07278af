//! What goes wrong, on request.

use super::Due;
use super::informer::Resource;
use crate::World;
use crate::record::Words;
use crate::store::ApiError;
use serde::{Deserialize, Serialize};

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// The controllers die and start again, with nothing in mind.
    CrashController {
        /// Die at this call from now on, counted from 1; at once when unset.
        #[serde(default)]
        at_call: Option<u64>,
        /// What becomes of the calls that are under way, the one that it dies at among them.
        #[serde(default)]
        in_flight: InFlight,
        /// How long it takes to start again, in milliseconds.
        #[serde(default = "default_down_millis")]
        down_millis: u64,
    },
    /// Calls of the controllers are refused.
    FailCalls {
        /// Which.
        #[serde(default)]
        calls: CallMatch,
        /// With what.
        error: InjectedError,
    },
    /// Calls of the controllers are carried out, but their answers are lost.
    LoseResponse {
        /// Which.
        #[serde(default)]
        calls: CallMatch,
    },
    /// The controllers' cache stands still.
    FreezeWatch {
        /// Of what; of everything when unset.
        #[serde(default)]
        resource: Option<Resource>,
        /// How long, in milliseconds.
        for_millis: u64,
        /// Whether only the last states are shown afterwards, as after a relist.
        #[serde(default)]
        coalesce: bool,
    },
    /// Events of a watch are lost.
    DropWatchEvents {
        /// Of what.
        resource: Resource,
        /// How many.
        count: u64,
    },
    /// The controllers' clock is ahead (or behind) by so many milliseconds from now on.
    SkewClock {
        /// By how much.
        millis: i64,
    },
}

fn default_down_millis() -> u64 {
    1_000
}

/// What becomes of calls under way when the controllers die.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InFlight {
    /// They are never carried out.
    #[default]
    Lost,
    /// They are carried out, and nobody is there to hear of it.
    Committed,
}

/// Selects calls of the controllers; what is not set matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CallMatch {
    /// `create`, `get`, `patch`, `update` or `delete`.
    pub verb: Option<String>,
    /// `Job`, `CronJob` or `Pod`.
    pub kind: Option<String>,
    /// The name of the object; `*` at the end matches any rest.
    pub name: Option<String>,
    /// The first of the matching calls that is meant, counted from 1.
    pub nth: Option<u64>,
    /// How many of them are meant; one when unset.
    pub count: Option<u64>,
}

/// What an injected refusal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InjectedError {
    /// 409: the object has changed.
    Conflict,
    /// 500.
    InternalError,
    /// 504.
    Timeout,
    /// 404.
    NotFound,
    /// 403: the quota is used up.
    QuotaExceeded,
    /// 403: the namespace is being deleted.
    NamespaceTerminating,
    /// 429, with a second to wait.
    TooManyRequests,
}

/// A call as faults see it.
#[derive(Clone, Debug)]
pub(crate) struct CallInfo {
    pub(crate) words: Words,
    pub(crate) namespace: std::sync::Arc<str>,
    pub(crate) name: std::sync::Arc<str>,
}

impl CallInfo {
    pub(crate) fn resource(&self) -> &'static str {
        match self.words.kind() {
            "Job" => "jobs.batch",
            "CronJob" => "cronjobs.batch",
            _ => "pods",
        }
    }
}

impl InjectedError {
    fn error(self, call: &CallInfo) -> ApiError {
        let (resource, name) = (call.resource(), &call.name);
        match self {
            InjectedError::Conflict => ApiError::conflict(resource, name),
            InjectedError::InternalError => ApiError::internal("injected"),
            InjectedError::Timeout => ApiError::timeout(),
            InjectedError::NotFound => ApiError::not_found(resource, name),
            InjectedError::QuotaExceeded => {
                let what = if call.words.kind() == "Pod" { "pods" } else { "count/jobs.batch" };
                ApiError::quota_exceeded(resource, name, what, 0, 0)
            }
            InjectedError::NamespaceTerminating => {
                ApiError::namespace_terminating(resource, name, &call.namespace)
            }
            InjectedError::TooManyRequests => ApiError::too_many_requests(call.words.verb(), resource),
        }
    }
}

impl CallMatch {
    fn matches(&self, call: &CallInfo) -> bool {
        let is = |wanted: &Option<String>, value: &str| {
            wanted.as_deref().is_none_or(|wanted| match wanted.strip_suffix('*') {
                Some(prefix) => value.starts_with(prefix),
                None => value == wanted,
            })
        };
        is(&self.verb, call.words.verb()) && is(&self.kind, call.words.kind()) && is(&self.name, &call.name)
    }

    /// Whether the call with this number among the matching ones is meant.
    fn means(&self, number: u64) -> bool {
        let first = self.nth.unwrap_or(1);
        (first..first.saturating_add(self.count.unwrap_or(1))).contains(&number)
    }
}

/// What a call meets.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    /// Nothing.
    Goes,
    /// It is refused.
    Refused(ApiError),
    /// It is carried out, and the answer is lost.
    AnswerLost,
    /// The controllers die at it.
    Crash(InFlight, i64),
}

/// How often each kind of fault has struck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultCounts {
    /// The controllers died.
    pub crashes: u64,
    /// Calls were refused.
    pub refused: u64,
    /// Calls were carried out and their answers lost.
    pub answers_lost: u64,
    /// Events came in late because their watch was held up.
    pub held_up: u64,
    /// Events were never shown because a later one took their place.
    pub coalesced: u64,
    /// Events were lost.
    pub dropped: u64,
    /// The controllers' clock was set.
    pub clock_set: u64,
}

/// The faults that wait for their calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    waiting: Vec<(Fault, u64)>,
    pub(crate) met: FaultCounts,
    /// How many calls the controllers have made.
    pub(crate) calls: u64,
}

impl Faults {
    /// What the next call meets: the first fault that means it.
    pub(crate) fn meet(&mut self, call: &CallInfo) -> Fate {
        self.calls += 1;
        let mut fate = Fate::Goes;
        let mut spent = None;
        for (place, (fault, seen)) in self.waiting.iter_mut().enumerate() {
            let met = match fault {
                Fault::CrashController { at_call, in_flight, down_millis } => {
                    *seen += 1;
                    let now = at_call.is_some_and(|at| at <= *seen);
                    now.then(|| Fate::Crash(*in_flight, millis(*down_millis)))
                }
                Fault::FailCalls { calls, error } if calls.matches(call) => {
                    *seen += 1;
                    calls.means(*seen).then(|| Fate::Refused(error.error(call)))
                }
                Fault::LoseResponse { calls } if calls.matches(call) => {
                    *seen += 1;
                    calls.means(*seen).then_some(Fate::AnswerLost)
                }
                _ => None,
            };
            if let (Some(met), Fate::Goes) = (met, &fate) {
                if matches!(met, Fate::Crash(..)) {
                    spent = Some(place);
                }
                fate = met;
            }
        }
        if let Some(place) = spent {
            self.waiting.remove(place);
        }
        match fate {
            Fate::Refused(_) => self.met.refused += 1,
            Fate::AnswerLost => self.met.answers_lost += 1,
            Fate::Goes | Fate::Crash(..) => {}
        }
        fate
    }
}

pub(crate) fn millis(millis: u64) -> i64 {
    i64::try_from(millis).unwrap_or(i64::MAX).saturating_mul(1_000_000)
}

impl World {
    /// Lets something go wrong, now or at a call to come.
    pub fn inject(&mut self, fault: Fault) {
        match fault {
            Fault::CrashController { at_call: None, in_flight, down_millis } => {
                self.plan_control(self.now, Due::Crash(in_flight, millis(down_millis)));
            }
            Fault::FreezeWatch { resource, for_millis, coalesce } => {
                let until = self.now.plus_nanos(millis(for_millis));
                for resource in Resource::ALL.into_iter().filter(|r| resource.is_none_or(|only| only == *r)) {
                    let watch = self.control.informer.watch_mut(resource);
                    watch.frozen_until = Some(watch.frozen_until.map_or(until, |earlier| earlier.max(until)));
                    watch.coalesces |= coalesce;
                    self.plan_control(until, Due::Thaw(resource));
                }
            }
            Fault::DropWatchEvents { resource, count } => {
                self.control.informer.watch_mut(resource).to_drop += count;
            }
            Fault::SkewClock { millis } => {
                self.control.faults.met.clock_set += 1;
                self.control.skew_nanos = millis.saturating_mul(1_000_000);
            }
            waiting => self.control.faults.waiting.push((waiting, 0)),
        }
    }

    /// How often faults have struck so far.
    pub fn faults_met(&self) -> FaultCounts {
        self.control.faults.met
    }

    /// Forgets the faults that still wait for their calls.
    pub fn clear_faults(&mut self) {
        self.control.faults.waiting.clear();
    }

    /// How many calls the controllers have made.
    pub fn controller_calls(&self) -> u64 {
        self.control.faults.calls
    }
}
