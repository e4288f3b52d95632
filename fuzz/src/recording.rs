//! Recordings of sessions: files from anywhere.

use spice_client::record::{MAX_PAYLOAD, Recording, Replay, ReplayError, What};
use spice_proto::session::{Address, SessionConfig};

use crate::memory::bounded;

/// Any file is read to its end or to an error, with one record in memory, and its replay holds little more than what is
/// in it; both come to the same end of the file.
///
/// Input: the file.
pub fn recording(data: &[u8]) {
    let read = bounded("reading a recording", (64 << 10) + data.len(), || read(data));
    // Links with their ticket's arithmetic, receive buffers that double, events.
    bounded("a replay", (4 << 20) + 16 * data.len(), || {
        let Ok(recording) = Recording::new(data) else { return };
        let mut config = SessionConfig::new(Address::Other("fuzz".into()));
        config.limits.channels = 4;
        let mut failed = None;
        for item in Replay::with_config(recording, config) {
            assert!(failed.is_none(), "something comes behind an error");
            failed = item.err();
        }
        // A session may end before its file does, and then says nothing about the rest.
        match failed {
            Some(ReplayError::Recording(_)) => assert!(!read, "only the replay found a fault"),
            Some(ReplayError::Stuck { .. }) => panic!("no input is as long as that takes"),
            _ => {}
        }
    });
}

/// Whether the file is whole.
fn read(data: &[u8]) -> bool {
    let Ok(mut recording) = Recording::new(data) else { return false };
    let mut total = 0;
    loop {
        match recording.next_record() {
            Ok(Some(record)) => {
                let (What::Received(bytes) | What::Sent(bytes)) = record.what else { continue };
                assert!(bytes.len() <= MAX_PAYLOAD);
                total += bytes.len();
                assert!(total <= data.len());
            }
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}
