//! The guest agent's protocol: its crate brings the oracles, since its own tests use them too.

use spice_agent_proto::testing;

use crate::memory::bounded;

/// Any data of any agent message are a value or an error, and a value survives encoding and decoding.
pub fn bodies(data: &[u8]) {
    testing::any_body(data);
}

/// Agent messages made from any bytes survive encoding and decoding, and cut anywhere give a value or an error.
pub fn round_trip(data: &[u8]) {
    testing::round_trips(data);
}

/// A stream of agent messages gives the same however it is cut.
///
/// Input: up to 31 cuts behind their number, the stream.
pub fn stream(data: &[u8]) {
    let Some((&count, rest)) = data.split_first() else { return };
    let (cuts, stream) = rest.split_at(rest.len().min(usize::from(count & 31)));
    testing::any_split(stream, cuts);
}

/// The client's side of the agent's dialogue against an agent, a server and an application that do anything.
pub fn client(data: &[u8]) {
    bounded("a client", MEMORY + 256 * data.len(), || testing::client_dialogue(data));
}

/// The guest's side of the agent's dialogue against a client that does anything.
pub fn guest(data: &[u8]) {
    bounded("an agent", MEMORY + 256 * data.len(), || testing::guest_dialogue(data));
}

/// What a side may hold whatever it hears: its buffers for messages and chunks.
const MEMORY: usize = 512 << 10;
