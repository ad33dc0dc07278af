//! Faults of the control plane, with times as scenarios write them.

use super::duration::Duration;
use crate::{CallMatch, Fault, InFlight, InjectedError, Resource};
use serde::Deserialize;

/// Something that goes wrong.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum FaultSpec {
    /// The controllers die and start again without memory.
    CrashController {
        /// Die at this call from now on; at once when unset.
        at_call: Option<u64>,
        /// What becomes of calls under way.
        #[serde(default)]
        in_flight: InFlight,
        /// How long it takes to start again.
        #[serde(default = "a_second")]
        down: Duration,
    },
    /// Calls of the controllers are refused.
    FailCalls {
        /// Which.
        #[serde(default)]
        calls: CallMatch,
        /// With what.
        error: InjectedError,
    },
    /// Calls are carried out, but their answers are lost.
    LoseResponse {
        /// Which.
        #[serde(default)]
        calls: CallMatch,
    },
    /// The controllers' cache stands still.
    FreezeWatch {
        /// Of what; of everything when unset.
        resource: Option<Resource>,
        /// How long.
        r#for: Duration,
        /// Whether only the last states are shown afterwards.
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
    /// The controllers' clock is off.
    SkewClock {
        /// By how much it is ahead.
        #[serde(default)]
        ahead: Duration,
        /// By how much it is behind.
        #[serde(default)]
        behind: Duration,
    },
}

fn a_second() -> Duration {
    Duration::from_seconds(1)
}

impl FaultSpec {
    /// The fault for the control plane.
    pub fn fault(&self) -> Fault {
        let signed = |time: Duration| i64::try_from(time.millis()).unwrap_or(i64::MAX);
        match self {
            FaultSpec::CrashController { at_call, in_flight, down } => Fault::CrashController {
                at_call: *at_call,
                in_flight: *in_flight,
                down_millis: down.millis(),
            },
            FaultSpec::FailCalls { calls, error } => Fault::FailCalls { calls: calls.clone(), error: *error },
            FaultSpec::LoseResponse { calls } => Fault::LoseResponse { calls: calls.clone() },
            FaultSpec::FreezeWatch { resource, r#for, coalesce } => {
                Fault::FreezeWatch { resource: *resource, for_millis: r#for.millis(), coalesce: *coalesce }
            }
            FaultSpec::DropWatchEvents { resource, count } => {
                Fault::DropWatchEvents { resource: *resource, count: *count }
            }
            FaultSpec::SkewClock { ahead, behind } => {
                Fault::SkewClock { millis: signed(*ahead) - signed(*behind) }
            }
        }
    }
}
