//! What is taken for granted about the world around a Job.

use std::fmt;

/// How containers may behave, and what else may happen to Pods.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Environment {
    /// How long each start of a container runs at most, in seconds; unset, it may run for ever.
    pub run_seconds: Option<u64>,
    /// How containers may end.
    pub exit_codes: ExitCodes,
    /// Whether any Pod may be disrupted (evicted, drained, preempted) at any time, as often as it gets.
    pub disruptions: bool,
}

/// The exit codes of containers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExitCodes(Vec<(u8, Option<f64>)>);

/// How far probabilities may be from 1 together.
const TOLERANCE: f64 = 1e-6;

impl ExitCodes {
    /// Reads `0:0.95,1:0.05` or, without probabilities, `0,1`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut codes: Vec<(u8, Option<f64>)> = Vec::new();
        for part in text.split(',') {
            let (code, probability) = entry(part.trim())?;
            if codes.iter().any(|(known, _)| *known == code) {
                return Err(format!("exit code {code} is there twice"));
            }
            codes.push((code, probability));
        }
        let given = codes.iter().filter(|(_, probability)| probability.is_some()).count();
        if given > 0 && given < codes.len() {
            return Err("some exit codes have a probability and some have none; want all or none".into());
        }
        let sum: f64 = codes.iter().filter_map(|(_, probability)| *probability).sum();
        if given > 0 && (sum - 1.0).abs() > TOLERANCE {
            let sum = (sum * 1e9).round() / 1e9;
            return Err(format!("the probabilities sum to {sum}, not to 1"));
        }
        codes.retain(|(_, probability)| probability.is_none_or(|p| p > 0.0));
        Ok(ExitCodes(codes))
    }

    /// The codes with their probabilities, if they have any.
    pub fn probabilities(&self) -> Option<Vec<(i32, f64)>> {
        let pairs = self.0.iter().map(|(code, probability)| Some((i32::from(*code), (*probability)?)));
        pairs.collect::<Option<Vec<_>>>().filter(|pairs| !pairs.is_empty())
    }

    /// Whether a container can end well.
    pub(super) fn has_success(&self) -> bool {
        self.0.is_empty() || self.0.iter().any(|(code, _)| *code == 0)
    }

    /// The codes other than 0 that containers can end with.
    pub(super) fn failures(&self) -> Vec<i32> {
        match self.0.as_slice() {
            [] => (1..=255).collect(),
            codes => codes.iter().map(|(code, _)| i32::from(*code)).filter(|code| *code != 0).collect(),
        }
    }
}

fn entry(part: &str) -> Result<(u8, Option<f64>), String> {
    let (code, probability) = match part.split_once(':') {
        Some((code, probability)) => (code.trim(), Some(probability.trim())),
        None => (part, None),
    };
    let code = code.parse().map_err(|_| format!("`{code}` is not an exit code from 0 to 255"))?;
    let read = |text: &str| {
        let number = text.parse::<f64>().ok().filter(|number| (0.0..=1.0).contains(number));
        number.ok_or_else(|| format!("`{text}` is not a probability from 0 to 1"))
    };
    Ok((code, probability.map(read).transpose()?))
}

impl fmt::Display for ExitCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("any code");
        }
        let names: Vec<String> = self.0.iter().map(|(code, _)| code.to_string()).collect();
        match names.as_slice() {
            [one] => write!(f, "code {one}"),
            [first @ .., last] => write!(f, "code {} or {last}", first.join(", ")),
            [] => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_read_with_and_without_probabilities() {
        let codes = ExitCodes::parse("0:0.95, 1:0.05,2:0").unwrap();
        assert_eq!(codes.probabilities(), Some(vec![(0, 0.95), (1, 0.05)]));
        assert_eq!(codes.to_string(), "code 0 or 1");
        let codes = ExitCodes::parse("1,42").unwrap();
        assert_eq!((codes.probabilities(), codes.has_success()), (None, false));
        assert_eq!(ExitCodes::default().failures().len(), 255);
        assert!(ExitCodes::parse("0:0.1,1:0.2,2:0.7").is_ok(), "rounding is forgiven");
    }

    #[test]
    fn mistakes_are_named() {
        for (text, message) in [
            ("0:0.9,1:0.05", "the probabilities sum to 0.95, not to 1"),
            ("0:0.9,1", "some exit codes have a probability and some have none; want all or none"),
            ("0,0", "exit code 0 is there twice"),
            ("256", "`256` is not an exit code from 0 to 255"),
            ("-1", "`-1` is not an exit code from 0 to 255"),
            ("", "`` is not an exit code from 0 to 255"),
            ("0:1.5", "`1.5` is not a probability from 0 to 1"),
            ("0:NaN", "`NaN` is not a probability from 0 to 1"),
        ] {
            assert_eq!(ExitCodes::parse(text).unwrap_err(), message, "{text}");
        }
    }
}
