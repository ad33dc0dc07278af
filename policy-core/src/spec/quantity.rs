//! Quantities like `100m` and `1Gi` (`resource.Quantity`).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use core::cmp::Ordering;

/// An amount with a suffix, as `resource.Quantity` reads and prints it.
///
/// Up to 38 significant digits are kept; upstream keeps any number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quantity {
    /// The amount is `mantissa * 10^exponent`.
    mantissa: i128,
    exponent: i32,
    format: Format,
}

/// The family of suffixes that a quantity was written with (`resource.Format`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// `12e6`.
    DecimalExponent,
    /// `12Mi`.
    BinarySi,
    /// `12M`.
    DecimalSi,
}

/// `resource.ErrFormatWrong`.
const FORMAT_WRONG: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
/// `resource.ErrNumeric`.
const NUMERIC: &str = "unable to parse numeric part of quantity";
/// `resource.ErrSuffix`.
const SUFFIX: &str = "unable to parse quantity's suffix";

/// The smallest exponent that is kept: a billionth.
const NANO: i32 = -9;

impl Quantity {
    /// Nothing.
    pub(crate) const ZERO: Quantity = Quantity { mantissa: 0, exponent: 0, format: Format::DecimalExponent };

    /// Reads a quantity (`ParseQuantity`).
    ///
    /// # Errors
    /// Upstream's words.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err(FORMAT_WRONG);
        }
        let parts = Parts::split(text)?;
        let (base_exponent, format) = interpret(parts.suffix).ok_or(SUFFIX)?;
        if parts.is_slow(base_exponent, format) && !parts.value.bytes().any(|b| b.is_ascii_digit()) {
            return Err(NUMERIC);
        }
        let (digits, places) = parts.digits();
        let (mut mantissa, mut exponent) = (digits, places.saturating_neg());
        match format {
            Format::BinarySi => {
                let scale = 1_i128.checked_shl(base_exponent.unsigned_abs()).unwrap_or(i128::MAX);
                mantissa = mantissa.saturating_mul(scale);
            }
            _ => exponent = exponent.saturating_add(base_exponent),
        }
        (mantissa, exponent) = round_up(mantissa, exponent, NANO);
        let mut quantity = Quantity { mantissa, exponent, format };
        if format == Format::BinarySi {
            let max = Quantity::whole(i128::from(i64::MAX), format);
            if quantity.cmp(&max) == Ordering::Greater {
                quantity = max;
            }
            if mantissa != 0 && quantity.cmp(&Quantity::whole(1, format)) == Ordering::Less {
                quantity.format = Format::DecimalSi;
            }
        }
        if parts.negative {
            quantity.mantissa = quantity.mantissa.saturating_neg();
        }
        Ok(quantity)
    }

    fn whole(amount: i128, format: Format) -> Self {
        Quantity { mantissa: amount, exponent: 0, format }
    }

    /// Rounds away from zero to thousandths, as `SetDefaults_ResourceList` does.
    #[must_use]
    pub(crate) fn rounded_to_milli(self) -> Self {
        let (mantissa, exponent) = round_up(self.mantissa, self.exponent, -3);
        Quantity { mantissa, exponent, ..self }
    }

    /// The sum, in `self`'s format unless that is zero (`Quantity.Add`).
    #[must_use]
    pub(crate) fn plus(self, other: Quantity) -> Self {
        if self.is_zero() {
            return other;
        }
        let exponent = self.exponent.min(other.exponent);
        let sum = scaled(self, exponent).saturating_add(scaled(other, exponent));
        Quantity { mantissa: sum, exponent, format: self.format }
    }

    /// Whether the amount is zero.
    pub(crate) fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// Whether the amount is below zero.
    pub(crate) fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// Whether the amount, rounded up to thousandths, has no fraction (`MilliValue() % 1000 == 0`).
    pub(crate) fn is_integer(self) -> bool {
        let milli = self.rounded_to_milli();
        milli.exponent >= 0 || scaled(milli, -3).checked_rem(1000) == Some(0)
    }

    /// Whether the amount, rounded up to a whole number, is a multiple of `unit`'s.
    pub(crate) fn is_multiple_of(self, unit: Quantity) -> bool {
        let unit = scaled(unit, 0);
        unit != 0 && scaled(self, 0).checked_rem(unit) == Some(0)
    }

    /// Compares the amounts (`Quantity.Cmp`).
    pub(crate) fn cmp(&self, other: &Quantity) -> Ordering {
        let sign = self.mantissa.signum().cmp(&other.mantissa.signum());
        if sign != Ordering::Equal || self.mantissa == 0 {
            return sign;
        }
        let magnitude =
            |q: &Quantity| i64::from(q.mantissa.unsigned_abs().ilog10()).saturating_add(q.exponent.into());
        let order = magnitude(self).cmp(&magnitude(other)).then_with(|| {
            // Of one magnitude, so the exponents differ by no more than the mantissas' lengths.
            let exponent = self.exponent.min(other.exponent);
            scaled(*self, exponent).unsigned_abs().cmp(&scaled(*other, exponent).unsigned_abs())
        });
        if self.mantissa < 0 { order.reverse() } else { order }
    }

    /// The canonical text (`Quantity.String`).
    pub(crate) fn canonical(self) -> String {
        if self.is_zero() {
            return "0".into();
        }
        if self.format == Format::BinarySi
            && let Some(whole) = self.as_whole()
            && !(-1024 < whole && whole < 1024)
        {
            return binary_text(whole);
        }
        let (mut mantissa, mut exponent) = without_factor(self.mantissa, 10, self.exponent);
        while exponent.checked_rem(3) != Some(0) {
            mantissa = mantissa.saturating_mul(10);
            exponent = exponent.saturating_sub(1);
        }
        let suffix: Cow<'_, str> = match self.format {
            Format::DecimalExponent if exponent == 0 => "".into(),
            Format::DecimalExponent => format!("e{exponent}").into(),
            // Beyond the suffixes upstream prints none.
            _ => DECIMAL.iter().find(|(_, e)| *e == exponent).map_or("", |(s, _)| *s).into(),
        };
        format!("{mantissa}{suffix}")
    }

    /// The amount if it is a whole number.
    fn as_whole(self) -> Option<i128> {
        if self.exponent >= 0 {
            let factor = 10_i128.checked_pow(self.exponent.unsigned_abs())?;
            return self.mantissa.checked_mul(factor);
        }
        let (rounded, exponent) = round_up(self.mantissa, self.exponent, 0);
        let whole = Quantity { mantissa: rounded, exponent, ..self };
        (whole.cmp(&self) == Ordering::Equal).then_some(rounded)
    }
}

