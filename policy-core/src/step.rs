//! A decision that pauses for I/O: the shape shared by Job and CronJob decisions.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What to do next: carry out a wave of calls and resume, or stop.
#[must_use = "a wave's calls must be carried out and the machine resumed, or the sync is cut short"]
#[derive(Debug)]
pub enum Step<P, C, F> {
    /// Carry out these calls, then call `resume` on the machine with an [`Outcome`] for each, in order.
    Wave(Wave<C>, P),
    /// Nothing more to do in this sync.
    Finished(F),
}

/// Calls that may be carried out concurrently, after the events have gone out.
#[derive(Debug)]
pub struct Wave<C> {
    /// The calls; the outcome of each is handed to `resume` in the same order.
    pub calls: Vec<C>,
    /// The number of the first call within this sync, the others follow: findings cite calls by number. No number is
    /// used twice.
    pub first_call: u32,
    /// What the driver has to record before the first call goes out.
    pub expect: Expect,
    /// Events to publish before the calls.
    pub events: Vec<Event>,
}

/// What the driver records before a wave's calls, because the watch may answer while they are under way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expect {
    /// Set the creation expectations to this many (upstream `ExpectCreations`).
    pub creations: Option<i64>,
    /// Set the deletion expectations to this many (upstream `ExpectDeletions`).
    pub deletions: Option<i64>,
    /// Whether the wave's removals of finalizers are awaited from now on (upstream `expectFinalizersRemoved`).
    pub finalizer_removals: bool,
}

/// How a call went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out. A created object's name stands in for what the server chose.
    Done {
        /// The name of the object that was created, read or written; empty where it does not matter.
        name: String,
    },
    /// A live read of the deciding object came back with this.
    Read {
        /// Its UID.
        uid: String,
        /// When its deletion was asked for.
        deletion_timestamp: Option<crate::Timestamp>,
    },
    /// The server refused, or nobody knows.
    Failed(CallError),
}

impl Outcome {
    /// A call that was carried out and has nothing to tell.
    pub fn done() -> Self {
        Outcome::Done { name: String::new() }
    }

    /// A call that failed for a reason that decisions do not tell apart ([`CallErrorKind::Other`]).
    pub fn failed(message: impl ToString) -> Self {
        Outcome::Failed(CallError { kind: CallErrorKind::Other, message: message.to_string() })
    }

    /// Whether it was carried out.
    pub fn is_done(&self) -> bool {
        !matches!(self, Outcome::Failed(_))
    }

    /// The error, if it failed.
    pub fn error(&self) -> Option<&CallError> {
        match self {
            Outcome::Failed(error) => Some(error),
            _ => None,
        }
    }
}

/// Why a call failed, as far as decisions depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// The kind of failure.
    pub kind: CallErrorKind,
    /// The server's words, which go into events.
    pub message: String,
}

/// The kinds of failure that decisions tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallErrorKind {
    /// The object does not exist (`apierrors.IsNotFound`).
    NotFound,
    /// An object of that name exists (`apierrors.IsAlreadyExists`).
    AlreadyExists,
    /// The object has changed since it was read (`apierrors.IsConflict`).
    Conflict,
    /// The namespace is being deleted (`v1.NamespaceTerminatingCause`).
    NamespaceTerminating,
    /// Anything else, a lost answer among them.
    Other,
}

/// An event to publish about the Job or CronJob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `Normal` or `Warning`.
    pub kind: &'static str,
    /// One word for machines.
    pub reason: String,
    /// Words for people, upstream's verbatim.
    pub message: String,
}

impl Event {
    /// An event of type `Normal`.
    pub fn normal(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Event { kind: "Normal", reason: reason.into(), message: message.into() }
    }

    /// An event of type `Warning`.
    pub fn warning(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Event { kind: "Warning", reason: reason.into(), message: message.into() }
    }
}
