//! Which web pages may open connections, and who is behind a reverse proxy.
//!
//! A browser sends its user's connections to any server that any page names, and says which page it was. Without a check
//! every page on the internet could reach the machines behind a gateway in the user's own network.

use std::net::IpAddr;

use http::uri::Authority;
use http::{HeaderMap, header};
use ipnet::IpNet;

use crate::routes::Peer;

/// Whether the page that opens a connection may do so.
///
/// Pages of `allowed` may, such as `https://panel.example.org`. So may pages that came from this gateway, by the same
/// scheme, if it was asked for by address or as localhost: any name can be made to lead here, so names have to be listed.
/// What names no page is no browser, and could name any page it likes.
pub(crate) fn may_connect(headers: &HeaderMap, peer: Peer, allowed: &[String], trusted: &[IpNet]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    if allowed.iter().any(|allowed| allowed.trim_end_matches('/').eq_ignore_ascii_case(origin)) {
        return true;
    }
    // A trusted proxy with TLS of its own says so.
    let forwarded = headers.get("x-forwarded-proto").filter(|_| is_trusted(peer.address.ip(), trusted));
    let is_secure =
        forwarded.map_or(peer.is_secure, |scheme| scheme.as_bytes().eq_ignore_ascii_case(b"https"));
    let scheme = if is_secure { "https" } else { "http" };
    let Some((its, authority)) = origin.split_once("://") else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    its.eq_ignore_ascii_case(scheme)
        && host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
        && is_literal(authority)
}

/// Whether an authority is an IP address or localhost, with or without a port.
fn is_literal(authority: &str) -> bool {
    let Ok(parsed) = authority.parse::<Authority>() else { return false };
    let host = parsed.host();
    // Nothing but a host and a port: no user, no empty port.
    let rest = authority.strip_prefix(host).map(|rest| rest.strip_prefix(':').unwrap_or(rest));
    if !rest.is_some_and(|rest| rest.is_empty() && !authority.ends_with(':') || rest.parse::<u16>().is_ok()) {
        return false;
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().is_ok() || host.eq_ignore_ascii_case("localhost")
}

/// Whether an address is that of a reverse proxy whose word counts.
pub(crate) fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    let address = address.to_canonical();
    trusted.iter().any(|net| net.contains(&address))
}

/// The address of the client: the peer's, or the last one in `X-Forwarded-For` that is not a trusted proxy's own.
pub(crate) fn client(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer.to_canonical();
    if !is_trusted(client, trusted) {
        return client;
    }
    let listed = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let listed: Vec<_> = listed.flat_map(|value| value.split(',')).collect();
    for address in listed.iter().rev() {
        // What follows an unreadable entry is not known any more.
        let Ok(address) = address.trim().parse::<IpAddr>() else { break };
        client = address.to_canonical();
        if !is_trusted(client, trusted) {
            break;
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        list.iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn pages_of_others_may_not() {
        let listed = ["https://panel.example.org".to_owned()];
        let peer = |is_secure| Peer { address: "192.0.2.1:5".parse().unwrap(), is_secure };
        let by = |origin: &str, host: &str, is_secure| {
            may_connect(&headers(&[("origin", origin), ("host", host)]), peer(is_secure), &listed, &[])
        };
        let may = |origin: &str, host: &str| by(origin, host, false);
        assert!(may("http://127.0.0.1:8080", "127.0.0.1:8080"));
        assert!(may("http://localhost:8080", "localhost:8080"));
        assert!(may("http://[::1]:8080", "[::1]:8080"));
        assert!(by("https://192.0.2.7", "192.0.2.7", true));
        // Another scheme is another page, and what is no origin is none.
        assert!(!may("https://192.0.2.7", "192.0.2.7"));
        assert!(!by("http://192.0.2.7", "192.0.2.7", true));
        assert!(!may("ftp://192.0.2.7", "192.0.2.7"));
        assert!(!may("http://user@192.0.2.7", "user@192.0.2.7"));
        assert!(!may("http://192.0.2.7/", "192.0.2.7/"));
        assert!(!may("http://192.0.2.7:", "192.0.2.7:"));
        assert!(!may("http://192.0.2.7:99999", "192.0.2.7:99999"));
        assert!(may("https://panel.example.org", "gateway.example.org"));
        assert!(may_connect(&headers(&[("host", "127.0.0.1")]), peer(false), &[], &[]));
        assert!(!may("https://evil.example", "127.0.0.1:8080"));
        assert!(!may("http://127.0.0.1:8081", "127.0.0.1:8080"));
        // A name that its owner lets lead to this gateway.
        assert!(!may("http://evil.example:8080", "evil.example:8080"));
        assert!(!may("http://127.0.0.1.evil.example", "127.0.0.1.evil.example"));
        assert!(!may("null", "127.0.0.1"));
        assert!(!may("https://panel.example.org.evil.example", "panel.example.org"));
        assert!(!may("http://panel.example.org", "panel.example.org"));
    }

    #[test]
    fn a_trusted_proxy_says_whether_it_had_tls() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let list = [("origin", "https://192.0.2.7"), ("host", "192.0.2.7"), ("x-forwarded-proto", "https")];
        let may = |peer: &str| {
            let peer = Peer { address: peer.parse().unwrap(), is_secure: false };
            may_connect(&headers(&list), peer, &[], &trusted)
        };
        assert!(may("10.0.0.1:5") && !may("192.0.2.1:5"));
    }

    #[test]
    fn only_trusted_proxies_say_who_the_client_is() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let who = |peer: &str, list: &str| {
            client(&headers(&[("x-forwarded-for", list)]), peer.parse().unwrap(), &trusted).to_string()
        };
        assert_eq!(who("192.0.2.1", "198.51.100.1"), "192.0.2.1");
        assert_eq!(who("10.0.0.1", "198.51.100.1"), "198.51.100.1");
        assert_eq!(who("10.0.0.1", "203.0.113.9, 198.51.100.1"), "198.51.100.1");
        assert_eq!(who("10.0.0.1", "198.51.100.1, 10.0.0.2"), "198.51.100.1");
        assert_eq!(who("10.0.0.1", "198.51.100.1, junk"), "10.0.0.1");
        assert_eq!(client(&HeaderMap::new(), "10.0.0.1".parse().unwrap(), &trusted).to_string(), "10.0.0.1");
    }
}
