//! The forms that names, keys and values must have (`apimachinery/pkg/util/validation`, `api/validate/content`).
//!
//! Each check returns upstream's messages, none if the text is fine. Regular expressions are in the messages
//! only; the checks are written out.

use super::error::Errors;
use super::field::Field;
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What is wrong with a text.
pub(super) type Messages = Vec<Cow<'static, str>>;

const DNS_LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const DNS_SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const DNS_SUBDOMAIN_UNDERSCORE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";
const LABEL_KEY_NAME: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_KEY: &str = "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const HTTP_PATH: &str = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";
const HTTP_HEADER: &str = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";
const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const ENV_VAR: &str =
    "a valid environment variable name must consist only of printable ASCII characters other than '='";

/// The longest label, in bytes.
pub(super) const LABEL_MAX: usize = 63;
/// The longest subdomain, in bytes.
const SUBDOMAIN_MAX: usize = 253;

/// `IsDNS1123Label`.
pub(super) fn dns_label(text: &str) -> Messages {
    let mut messages = max_characters(text, LABEL_MAX);
    if !is_dns_label(text) {
        let dots = is_subdomain(text, is_dns_label);
        messages.push(if dots { "must not contain dots".into() } else { DNS_LABEL.into() });
    }
    messages
}

/// `IsDNS1123Subdomain`.
pub(super) fn dns_subdomain(text: &str) -> Messages {
    let mut messages = max_characters(text, SUBDOMAIN_MAX);
    if !is_subdomain(text, is_dns_label) {
        messages.push(DNS_SUBDOMAIN.into());
    }
    messages
}

/// `IsDNS1123SubdomainWithUnderscore`.
pub(super) fn dns_subdomain_with_underscore(text: &str) -> Messages {
    let mut messages = max_characters(text, SUBDOMAIN_MAX);
    let is_label = |label: &str| {
        let label = label.strip_prefix('_').unwrap_or(label);
        is_framed(label, |b| b.is_ascii_lowercase() || b.is_ascii_digit(), |b| matches!(b, b'-' | b'_'))
    };
    if !is_subdomain(text, is_label) {
        messages.push(DNS_SUBDOMAIN_UNDERSCORE.into());
    }
    messages
}

/// `NameIsDNSSubdomain` of the start of a name, to which more is appended.
pub(super) fn dns_subdomain_prefix(text: &str) -> Messages {
    dns_subdomain(&mask_trailing_dash(text))
}

/// `maskTrailingDash`: takes the last two characters off and puts one on, where a name ends with a dash.
fn mask_trailing_dash(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if bytes.len() > 1 && bytes.ends_with(b"-") {
        let kept = bytes.get(..bytes.len().saturating_sub(2)).unwrap_or_default();
        let mut masked = String::from_utf8_lossy(kept).into_owned();
        masked.push('a');
        return masked.into();
    }
    text.into()
}

/// `IsQualifiedName`, which is the form of label keys.
pub(super) fn label_key(text: &str) -> Messages {
    let mut messages = Messages::new();
    let name = match text.split_once('/') {
        None => text,
        Some((_, name)) if name.contains('/') => return alloc::vec![LABEL_KEY.into()],
        Some(("", name)) => {
            messages.push("prefix part must be non-empty".into());
            name
        }
        Some((prefix, name)) => {
            messages.extend(dns_subdomain(prefix).into_iter().map(|m| format!("prefix part {m}").into()));
            name
        }
    };
    if name.is_empty() {
        messages.push("name part must be non-empty".into());
    } else if name.len() > LABEL_MAX {
        messages.push("name part must be no more than 63 bytes".into());
    }
    if !is_label_text(name) {
        messages.push(LABEL_KEY_NAME.into());
    }
    messages
}

/// `IsValidLabelValue`.
pub(super) fn label_value(text: &str) -> Messages {
    let mut messages = Messages::new();
    if text.len() > LABEL_MAX {
        messages.push("must be no more than 63 bytes".into());
    }
    if !text.is_empty() && !is_label_text(text) {
        messages.push(LABEL_VALUE.into());
    }
    messages
}

