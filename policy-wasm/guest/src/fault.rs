//! What went wrong between driver and module. What is wrong with a Job is in the decision.

use serde::Serialize;

/// A misuse of the interface. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The kind.
    pub code: Code,
    /// In words.
    pub message: String,
}

/// The kinds of misuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Code {
    /// The request is not JSON of the expected form.
    Malformed,
    /// No buffer of the module is at that address, or it is shorter.
    BadPointer,
    /// No such handle, or its sync has gone on already.
    UnknownHandle,
    /// Not one outcome for each call.
    WrongCount,
}

impl Fault {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Fault { code, message: message.into() }
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Fault::new(Code::Malformed, error.to_string())
    }
}
