//! The server's side of a channel of any kind, once its link has been accepted.

use core::fmt;

use bytes::{Bytes, BytesMut};

use crate::error::ProtocolError;
use crate::frame::{FrameWriter, Splitter};
use crate::limits::Limits;
use crate::link::HeaderKind;
use crate::msg::base::{self, SetAck};
use crate::msg::{Message, Protocol};

/// What a client sent on a channel of kind `P`.
#[derive(Clone, Debug, PartialEq)]
pub enum FromClient<P: Protocol> {
    /// A message that every channel shares.
    Base(base::ClientMessage),
    /// A message of the channel's own kind.
    Own(P::Client),
}

/// The server's side of one channel: typed messages in and out, and the send window.
///
/// ```
/// use bytes::BytesMut;
/// use spice_proto::channel::Peer;
/// use spice_proto::link::HeaderKind;
/// use spice_proto::msg::{base, inputs};
/// use spice_proto::Limits;
/// let mut peer = Peer::<inputs::Inputs>::new(HeaderKind::Mini, &Limits::default());
/// peer.send(&inputs::ServerMessage::MouseMotionAck);
/// assert_eq!(peer.poll_transmit().unwrap()[..], [111, 0, 0, 0, 0, 0]);
/// ```
pub struct Peer<P: Protocol> {
    splitter: Splitter,
    writer: FrameWriter,
    pointers: u32,
    out: BytesMut,
    window: SendWindow,
    failed: Option<ProtocolError>,
    protocol: core::marker::PhantomData<fn() -> P>,
}

impl<P: Protocol> Peer<P> {
    /// A channel whose link has agreed on `header`.
    pub fn new(header: HeaderKind, limits: &Limits) -> Self {
        Self {
            splitter: Splitter::new(header, "client_message_len", limits.client_message_len),
            writer: FrameWriter::new(header),
            pointers: limits.pointers,
            out: BytesMut::new(),
            window: SendWindow::default(),
            failed: None,
            protocol: core::marker::PhantomData,
        }
    }

    /// Queues a message of the channel's own kind.
    pub fn send(&mut self, message: &P::Server) {
        self.write(message);
    }

    /// Queues a message that every channel shares.
    pub fn send_base(&mut self, message: &base::ServerMessage) {
        self.write(message);
    }

    /// Asks the client to acknowledge every `window` messages, and starts the send window anew.
    pub fn set_ack(&mut self, window: u32) {
        let generation = self.window.generation.wrapping_add(1);
        self.window = SendWindow { window, generation, synced: false, unacknowledged: 0 };
        self.write(&base::ServerMessage::SetAck(SetAck { generation, window }));
    }

    /// Takes the next message off the front of `input`; `None` while it is not all there.
    ///
    /// # Errors
    /// The first [`ProtocolError`] of the channel, now and on every later call: a malformed or too long message.
    pub fn next_message(&mut self, input: &mut BytesMut) -> Result<Option<FromClient<P>>, ProtocolError> {
        match self.failed {
            Some(error) => Err(error),
            None => self.read(input).inspect_err(|error| self.failed = Some(*error)),
        }
    }

    fn read(&mut self, input: &mut BytesMut) -> Result<Option<FromClient<P>>, ProtocolError> {
        let Some(frame) = self.splitter.split(input)? else { return Ok(None) };
        if frame.kind > BASE_END {
            return Ok(Some(FromClient::Own(P::Client::decode(frame.kind, &frame.body, self.pointers)?)));
        }
        let message = base::ClientMessage::decode(frame.kind, &frame.body, self.pointers)?;
        match &message {
            base::ClientMessage::AckSync(sync) => self.window.sync(sync.generation),
            base::ClientMessage::Ack => self.window.ack(),
            _ => {}
        }
        Ok(Some(FromClient::Base(message)))
    }

    fn write<M: Message>(&mut self, message: &M) {
        self.writer.write(message, &mut self.out);
        self.window.unacknowledged = self.window.unacknowledged.saturating_add(1);
    }

    /// Everything that is to be written to the transport, in order; `None` when there is nothing.
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        if self.out.is_empty() { None } else { Some(self.out.split().freeze()) }
    }

    /// Whether the client keeps up: at most two windows of messages are not acknowledged. Always true without
    /// [`set_ack`](Self::set_ack). Drawing should pause while this is false.
    pub fn may_send(&self) -> bool {
        self.window.window == 0 || self.window.unacknowledged <= self.window.window.saturating_mul(2)
    }

    /// Bytes that wait for [`poll_transmit`](Self::poll_transmit).
    pub fn queued_output(&self) -> usize {
        self.out.len()
    }

    /// The serial of the last message sent.
    pub fn serial(&self) -> u64 {
        self.writer.serial()
    }
}

impl<P: Protocol> fmt::Debug for Peer<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("channel", &P::CHANNEL)
            .field("serial", &self.serial())
            .field("window", &self.window)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// Messages sent that the client has not acknowledged.
#[derive(Clone, Debug, Default)]
struct SendWindow {
    window: u32,
    generation: u32,
    synced: bool,
    unacknowledged: u32,
}

impl SendWindow {
    fn sync(&mut self, generation: u32) {
        self.synced |= generation == self.generation;
    }

    fn ack(&mut self) {
        // Acknowledgements of an earlier generation count for nothing.
        if self.synced {
            self.unacknowledged = self.unacknowledged.saturating_sub(self.window);
        }
    }
}

/// Numbers up to this are the base messages'.
const BASE_END: u16 = 100;
