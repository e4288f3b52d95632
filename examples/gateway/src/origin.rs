//! Which web pages may open connections, and who is behind a reverse proxy.
//!
//! A browser sends its user's connections to any server that any page names, and says which page it was. Without a check
//! every page on the internet could reach the machines behind a gateway in the user's own network.

use std::net::IpAddr;

use http::{HeaderMap, Uri, header};
use ipnet::IpNet;

/// Whether the page that opens a connection may do so.
///
/// Pages of `allowed` may, such as `https://panel.example.org`. So may pages that came from this gateway, if it was asked
/// for by address or as localhost: any name can be made to lead here, so names have to be listed. What names no page is no
/// browser, and could name any page it likes.
pub(crate) fn may_connect(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    if allowed.iter().any(|allowed| allowed.trim_end_matches('/').eq_ignore_ascii_case(origin)) {
        return true;
    }
    let Some(authority) = origin.split_once("://").map(|(_, authority)| authority) else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.is_some_and(|host| host.eq_ignore_ascii_case(authority)) && is_literal(authority)
}

/// Whether an authority is an IP address or localhost, with or without a port.
fn is_literal(authority: &str) -> bool {
    let Ok(uri) = authority.parse::<Uri>() else { return false };
    let Some(host) = uri.host() else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().is_ok() || host.eq_ignore_ascii_case("localhost")
}

/// The address of the client: the peer's, or the last one in `X-Forwarded-For` that is not a trusted proxy's own.
pub(crate) fn client(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut client = peer.to_canonical();
    if !is_trusted(&client) {
        return client;
    }
    let listed = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let listed: Vec<_> = listed.flat_map(|value| value.split(',')).collect();
    for address in listed.iter().rev() {
        // What follows an unreadable entry is not known any more.
        let Ok(address) = address.trim().parse::<IpAddr>() else { break };
        client = address.to_canonical();
        if !is_trusted(&client) {
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
        let may =
            |origin: &str, host: &str| may_connect(&headers(&[("origin", origin), ("host", host)]), &listed);
        assert!(may("http://127.0.0.1:8080", "127.0.0.1:8080"));
        assert!(may("http://localhost:8080", "localhost:8080"));
        assert!(may("http://[::1]:8080", "[::1]:8080"));
        assert!(may("https://192.0.2.7", "192.0.2.7"));
        assert!(may("https://panel.example.org", "gateway.example.org"));
        assert!(may_connect(&headers(&[("host", "127.0.0.1")]), &[]));
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