fn binary_text(whole: i128) -> String {
    let (amount, times) = without_factor(whole, 1024, 0);
    let exponent = times.saturating_mul(10);
    let suffix = BINARY.iter().find(|(_, e)| *e == exponent).map_or("", |(s, _)| *s);
    let mut text = amount.to_string();
    text.push_str(suffix);
    text
}

/// Moves factors out of a non-zero amount, counting them onto `exponent`.
fn without_factor(mut amount: i128, factor: i128, mut exponent: i32) -> (i128, i32) {
    while amount != 0 && amount.checked_rem(factor) == Some(0) {
        amount = amount.checked_div(factor).unwrap_or(amount);
        exponent = exponent.saturating_add(1);
    }
    (amount, exponent)
}

/// The amount as a multiple of `10^exponent`, rounded away from zero.
fn scaled(quantity: Quantity, exponent: i32) -> i128 {
    let shift = quantity.exponent.saturating_sub(exponent);
    if shift >= 0 {
        let factor = 10_i128.checked_pow(shift.unsigned_abs()).unwrap_or(i128::MAX);
        return quantity.mantissa.saturating_mul(factor);
    }
    round_up(quantity.mantissa, quantity.exponent, exponent).0
}

/// Rounds away from zero so that the exponent is at least `floor`.
fn round_up(mantissa: i128, exponent: i32, floor: i32) -> (i128, i32) {
    if exponent >= floor {
        return (mantissa, exponent);
    }
    let divisor = 10_i128.checked_pow(floor.saturating_sub(exponent).unsigned_abs()).unwrap_or(i128::MAX);
    let quotient = mantissa.checked_div(divisor).unwrap_or(0);
    let exact = mantissa.checked_rem(divisor) == Some(0);
    let rounded = if exact { quotient } else { quotient.saturating_add(mantissa.signum()) };
    (rounded, floor)
}

/// Decimal suffixes and their exponents of ten.
const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];

