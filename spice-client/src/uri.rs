//! `spice://`, `spice+tls://` and `spice+unix://` addresses.

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag_no_case, take_till, take_while};
use nom::character::complete::char;
use nom::combinator::{opt, rest};
use nom::sequence::{delimited, preceded};
use spice_proto::session::{Address, SessionConfig};

use crate::error::AddressError;

/// Reads an address. The user part is looked for inside the authority only, so that an `@` in a password does no
/// harm; keys without a value are skipped.
pub(crate) fn parse(text: &str) -> Result<SessionConfig, AddressError> {
    let mut scheme =
        alt((tag_no_case::<_, _, ()>("spice+unix://"), tag_no_case("spice+tls://"), tag_no_case("spice://")));
    let (remainder, scheme) = scheme.parse(text).map_err(|_| AddressError::Scheme(shown(text)))?;
    match scheme.len() {
        UNIX => unix(text, remainder),
        TLS => network(text, remainder, true),
        _ => network(text, remainder, false),
    }
}

fn unix(text: &str, path: &str) -> Result<SessionConfig, AddressError> {
    if path.is_empty() {
        return Err(AddressError::NoHost(shown(text)));
    }
    Ok(SessionConfig::new(Address::unix(path)))
}

fn network(text: &str, remainder: &str, tls_only: bool) -> Result<SessionConfig, AddressError> {
    let (query, authority) = take_till::<_, _, ()>(|c| matches!(c, '/' | '?' | ';'))
        .parse(remainder)
        .map_err(|_| AddressError::NoHost(shown(text)))?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = host_and_port(authority).ok_or_else(|| AddressError::NoHost(shown(text)))?;
    let host = decode(host, "host")?;
    if host.is_empty() {
        return Err(AddressError::NoHost(shown(text)));
    }
    let mut parts = Parts::default();
    if let Some(port) = port {
        let slot = if tls_only { &mut parts.tls_port } else { &mut parts.port };
        *slot = Some(number(port)?);
    }
    let query = query.trim_start_matches(|c| c != '?' && c != ';');
    for pair in query.split(['?', ';', '&']).filter(|pair| !pair.is_empty()) {
        parts.take(pair, tls_only)?;
    }
    let mut config = match (parts.port, parts.tls_port) {
        (None, None) => return Err(AddressError::NoPort(shown(text))),
        (Some(port), None) => SessionConfig::new(Address::tcp(&host, port)),
        (None, Some(tls)) => SessionConfig::new_tls(Address::tcp(&host, tls)),
        (Some(port), Some(tls)) => {
            let mut config = SessionConfig::new(Address::tcp(&host, port));
            config.tls = Some(Address::tcp(&host, tls));
            config
        }
    };
    if let Some(password) = parts.password {
        config = config.password(&password)?;
    }
    Ok(config)
}

#[derive(Default)]
struct Parts {
    port: Option<u16>,
    tls_port: Option<u16>,
    password: Option<String>,
}

impl Parts {
    fn take(&mut self, pair: &str, tls_only: bool) -> Result<(), AddressError> {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if value.is_empty() {
            return Ok(());
        }
        match key {
            // The authority's port is the TLS port of a TLS-only address; these keys then mean nothing.
            "port" | "tls-port" if tls_only => Ok(()),
            "port" => once(&mut self.port, number(value)?, key),
            "tls-port" => once(&mut self.tls_port, number(value)?, key),
            "password" => once(&mut self.password, decode(value, "password")?, key),
            _ => Err(AddressError::Query(key.into())),
        }
    }
}

fn once<T>(slot: &mut Option<T>, value: T, key: &str) -> Result<(), AddressError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(AddressError::Twice(key.into())),
    }
}

