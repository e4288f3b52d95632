//! What clients are connected with.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A SPICE server as the gateway reaches it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// Where the server listens.
    pub place: Place,
    /// How it proves who it is; `None` is a connection without TLS.
    pub tls: Option<TlsTarget>,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// A TCP port.
    Tcp {
        /// A name or an IP address, the latter without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// A unix socket.
    Unix(PathBuf),
}

/// What a server's certificate has to show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct TlsTarget {
    /// The name in the certificate; the host that is connected to unless given.
    pub name: Option<String>,
    /// The certificate's subject, as `host-subject` of a `.vv` file spells it. It replaces the check of the name.
    pub subject: Option<String>,
    /// PEM text of the authorities to trust; the gateway's own `--upstream-ca` unless given.
    pub ca: Option<String>,
}

/// Why a text is no server's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no address: write spice://HOST:PORT, spice+tls://HOST:PORT[?name=NAME][&subject=SUBJECT] or spice+unix:///PATH"
)]
pub struct AddressError(String);

impl Target {
    /// A TCP port without TLS.
    pub fn tcp(host: &str, port: u16) -> Self {
        Self { place: Place::Tcp { host: host.into(), port }, tls: None }
    }
}

impl FromStr for Target {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let error = || AddressError(text.into());
        let (scheme, rest) = text.split_once("://").ok_or_else(error)?;
        match scheme.to_ascii_lowercase().as_str() {
            "spice+unix" if rest.starts_with('/') => Ok(Self { place: Place::Unix(rest.into()), tls: None }),
            "spice" => Ok(Self { place: tcp(rest).ok_or_else(error)?, tls: None }),
            "spice+tls" => {
                let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
                let mut tls = TlsTarget::default();
                for (key, value) in form_urlencoded::parse(query.as_bytes()) {
                    match &*key {
                        "name" => tls.name = Some(value.into_owned()),
                        "subject" => tls.subject = Some(value.into_owned()),
                        _ => return Err(error()),
                    }
                }
                Ok(Self { place: tcp(place).ok_or_else(error)?, tls: Some(tls) })
            }
            _ => Err(error()),
        }
    }
}

/// Host and port of `host:port`, `1.2.3.4:port` or `[v6]:port`.
fn tcp(text: &str) -> Option<Place> {
    let (host, port) = text.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = match bare {
        Some(host) => host,
        None if host.contains([':', '/', '@', '[']) => return None,
        None => host,
    };
    let port = port.parse().ok().filter(|port| *port != 0)?;
    (!host.is_empty()).then(|| Place::Tcp { host: host.into(), port })
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls.is_some() { "spice+tls" } else { "spice" };
        match &self.place {
            Place::Tcp { host, port } if host.contains(':') => write!(f, "{scheme}://[{host}]:{port}"),
            Place::Tcp { host, port } => write!(f, "{scheme}://{host}:{port}"),
            Place::Unix(path) => write!(f, "spice+unix://{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown() {
        for text in
            ["spice://vm:5900", "spice://[fe80::1]:5900", "spice+tls://vm:5901", "spice+unix:///run/vm"]
        {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        let target: Target =
            "spice+tls://10.0.0.5:61000?name=node.example&subject=OU=PVE,O=Lab,CN=node".parse().unwrap();
        let tls = target.tls.unwrap();
        assert_eq!(tls.name.as_deref(), Some("node.example"));
        assert_eq!(tls.subject.as_deref(), Some("OU=PVE,O=Lab,CN=node"));
    }

    #[test]
    fn what_is_no_address_is_said_to_be_none() {
        for text in [
            "",
            "vm:5900",
            "http://vm:80",
            "spice://vm",
            "spice://:1",
            "spice://vm:0",
            "spice://vm:70000",
            "spice://a:b:1",
            "spice://user@vm:1",
            "spice+unix://run/vm",
            "spice+tls://vm:1?nome=x",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