/// Binary suffixes and their exponents of two.
const BINARY: [(&str, i32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

/// A suffix's exponent and family (`suffixHandler.interpret`).
fn interpret(suffix: &str) -> Option<(i32, Format)> {
    if let Some((_, exponent)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some((*exponent, Format::DecimalSi));
    }
    if let Some((_, exponent)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return Some((*exponent, Format::BinarySi));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    let exponent = exponent.parse::<i64>().ok()?;
    // Go converts to int32 without a check.
    let clamped = exponent.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
    Some((i32::try_from(clamped).unwrap_or_default(), Format::DecimalExponent))
}

/// A quantity's text in pieces (`parseQuantityString`).
struct Parts<'a> {
    negative: bool,
    numerator: &'a str,
    denominator: &'a str,
    /// The number without its suffix.
    value: &'a str,
    suffix: &'a str,
}

impl<'a> Parts<'a> {
    fn split(text: &'a str) -> Result<Self, &'static str> {
        let negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let significant = unsigned.trim_start_matches('0');
        if significant.is_empty() {
            return Ok(Parts { negative, numerator: "0", denominator: "", value: "0", suffix: "" });
        }
        let (numerator, rest) = take_digits(significant);
        let (denominator, suffix) = match rest.strip_prefix('.') {
            Some(fraction) => take_digits(fraction),
            None => ("", rest),
        };
        let value = text.strip_suffix(suffix).unwrap_or(text);
        let numerator = if numerator.is_empty() { "0" } else { numerator };
        let letters = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
        let digits = letters.strip_prefix(['-', '+']).unwrap_or(letters);
        if !take_digits(digits).1.is_empty() {
            return Err(FORMAT_WRONG);
        }
        Ok(Parts { negative, numerator, denominator, value, suffix })
    }

    /// Whether upstream leaves its fast path for `inf.Dec`, which wants at least one digit.
    fn is_slow(&self, exponent: i32, format: Format) -> bool {
        let digits = |text: &str| i32::try_from(text.len()).unwrap_or(i32::MAX);
        let (numerator, places) = (digits(self.numerator), digits(self.denominator));
        if format == Format::BinarySi {
            let taken = exponent.saturating_mul(3).checked_div(10).unwrap_or_default();
            return places > 0 || numerator.saturating_add(taken) > 14;
        }
        numerator.saturating_add(places) > 18 || exponent.saturating_sub(places) < NANO
    }

    /// All digits as one number, and how many of them stand behind the point.
    fn digits(&self) -> (i128, i32) {
        let mut number: i128 = 0;
        let mut places: i32 = 0;
        for (digit, behind) in
            self.numerator.bytes().map(|b| (b, false)).chain(self.denominator.bytes().map(|b| (b, true)))
        {
            let next =
                number.checked_mul(10).and_then(|n| n.checked_add(i128::from(digit.saturating_sub(b'0'))));
            match next {
                Some(next) => {
                    number = next;
                    places = places.saturating_add(i32::from(behind));
                }
                // A digit too many: drop it, and count it as a factor of ten if it stands before the point.
                None => places = places.saturating_sub(i32::from(!behind)),
            }
        }
        (number, places)
    }
}

fn take_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_canonically() {
        for (text, canonical) in [
            ("0", "0"),
            ("-", "0"),
            ("100m", "100m"),
            ("0.1", "100m"),
            ("1000m", "1"),
            ("1500", "1500"),
            ("1000", "1k"),
            ("1024Ki", "1Mi"),
            ("512", "512"),
            ("1.5Gi", "1536Mi"),
            ("0.5Ki", "512"),
            ("1e3", "1e3"),
            ("12E6", "12e6"),
            ("1E", "1E"),
            ("1000E", "1"),
            ("-1.5", "-1500m"),
            ("+2", "2"),
            (".Ki", "0"),
            ("1.Gi", "1Gi"),
            ("0.0000000001", "1n"),
            ("9223372036854775808Ki", "9223372036854775807"),
        ] {
            assert_eq!(Quantity::parse(text).unwrap().canonical(), canonical, "{text}");
        }
    }

    #[test]
    fn refuses_in_upstreams_words() {
        for (text, error) in [
            ("", FORMAT_WRONG),
            ("abc", FORMAT_WRONG),
            ("1 Gi", FORMAT_WRONG),
            ("1gi", FORMAT_WRONG),
            ("1KiB", FORMAT_WRONG),
            ("1mm", SUFFIX),
            ("1ki", SUFFIX),
            (".Ei", NUMERIC),
            (".e-10", NUMERIC),
        ] {
            assert_eq!(Quantity::parse(text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn compares_amounts_of_any_size() {
        let q = |text| Quantity::parse(text).unwrap();
        assert_eq!(q("1").cmp(&q("1000m")), Ordering::Equal);
        assert_eq!(q("1e30").cmp(&q("1Ei")), Ordering::Greater);
        assert_eq!(q("-1").cmp(&q("1n")), Ordering::Less);
        assert_eq!(q("-2").cmp(&q("-1")), Ordering::Less);
        assert_eq!(q("1e2147483647").cmp(&q("1")), Ordering::Greater);
        assert_eq!(q("100m").plus(q("1Gi")).canonical(), "1073741824100m");
    }

    #[test]
    fn knows_whole_numbers_and_multiples() {
        let q = |text| Quantity::parse(text).unwrap();
        assert!(q("1Gi").is_integer() && q("2").is_integer() && !q("1.5").is_integer());
        assert!(!q("100m").is_integer() && q("1e20").is_integer());
        assert!(q("4Mi").is_multiple_of(q("2Mi")) && !q("3Mi").is_multiple_of(q("2Mi")));
    }
}