/// A host, in brackets when it is a literal IPv6 address, and the port behind it.
fn host_and_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let bracketed = delimited(char::<_, ()>('['), take_while(|c| c != ']'), char(']'));
    let plain = take_till(|c| c == ':');
    let (left, (host, port)) =
        (alt((bracketed, plain)), opt(preceded(char(':'), rest))).parse(authority).ok()?;
    left.is_empty().then_some((host, port.filter(|port: &&str| !port.is_empty())))
}

fn number(text: &str) -> Result<u16, AddressError> {
    match text.parse() {
        Ok(0) | Err(_) => Err(AddressError::Port(text.into())),
        Ok(port) => Ok(port),
    }
}

/// Takes percent-encoding back; `what` names the part in errors.
fn decode(text: &str, what: &'static str) -> Result<String, AddressError> {
    let bad = || AddressError::Encoding(what);
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let (hex, plain) = part.split_at_checked(2).ok_or_else(bad)?;
        if !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(bad());
        }
        bytes.push(u8::from_str_radix(hex, 16).map_err(|_| bad())?);
        bytes.extend_from_slice(plain.as_bytes());
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

/// The address as errors may show it: without user and query, where passwords stand.
fn shown(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, text),
    };
    let end = rest.find(['?', ';']).unwrap_or(rest.len());
    let rest = rest[..end].rsplit_once('@').map_or(&rest[..end], |(_, host)| host);
    scheme.map_or_else(|| rest.to_owned(), |scheme| format!("{scheme}://{rest}"))
}

/// Length of the scheme of unix addresses.
const UNIX: usize = "spice+unix://".len();
/// Length of the scheme of TLS addresses.
const TLS: usize = "spice+tls://".len();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let plain = |text: &str| parse(text).unwrap().plain;
        assert_eq!(plain("spice://localhost:5930"), Some(Address::tcp("localhost", 5930)));
        assert_eq!(plain("SPICE://user@[::1]:5930/"), Some(Address::tcp("::1", 5930)));
        assert_eq!(plain("spice://h?port=1&password=p%40q"), Some(Address::tcp("h", 1)));
        assert_eq!(plain("spice+unix:///run/vm.sock"), Some(Address::unix("/run/vm.sock")));
        assert_eq!(parse("spice+tls://h:2").unwrap().tls, Some(Address::tcp("h", 2)));
        assert_eq!(parse("spice://h;tls-port=3").unwrap().tls, Some(Address::tcp("h", 3)));
        assert!(!parse("spice://h:1?password=a@b").unwrap().credentials.password.is_empty());
    }

    #[test]
    fn bad_addresses_say_what_is_wrong() {
        let error = |text: &str| parse(text).unwrap_err();
        assert_eq!(error("vnc://h:1"), AddressError::Scheme("vnc://h:1".into()));
        assert_eq!(error("spice://h"), AddressError::NoPort("spice://h".into()));
        assert_eq!(error("spice://h:0"), AddressError::Port("0".into()));
        assert_eq!(error("spice://h:99999"), AddressError::Port("99999".into()));
        assert_eq!(error("spice://:5930"), AddressError::NoHost("spice://:5930".into()));
        assert_eq!(error("spice://h:1?port=2"), AddressError::Twice("port".into()));
        assert_eq!(error("spice://h:1?colour=red"), AddressError::Query("colour".into()));
        assert_eq!(error("spice://h:1?password=%e"), AddressError::Encoding("password"));
        assert_eq!(error("spice://h:1?password=%+f"), AddressError::Encoding("password"));
    }

    #[test]
    fn errors_show_no_password() {
        for text in [
            "vnc://user:secret@h:1?password=secret",
            "h:1?password=secret",
            "spice://h?password=secret",
            "spice://user:secret@h",
            "spice://:1?password=secret",
            "spice://h:1?password=secret%",
            "spice://h:1?password=secret&password=secret",
            "spice://h:1?password=secret%00",
            "spice://h:1?password=secret&port=x",
        ] {
            let error = parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"), "{text}: {error:?}");
        }
    }
}
