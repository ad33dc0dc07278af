//! Image names, as far as the default pull policy needs them (`parsers.ParseImageName`, which is
//! distribution/reference).

/// `Always` for the tag `latest`, which is also the tag of an image without tag and digest; else `IfNotPresent`, also
/// for a name that is none.
pub(super) fn pull_policy(image: &str) -> &'static str {
    if is_latest(image) { "Always" } else { "IfNotPresent" }
}

fn is_latest(image: &str) -> bool {
    // 64 hexadecimal digits are an image's id and no name.
    if image.len() == 64 && image.bytes().all(is_lower_hex) {
        return false;
    }
    let (domain, remainder) = split_domain(image);
    let (name_and_tag, digest) = match remainder.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (remainder, None),
    };
    let (path, tag) = match name_and_tag.split_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (name_and_tag, None),
    };
    let well_formed = domain.is_none_or(is_domain)
        && path.split('/').all(is_path_component)
        && path.len().saturating_add(library_prefix(domain, path)) <= 255
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest);
    well_formed && (tag == Some("latest") || (tag.is_none() && digest.is_none()))
}

/// The bytes that `library/` adds to the name of an official image.
fn library_prefix(domain: Option<&str>, path: &str) -> usize {
    let docker_hub = domain.is_none_or(|domain| matches!(domain, "docker.io" | "index.docker.io"));
    if docker_hub && !path.contains('/') { 8 } else { 0 }
}

/// `splitDockerDomain`: the first part is a domain if it looks like one.
fn split_domain(image: &str) -> (Option<&str>, &str) {
    let Some((first, rest)) = image.split_once('/') else { return (None, image) };
    let looks_like_one = first == "localhost" || first.contains(['.', ':']) || first.to_lowercase() != first;
    if looks_like_one { (Some(first), rest) } else { (None, image) }
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (domain, None),
    };
    let is_part = |part: &str| {
        let bytes = part.as_bytes();
        bytes.first().is_some_and(u8::is_ascii_alphanumeric)
            && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
    };
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => !address.is_empty() && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':'),
        None => host.split('.').all(is_part),
    };
    is_host && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

/// Lower-case letters and digits, with single dots, one or two underscores, or dashes between them.
fn is_path_component(component: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    if !bytes.first().is_some_and(|b| is_plain(*b)) || !bytes.last().is_some_and(|b| is_plain(*b)) {
        return false;
    }
    bytes.split(|b| is_plain(*b)).all(|separator| {
        matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-')
    })
}

fn is_tag(tag: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let bytes = tag.as_bytes();
    bytes.len() <= 128
        && bytes.first().is_some_and(|b| is_word(*b))
        && bytes.iter().all(|b| is_word(*b) || matches!(b, b'.' | b'-'))
}

/// Whether a digest is of a known algorithm, with as many digits as that has.
fn is_digest(digest: &str) -> bool {
    let Some((algorithm, encoded)) = digest.split_once(':') else { return false };
    let digits = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    encoded.len() == digits && encoded.bytes().all(is_lower_hex)
}

fn is_lower_hex(b: u8) -> bool {
    matches!(b, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn latest_is_always_pulled() {
        for image in
            ["bash", "bash:latest", "localhost/a", "Host/a:latest", "a.b:5000/c/d", "[::1]:5/x", "a__b/c-d.e"]
        {
            assert_eq!(pull_policy(image), "Always", "{image}");
        }
        let digest = format!("bash:latest@sha256:{}", "0".repeat(64));
        assert_eq!(pull_policy(&digest), "Always");
    }

    #[test]
    fn everything_else_only_if_not_present() {
        for image in ["", " ", "bash:5", "Bash", "a//b", "a:", "bash@sha256:0", "a._b", "-a", "a.b:x/c"] {
            assert_eq!(pull_policy(image), "IfNotPresent", "{image}");
        }
        for image in ["0".repeat(64), format!("bash@sha256:{}", "0".repeat(64))] {
            assert_eq!(pull_policy(&image), "IfNotPresent", "{image}");
        }
    }
}
