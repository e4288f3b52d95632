//! Every bound on what a peer may make this side hold or do.

use core::time::Duration;

/// The bounds of a session; each default says why it is what it is.
///
/// A peer that exceeds one gets its channel closed with
/// [`LimitExceeded`](crate::LimitExceeded), which names the field of this structure, the value and the bound.
///
/// ```
/// use spice_proto::Limits;
/// let mut limits = Limits::default();
/// limits.message_len = 8 << 20;
/// assert!(limits.message_len < Limits::default().message_len);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Longest body of one data message in bytes. 160 MiB: an uncompressed 8192×4096 screen (128 MiB) must pass,
    /// because a server with compression off sends its start-up screen as one message.
    pub message_len: u32,
    /// Longest body of one data message from a client, in bytes, for the server role. 1 MiB: the longest that
    /// clients send are 2048-byte agent chunks and USB transfers of some hundred kilobytes.
    pub client_message_len: u32,
    /// Longest link message or link reply in bytes behind its header. 4096, the bound of server 0.15.1.
    pub link_len: u32,
    /// Longest SASL blob in bytes. 1 MiB, the bound of both C implementations.
    pub sasl_blob_len: u32,
    /// Longest packet of a SASL security layer in bytes. 100000, the buffer of the C client; server 0.15.1 has 8192.
    pub sasl_packet_len: u32,
    /// Pointers followed in one message. 64: the richest message (a draw with source, brush, mask and their
    /// palettes) follows fewer than ten.
    pub pointers: u32,
    /// Sub-messages carried by one message. 16: server 0.15.1 sends two.
    pub sub_messages: u16,
    /// Events of one channel that wait for the caller before the channel stops taking input. 256: a few
    /// acknowledgement windows, so that a slow consumer slows the server instead of filling memory.
    pub queued_events: usize,
    /// Bytes of messages whose events wait for the caller, on one channel, before it stops taking input. 64 MiB: two
    /// screens of 4096×2048 uncompressed. One message may be longer.
    pub queued_bytes: usize,
    /// Bytes waiting to be sent on one channel before the caller's own commands are refused and no more input is
    /// wanted, so that a server cannot pile up answers that it never takes. 4 MiB: a server that is behind by
    /// hundreds of thousands of answers has stopped listening.
    pub queued_output: usize,
    /// Channels of one session. 64: a machine has one of each kind and a few USB slots and ports.
    pub channels: usize,
    /// Longest time from the first byte of a link to its result. 15 s: server 0.15.1 itself never gives up.
    pub handshake: Duration,
    /// Longest wait for another channel's message serial. 10 s, a third of what servers grant a silent client.
    pub wait_for_channels: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_len: 160 << 20,
            client_message_len: 1 << 20,
            link_len: 4096,
            sasl_blob_len: 1 << 20,
            sasl_packet_len: 100_000,
            pointers: 64,
            sub_messages: 16,
            queued_events: 256,
            queued_bytes: 64 << 20,
            queued_output: 4 << 20,
            channels: 64,
            handshake: Duration::from_secs(15),
            wait_for_channels: Duration::from_secs(10),
        }
    }
}
