//! Time zones, whose data pages load when one is first named.

use crate::problem::{Answer, Code, Problem};
use policy_zones::TzDatabase;

/// What names a zone in a request: fields called `timeZone`, and schedules that begin with `TZ=` or `CRON_TZ=`. JSON that
/// spells letters as `\\u0041` may hide either.
const SIGNS: [&[u8]; 3] = [b"timeZone", b"TZ=", b"\\u"];

/// Takes the data in. Tells whether it is the data of this version.
pub fn install(data: &[u8]) -> bool {
    TzDatabase::shared().install(data).is_ok()
}

/// Whether all that a request may need is loaded.
///
/// # Errors
/// A zone may be named, and there is no data.
pub fn ready(request: &[u8]) -> Answer<()> {
    ready_with(TzDatabase::shared(), request)
}

fn ready_with(zones: &TzDatabase, request: &[u8]) -> Answer<()> {
    let named = |sign: &&[u8]| request.windows(sign.len()).any(|part| part == *sign);
    if zones.is_installed() || !SIGNS.iter().any(named) {
        return Ok(());
    }
    let problem =
        Problem::new(Code::ZonesNotLoaded, "a time zone is named, and the data of zones is not loaded");
    Err(vec![problem.help("call `await loadZones()` first, and ask again")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_asked_for_when_they_are_named() {
        let none = TzDatabase::default();
        assert!(ready_with(&none, br#"{"schedule": "@daily"}"#).is_ok());
        let problems = ready_with(&none, br#"{"timeZone": "Europe/Berlin"}"#).unwrap_err();
        assert_eq!(problems[0].code, Code::ZonesNotLoaded);
        assert!(ready_with(TzDatabase::shared(), br#"{"timeZone": "Europe/Berlin"}"#).is_ok());
    }
}