/// `IsRelaxedEnvVarName`.
pub(super) fn env_var_name(text: &str) -> Messages {
    if text.is_empty() {
        return alloc::vec!["environment variable name must be non-empty".into()];
    }
    let fine = text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'=');
    if fine { Messages::new() } else { alloc::vec![ENV_VAR.into()] }
}

/// `IsConfigMapKey`.
pub(super) fn config_map_key(text: &str) -> Messages {
    let mut messages = max_characters(text, SUBDOMAIN_MAX);
    let is_key_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if text.is_empty() || !text.bytes().all(is_key_byte) {
        messages.push(CONFIG_KEY.into());
    }
    match text {
        "." => messages.push("must not be '.'".into()),
        ".." => messages.push("must not be '..'".into()),
        _ if text.starts_with("..") => messages.push("must not start with '..'".into()),
        _ => {}
    }
    messages
}

/// `IsHTTPHeaderName`.
pub(super) fn http_header_name(text: &str) -> Messages {
    let fine = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if fine { Messages::new() } else { alloc::vec![HTTP_HEADER.into()] }
}

/// `IsValidPortName`.
pub(super) fn port_name(text: &str) -> Messages {
    let mut messages = max_characters(text, 15);
    let is_port_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if text.is_empty() || !text.bytes().all(is_port_byte) {
        messages.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".into());
    }
    if !text.bytes().any(|b| b.is_ascii_lowercase()) {
        messages.push("must contain at least one letter (a-z)".into());
    }
    if text.contains("--") {
        messages.push("must not contain consecutive hyphens".into());
    }
    if text.starts_with('-') || text.ends_with('-') {
        messages.push("must not begin or end with a hyphen".into());
    }
    messages
}

/// `IsPathSegmentName`.
pub(super) fn path_segment(text: &str) -> Messages {
    match text {
        "." => alloc::vec!["may not be '.'".into()],
        ".." => alloc::vec!["may not be '..'".into()],
        _ => path_segment_prefix(text),
    }
}

/// `IsPathSegmentPrefix`.
pub(super) fn path_segment_prefix(text: &str) -> Messages {
    let mut messages = Messages::new();
    if text.contains('/') {
        messages.push("may not contain '/'".into());
    }
    if text.contains('%') {
        messages.push("may not contain '%'".into());
    }
    messages
}

/// `IsInRange` and its kin: the message for a number outside of `low` to `high`.
pub(super) fn in_range(number: i64, low: i64, high: i64) -> Option<Cow<'static, str>> {
    (number < low || number > high).then(|| format!("must be between {low} and {high}, inclusive").into())
}

/// `IsValidPortNum`.
pub(super) fn port_number(number: i64) -> Option<Cow<'static, str>> {
    in_range(number, 1, 65535)
}

/// `IsValidUserID` and `IsValidGroupID`.
pub(super) fn user_id(number: i64) -> Option<Cow<'static, str>> {
    in_range(number, 0, i64::from(i32::MAX))
}

/// `IsDecimalInteger`.
pub(super) fn decimal_integer(text: &str) -> Messages {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = text == "0"
        || (matches!(digits.as_bytes().first(), Some(b'1'..=b'9'))
            && digits.bytes().all(|b| b.is_ascii_digit()));
    match text {
        "" => alloc::vec!["must be non-empty".into()],
        _ if canonical => Messages::new(),
        _ => alloc::vec!["must be a valid decimal integer in canonical form".into()],
    }
}

/// `IsDomainPrefixedPath`.
pub(super) fn domain_prefixed_path(field: &Field<'_, '_>, errors: &mut Errors) {
    let text = field.text();
    if text.is_empty() {
        return errors.required(field, "");
    }
    let (host, path) = text.split_once('/').unwrap_or_default();
    if host.is_empty() || path.is_empty() {
        return errors.invalid(field, "must be a domain-prefixed path (such as \"acme.io/foo\")");
    }
    for message in dns_subdomain(host) {
        errors.invalid_value(field, host, message);
    }
    if !path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&b)) {
        errors.invalid_value(field, path, HTTP_PATH);
    }
}

/// `ValidateNonnegativeField`, for a number that is set.
pub(super) fn non_negative(field: &Field<'_, '_>, errors: &mut Errors) {
    if field.int().is_some_and(|number| number < 0) {
        errors.invalid(field, "must be greater than or equal to 0");
    }
}

