//! Addresses to listen on, as Kubernetes' components take them.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// An address to listen on, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address(pub(super) Option<SocketAddr>);

/// `HOST:PORT`, `:PORT` for all of the machine's addresses, or `0` for none.
pub(super) fn parse(text: &str) -> Result<Address, String> {
    if text == "0" {
        return Ok(Address(None));
    }
    let all = text.strip_prefix(':').and_then(|port| port.parse().ok());
    if let Some(port) = all {
        return Ok(Address(Some(SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port))));
    }
    let local = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let address = local.as_deref().unwrap_or(text).parse();
    address.map(|address| Address(Some(address))).map_err(|_| "expected IP:PORT, :PORT or 0".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        assert_eq!(parse("0"), Ok(Address(None)));
        assert_eq!(parse("127.0.0.1:9").unwrap().0.unwrap().to_string(), "127.0.0.1:9");
        assert_eq!(parse("localhost:9").unwrap().0.unwrap().to_string(), "127.0.0.1:9");
        assert_eq!(parse(":9").unwrap().0.unwrap().to_string(), "[::]:9");
        assert!(parse("nowhere").is_err());
    }
}
