//! Name resolution of a Pod (`validatePodDNSConfig`, `ValidateHostAliases`).

use super::error::Errors;
use super::field::Field;
use super::names;
use alloc::format;
use core::net::{IpAddr, Ipv6Addr};

/// `MaxDNSNameservers`.
const MAX_NAMESERVERS: usize = 3;
/// `MaxDNSSearchPaths`.
const MAX_SEARCH_PATHS: usize = 32;
/// `MaxDNSSearchListChars`.
const MAX_SEARCH_LIST_CHARS: usize = 2048;

pub(super) fn dns_config(spec: &Field<'_, '_>, errors: &mut Errors) {
    let config = spec.child("dnsConfig");
    let nameservers = config.child("nameservers");
    if spec.child("dnsPolicy").text() == "None" {
        if !config.is_set() {
            return errors.required(&config, "must provide `dnsConfig` when `dnsPolicy` is None");
        }
        if nameservers.items_len() == 0 {
            let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            return errors.required(&nameservers, detail);
        }
    }
    if nameservers.items_len() > MAX_NAMESERVERS {
        errors.invalid(&nameservers, format!("must not have more than {MAX_NAMESERVERS} nameservers"));
    }
    for nameserver in nameservers.items() {
        ip_address(&nameserver, errors);
    }
    searches(&config.child("searches"), errors);
    for option in config.child("options").items() {
        if option.child("name").text().is_empty() {
            errors.required(&option, "must not be empty");
        }
    }
}

fn searches(searches: &Field<'_, '_>, errors: &mut Errors) {
    let count = searches.items_len();
    if count > MAX_SEARCH_PATHS {
        errors.invalid(searches, format!("must not have more than {MAX_SEARCH_PATHS} search paths"));
    }
    let joined = searches.texts().map(str::len).fold(count.saturating_sub(1), usize::saturating_add);
    if joined > MAX_SEARCH_LIST_CHARS {
        errors.invalid(
            searches,
            format!("must not have more than {MAX_SEARCH_LIST_CHARS} characters (including spaces) in the search list"),
        );
    }
    for search in searches.items().filter(|search| search.text() != ".") {
        let name = search.text().strip_suffix('.').unwrap_or(search.text());
        for message in names::dns_subdomain_with_underscore(name) {
            errors.invalid_value(&search, name, message);
        }
    }
}

pub(super) fn host_aliases(aliases: &Field<'_, '_>, errors: &mut Errors) {
    for alias in aliases.items() {
        ip_address(&alias.child("ip"), errors);
        for hostname in alias.child("hostnames").items() {
            errors.invalid_all(&hostname, names::dns_subdomain(hostname.text()));
        }
    }
}

/// `IsValidIPForLegacyField`, with StrictIPCIDRValidation on.
fn ip_address(field: &Field<'_, '_>, errors: &mut Errors) {
    let text = field.text();
    match text.parse() {
        Ok(IpAddr::V6(address)) if is_mapped(address) => {
            errors.invalid_value(field, text, "must not be an IPv4-mapped IPv6 address");
        }
        Ok(_) => {}
        Err(_) if has_leading_zeros(text) => errors.invalid_value(field, text, "must not have leading 0s"),
        Err(_) => {
            errors.invalid_value(field, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
        }
    }
}

fn is_mapped(address: Ipv6Addr) -> bool {
    address.to_ipv4_mapped().is_some()
}

/// Whether a text is an IPv4 address but for zeros at the start of its numbers.
fn has_leading_zeros(text: &str) -> bool {
    let is_octet = |part: &str| {
        let number = part.trim_start_matches('0');
        !part.is_empty()
            && (number.is_empty()
                || number.bytes().all(|b| b.is_ascii_digit()) && number.parse::<u8>().is_ok())
    };
    text.split('.').count() == 4 && text.split('.').all(is_octet)
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect_pod_errors;

    #[test]
    fn policies() {
        expect_pod_errors(&[
            (
                r#"{"dnsPolicy":"Some"}"#,
                &[
                    r#"dnsPolicy: Unsupported value: "Some": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None""#,
                ],
            ),
            (
                r#"{"dnsPolicy":"None"}"#,
                &["dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
            ),
            (
                r#"{"dnsConfig":{"nameservers":["1.1.1.1","2.2.2.2","3.3.3.3","4.4.4.4"]}}"#,
                &[
                    r#"dnsConfig.nameservers: Invalid value: ["1.1.1.1","2.2.2.2","3.3.3.3","4.4.4.4"]: must not have more than 3 nameservers"#,
                ],
            ),
            (
                r#"{"dnsConfig":{"nameservers":["x"],"searches":["A b"],"options":[{"name":""}]}}"#,
                &[
                    r#"dnsConfig.nameservers[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"#,
                    r#"dnsConfig.searches[0]: Invalid value: "A b": a lowercase RFC 1123 subdomain must consist of…"#,
                    "dnsConfig.options[0]: Required value: must not be empty",
                ],
            ),
        ]);
    }

    #[test]
    fn host_aliases() {
        expect_pod_errors(&[(
            r#"{"hostAliases":[{"ip":"x","hostnames":["A_b"]}]}"#,
            &[
                r#"hostAliases[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"#,
                r#"hostAliases[0].hostnames[0]: Invalid value: "A_b": a lowercase RFC 1123 subdomain must consist of…"#,
            ],
        )]);
    }
}
