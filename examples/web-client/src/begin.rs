//! How every connection begins, also before this library is there.

use spice_client::ClientConfig;
use spice_client::video::ScheduleLimits;
use spice_proto::session::Address;

/// What a connection asks for; `shown` is what errors call the address.
pub fn config(shown: &str) -> ClientConfig {
    let mut config = ClientConfig::new(Address::Other(shown.into()));
    config.queued_bytes = QUEUED_BYTES;
    config.schedule = Some(ScheduleLimits::default());
    config
}

/// Bytes of messages in front of the canvases. As many may wait there for the picture of another display.
const QUEUED_BYTES: usize = 32 << 20;

#[cfg(test)]
mod tests {
    use spice_proto::Instant;
    use spice_proto::session::{Output, Session};

    use super::*;

    /// The numbers of the worker's script, which sends them while it waits for this library.
    fn written() -> Vec<u8> {
        let script = include_str!("../www/lib/hello.js");
        let (_, rest) = script.split_once('[').unwrap();
        let (numbers, _) = rest.split_once(']').unwrap();
        let numbers = numbers.split(',').map(str::trim).filter(|number| !number.is_empty());
        numbers.map(|number| number.parse().unwrap()).collect()
    }

    #[test]
    fn the_worker_sends_what_a_session_sends_first() {
        let mut session = Session::new(config("anywhere").session);
        let mut sent = Vec::new();
        while let Some(output) = session.poll_output() {
            match output {
                Output::Connect { transport, .. } => {
                    session.connected(transport, [7; 32], Instant::default())
                }
                Output::Transmit { data, .. } => sent.extend_from_slice(&data),
                _ => {}
            }
        }
        assert_eq!(written(), sent);
    }
}