/// `ValidatePositiveField`.
pub(super) fn positive(field: &Field<'_, '_>, errors: &mut Errors) {
    let number = field.int_or_zero();
    if number <= 0 {
        errors.invalid_value(field, number, "must be greater than zero");
    }
}

/// `ValidateLabels`.
pub(super) fn labels(labels: &Field<'_, '_>, errors: &mut Errors) {
    for (key, value) in labels.entries() {
        for message in label_key(key) {
            errors.invalid_value(labels, key, message);
        }
        for message in label_value(value.text()) {
            errors.invalid_value(labels, value.text(), message);
        }
    }
}

/// `ValidateDNS1123Label` of a field that is set.
pub(super) fn dns_label_field(field: &Field<'_, '_>, errors: &mut Errors) {
    errors.invalid_all(field, dns_label(field.text()));
}

fn max_characters(text: &str, max: usize) -> Messages {
    let mut messages = Messages::new();
    if text.len() > max {
        messages.push(format!("must be no more than {max} characters").into());
    }
    messages
}

fn is_dns_label(text: &str) -> bool {
    is_framed(text, |b| b.is_ascii_lowercase() || b.is_ascii_digit(), |b| b == b'-')
}

fn is_label_text(text: &str) -> bool {
    is_framed(text, |b| b.is_ascii_alphanumeric(), |b| matches!(b, b'-' | b'_' | b'.'))
}

/// Whether a text starts and ends with `outer` bytes and has nothing but those and `inner` ones between.
fn is_framed(text: &str, outer: impl Fn(u8) -> bool, inner: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    let framed = bytes.first().is_some_and(|b| outer(*b)) && bytes.last().is_some_and(|b| outer(*b));
    framed && bytes.iter().all(|b| outer(*b) || inner(*b))
}

fn is_subdomain(text: &str, is_label: impl Fn(&str) -> bool) -> bool {
    text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_subdomains() {
        assert!(dns_label("a-1").is_empty());
        assert_eq!(dns_label("a.b"), ["must not contain dots"]);
        assert_eq!(dns_label("A"), [DNS_LABEL]);
        assert_eq!(dns_label(""), [DNS_LABEL]);
        assert_eq!(dns_label(&"a".repeat(64)), ["must be no more than 63 characters"]);
        assert!(dns_subdomain("a.b-c.1").is_empty());
        assert_eq!(dns_subdomain("a..b"), [DNS_SUBDOMAIN]);
        assert!(dns_subdomain_with_underscore("_tcp.a_b").is_empty());
        assert_eq!(dns_subdomain_with_underscore("__a"), [DNS_SUBDOMAIN_UNDERSCORE]);
    }

    #[test]
    fn a_prefix_may_end_with_a_dash() {
        assert!(dns_subdomain_prefix("job-").is_empty());
        // Upstream masks the character before the dash, too.
        assert!(dns_subdomain_prefix("jobB-").is_empty());
        assert_eq!(dns_subdomain_prefix("-"), [DNS_SUBDOMAIN]);
    }

    #[test]
    fn keys_and_values() {
        assert!(label_key("example.com/My_name").is_empty());
        assert_eq!(label_key("a/b/c"), [LABEL_KEY]);
        assert_eq!(label_key("/b"), ["prefix part must be non-empty"]);
        assert_eq!(label_key("a/"), ["name part must be non-empty", LABEL_KEY_NAME]);
        assert!(label_value("").is_empty());
        assert_eq!(label_value("a b"), [LABEL_VALUE]);
        assert_eq!(config_map_key("..a"), ["must not start with '..'"]);
        assert_eq!(config_map_key(""), [CONFIG_KEY]);
    }

    #[test]
    fn ports_numbers_and_variables() {
        assert!(port_name("http-1").is_empty());
        assert_eq!(port_name("1"), ["must contain at least one letter (a-z)"]);
        assert_eq!(port_number(0).unwrap(), "must be between 1 and 65535, inclusive");
        assert!(decimal_integer("-12").is_empty() && decimal_integer("0").is_empty());
        assert!(!decimal_integer("012").is_empty() && !decimal_integer("-0").is_empty());
        assert!(env_var_name("a b").is_empty());
        assert_eq!(env_var_name("a=b"), [ENV_VAR]);
    }
}
