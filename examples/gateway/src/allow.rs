//! The list of servers that anybody who may use the gateway may reach.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use ipnet::IpNet;

use crate::target::{Place, Target, TlsTarget};

/// Servers by name, and rules for those that are asked for by host and port.
#[derive(Debug, Clone, Default)]
pub struct AllowList {
    /// The rules; the first that fits decides.
    pub rules: Vec<Rule>,
    /// Servers that clients name.
    pub named: BTreeMap<String, Target>,
}

/// A group of TCP ports that may be connected to: `[tls:]HOST:PORT[-PORT]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    hosts: Hosts,
    ports: RangeInclusive<u16>,
    tls: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    /// Addresses. A name never matches, wherever it leads.
    Net(IpNet),
    /// One name, in small letters.
    Name(String),
    /// Every name that ends like this, dot included.
    Below(String),
}

/// Why a text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// It does not have the form of one.
    #[error(
        "{0:?} is no rule: write [tls:]HOST:PORT or [tls:]HOST:PORT-PORT, where HOST is a name, *.DOMAIN, an address or a network such as 10.0.0.0/24"
    )]
    Form(String),
    /// It would let everybody reach everything.
    #[error("{0:?} allows every host, which makes an open proxy: name hosts or networks")]
    Everything(String),
    /// A name and an address were wanted.
    #[error(
        "{0:?} is no named server: write NAME=ADDRESS, such as desk=spice://10.0.0.5:5900; the name has no colon, slash or space"
    )]
    Named(String),
}

impl AllowList {
    /// Adds a server that clients may name: `NAME=ADDRESS`.
    ///
    /// # Errors
    /// [`RuleError::Named`] with the text.
    pub fn name(&mut self, text: &str) -> Result<(), RuleError> {
        let error = || RuleError::Named(text.into());
        let (name, address) = text.split_once('=').ok_or_else(error)?;
        if name.is_empty() || name.contains([':', '/', ' ']) {
            return Err(error());
        }
        self.named.insert(name.into(), address.parse().map_err(|_| error())?);
        Ok(())
    }

    /// The server that a client asks for, if it is allowed. Without a port, `host` is the name of a server.
    pub fn find(&self, host: &str, port: Option<u16>) -> Option<Target> {
        let Some(port) = port else { return self.named.get(host).cloned() };
        let asked = Asked::new(host)?;
        let rule = self.rules.iter().find(|rule| rule.fits(&asked, port))?;
        let host = match asked {
            Asked::Address(address) => address.to_string(),
            Asked::Name(name) => name,
        };
        Some(Target { place: Place::Tcp { host, port }, tls: rule.tls.then(TlsTarget::default) })
    }

    /// Whether nothing at all is allowed.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.named.is_empty()
    }
}

enum Asked {
    Address(IpAddr),
    Name(String),
}

impl Asked {
    fn new(host: &str) -> Option<Self> {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Some(Self::Address(address.to_canonical()));
        }
        is_name(host).then(|| Self::Name(host.to_ascii_lowercase()))
    }
}

impl Rule {
    fn fits(&self, asked: &Asked, port: u16) -> bool {
        let host = match (&self.hosts, asked) {
            (Hosts::Net(net), Asked::Address(address)) => net.contains(address),
            (Hosts::Name(name), Asked::Name(asked)) => name == asked,
            (Hosts::Below(domain), Asked::Name(asked)) => {
                asked.len() > domain.len() && asked.ends_with(domain.as_str())
            }
            _ => false,
        };
        host && self.ports.contains(&port)
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let error = || RuleError::Form(text.into());
        let (tls, rest) = text.strip_prefix("tls:").map_or((false, text), |rest| (true, rest));
        let (host, ports) = rest.rsplit_once(':').ok_or_else(error)?;
        let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port != 0).ok_or_else(error);
        let ports = match ports.split_once('-') {
            Some((first, last)) => port(first)?..=port(last)?,
            None => port(ports)?..=port(ports)?,
        };
        if ports.is_empty() {
            return Err(error());
        }
        let hosts = Hosts::parse(host).ok_or_else(error)?;
        let everything = match &hosts {
            Hosts::Net(net) => net.prefix_len() == 0,
            Hosts::Below(domain) => domain == ".",
            Hosts::Name(_) => false,
        };
        if everything { Err(RuleError::Everything(text.into())) } else { Ok(Self { hosts, ports, tls }) }
    }
}

