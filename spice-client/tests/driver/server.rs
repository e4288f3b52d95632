//! As much of a server as misbehaving takes: it links and then does as it is told.

use bytes::BytesMut;
use futures::channel::mpsc;
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use spice_client::spice_proto::caps::{Caps, CommonCaps, DisplayCaps};
use spice_client::spice_proto::frame::FrameWriter;
use spice_client::spice_proto::link::{HeaderKind, LinkReply, TICKET_LEN};
use spice_client::spice_proto::msg::{Message, display, main};
use spice_client::spice_proto::testing::ticket_key;
use spice_client::spice_proto::types::{ChannelId, ChannelType, LinkCode};
use spice_client::spice_proto::wire::Counted;
use spice_client::transport::memory::Pipe;

pub(crate) const DISPLAY: ChannelId = ChannelId::new(ChannelType::DISPLAY, 0);

/// The server's end of one channel.
pub(crate) struct Peer {
    pub(crate) pipe: Pipe,
    writer: FrameWriter,
}

impl Peer {
    /// Links the next connection, which must be for `channel`.
    pub(crate) async fn accept(
        accepted: &mut mpsc::UnboundedReceiver<(ChannelId, Pipe)>,
        channel: ChannelId,
    ) -> Self {
        let (asked, mut pipe) = accepted.next().await.expect("the client connects");
        assert_eq!(asked, channel);
        let mut header = [0; 16];
        pipe.read_exact(&mut header).await.expect("a link header");
        let size = u32::from_le_bytes(header[12..].try_into().expect("four bytes"));
        pipe.read_exact(&mut vec![0; size as usize]).await.expect("a link message");
        let mut reply = BytesMut::new();
        let common_caps = CommonCaps::AUTH_SELECTION | CommonCaps::AUTH_SPICE | CommonCaps::MINI_HEADER;
        // Reports on streams are the only optional thing that any test needs.
        let channel_caps = match channel {
            DISPLAY => DisplayCaps::STREAM_REPORT.into(),
            _ => Caps::new(),
        };
        let (error, pub_key) = (LinkCode::OK, ticket_key().pub_key());
        LinkReply { error, pub_key, common_caps: common_caps.into(), channel_caps }.encode(&mut reply);
        pipe.write_all(&reply).await.expect("room");
        pipe.read_exact(&mut [0; 4 + TICKET_LEN]).await.expect("a ticket");
        pipe.write_all(&[0; 4]).await.expect("room");
        Self { pipe, writer: FrameWriter::new(HeaderKind::Mini) }
    }

    /// A main channel that has sent `INIT` and a list with one display, and that display.
    pub(crate) async fn session(accepted: &mut mpsc::UnboundedReceiver<(ChannelId, Pipe)>) -> (Self, Self) {
        let mut main = Self::accept(accepted, ChannelId::MAIN).await;
        main.send(&main::ServerMessage::Init(main::Init { session_id: 7, ..Default::default() })).await;
        let channels = Counted::new([DISPLAY].into_iter().collect()).expect("a short list");
        main.send(&main::ServerMessage::ChannelsList(main::ChannelsList { channels })).await;
        let display = Self::accept(accepted, DISPLAY).await;
        (main, display)
    }

    /// Bytes of a message.
    pub(crate) fn encode<M: Message>(&mut self, message: &M) -> BytesMut {
        let mut bytes = BytesMut::new();
        self.writer.write(message, &mut bytes);
        bytes
    }

    pub(crate) async fn send<M: Message>(&mut self, message: &M) {
        let bytes = self.encode(message);
        self.pipe.write_all(&bytes).await.expect("the client is there");
    }

    /// A message of so many bytes that the client hands on.
    pub(crate) async fn send_long(&mut self, number: u8, len: usize) {
        let body = vec![number; len].into();
        self.send(&display::ServerMessage::Unknown { kind: 999, body }).await;
    }
}
