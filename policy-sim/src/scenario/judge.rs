//! Verdicts on assertions, from what was seen of them on the way.

use super::assertion::{Assertion, Check, Moment};
use super::duration::Duration;
use policy_core::Timestamp;

/// An assertion on its way.
#[derive(Clone, Debug, Default)]
pub(super) struct Followed {
    pub(super) first: Option<Timestamp>,
    pub(super) broken: Option<(Timestamp, String)>,
    /// How many checks of an order have become true.
    pub(super) progress: usize,
    pub(super) probed: Option<Result<(), String>>,
}

/// An assertion's verdict, and the instant that it is about.
pub(super) fn judge(
    assertion: &Assertion,
    followed: &Followed,
    start: Timestamp,
) -> (Result<(), String>, Option<Timestamp>) {
    if let Check::Order(checks) = &assertion.check {
        let missing = followed.progress + 1;
        let result = if followed.progress == checks.len() {
            Ok(())
        } else {
            Err(format!("number {missing} of {} did not become true in its turn", checks.len()))
        };
        return (result, None);
    }
    match assertion.timing {
        Moment::End | Moment::At(_) => {
            (followed.probed.clone().unwrap_or_else(|| Err("the run is not over".into())), None)
        }
        Moment::Throughout | Moment::Never => match &followed.broken {
            Some((at, found)) => (Err(found.clone()), Some(*at)),
            None => (Ok(()), None),
        },
        Moment::First(window) => match followed.first {
            None => (Err("it never became true".into()), None),
            Some(at) => {
                let time = Duration::from_nanos(at.nanos_since(start));
                let result =
                    if window.holds(time) { Ok(()) } else { Err(format!("it became true at {time}")) };
                (result, Some(at))
            }
        },
    }
}