impl Hosts {
    fn parse(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if let Ok(net) = bare.parse::<IpNet>() {
            return Some(Self::Net(net));
        }
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Some(Self::Net(address.to_canonical().into()));
        }
        if text == "*" {
            return Some(Self::Below(".".into()));
        }
        if let Some(domain) = text.strip_prefix("*.") {
            return is_name(domain).then(|| Self::Below(format!(".{}", domain.to_ascii_lowercase())));
        }
        is_name(text).then(|| Self::Name(text.to_ascii_lowercase()))
    }
}

/// Whether a text is a host name: letters, digits, hyphens, underscores and dots between them.
fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    text.len() <= NAME_LENGTH && text.split('.').all(label)
}

/// Bytes of a host name at most, as DNS has it.
const NAME_LENGTH: usize = 253;

#[cfg(test)]
mod tests {
    use super::*;

    fn list(rules: &[&str]) -> AllowList {
        AllowList { rules: rules.iter().map(|rule| rule.parse().unwrap()).collect(), named: BTreeMap::new() }
    }

    #[test]
    fn what_is_not_listed_is_not_found() {
        let list =
            list(&["10.1.0.0/16:5900-5999", "vm.example.org:5930", "*.lab.example:5900", "[::1]:5900"]);
        for (host, port) in [
            ("10.1.2.3", 5900),
            ("10.1.2.3", 5999),
            ("::ffff:10.1.2.3", 5950),
            ("VM.example.org", 5930),
            ("a.b.lab.example", 5900),
            ("::1", 5900),
            ("[::1]", 5900),
        ] {
            assert!(list.find(host, Some(port)).is_some(), "{host} {port}");
        }
        for (host, port) in [
            ("10.2.0.1", 5900),
            ("10.1.2.3", 6000),
            ("10.1.2.3", 22),
            // Not the spellings that some resolvers take for addresses.
            ("10.1.515", 5900),
            ("0x0a.1.2.3", 5900),
            ("vm.example.org.", 5930),
            ("vm.example.org", 5931),
            ("evil.vm.example.org", 5930),
            ("lab.example", 5900),
            ("evillab.example", 5900),
            ("127.0.0.1", 5900),
            ("", 5900),
            ("a b", 5900),
        ] {
            assert!(list.find(host, Some(port)).is_none(), "{host} {port}");
        }
        assert!(list.find("vm.example.org", None).is_none());
        assert!(AllowList::default().find("127.0.0.1", Some(5900)).is_none());
    }

    #[test]
    fn a_rule_decides_whether_there_is_tls() {
        let list = list(&["tls:vm.example.org:5901", "vm.example.org:5900-5910"]);
        assert!(list.find("vm.example.org", Some(5901)).unwrap().tls.is_some());
        assert!(list.find("vm.example.org", Some(5900)).unwrap().tls.is_none());
    }

    #[test]
    fn servers_have_names() {
        let mut list = AllowList::default();
        list.name("desk=spice+unix:///run/desk.sock").unwrap();
        assert_eq!(list.find("desk", None).unwrap().to_string(), "spice+unix:///run/desk.sock");
        assert!(list.find("desk", Some(1)).is_none());
        for text in ["desk", "=spice://a:1", "a:b=spice://a:1", "a=b"] {
            assert!(matches!(list.name(text), Err(RuleError::Named(_))), "{text}");
        }
    }

    #[test]
    fn an_open_proxy_cannot_be_asked_for() {
        for text in ["*:5900", "0.0.0.0/0:1-65535", "::/0:5900"] {
            assert!(matches!(text.parse::<Rule>(), Err(RuleError::Everything(_))), "{text}");
        }
        for text in
            ["", "vm", "vm:", "vm:0", "vm:9-1", "vm:1-", "10.0.0.0/33:1", "a b:1", "tls:vm", "*x:1", "-:x"]
        {
            assert!(matches!(text.parse::<Rule>(), Err(RuleError::Form(_))), "{text}");
        }
    }
}
