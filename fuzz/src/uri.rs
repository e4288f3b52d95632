//! Addresses that users type.

use spice_client::ClientConfig;
use spice_proto::session::Address;

use crate::memory::bounded;

/// Any text is an address or not; one that is names a server, and its parts written out give the same address.
///
/// Input: the text.
pub fn uri(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let bound = 4096 + 16 * text.len();
    let Ok(config) = bounded("reading an address", bound, || text.parse::<ClientConfig>()) else { return };
    let (plain, tls) = (config.session.plain, config.session.tls);
    assert!(plain.is_some() || tls.is_some(), "no server");
    if let Some(address) = plain {
        assert_eq!(
            again(&address).and_then(|config| config.session.plain),
            written(&address).and(Some(address))
        );
    }
    if let Some(Address::Tcp { host, port }) = tls {
        assert!(!host.is_empty() && port != 0);
    }
}

fn again(address: &Address) -> Option<ClientConfig> {
    written(address).map(|text| text.parse().expect("an address written out is an address"))
}

/// The address as text; `None` when that would need percent-encoding.
fn written(address: &Address) -> Option<String> {
    match address {
        Address::Tcp { host, port } => {
            assert!(!host.is_empty() && *port != 0);
            let plain = host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':'));
            plain.then(|| format!("spice://{address}"))
        }
        Address::Unix { .. } => Some(format!("spice+unix://{address}")),
        _ => None,
    }
}
