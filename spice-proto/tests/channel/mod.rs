//! One channel, fed by hand.

mod allocations;
mod commands;
mod lists;

use bytes::{Bytes, BytesMut};
use spice_proto::caps::{Caps, CommonCaps};
use spice_proto::channel::{Channel, ChannelEvent, Logic};
use spice_proto::link::{Auth, Entropy, HeaderKind, LinkReply, LinkRequest, Password};
use spice_proto::msg::Message;
use spice_proto::testing::ticket_key;
use spice_proto::types::{ChannelId, ChannelType, LinkCode};
use spice_proto::{Instant, Limits, ProtocolError};

/// A client's channel whose server is the test.
struct Fed<L: Logic> {
    channel: Channel<L>,
    header: HeaderKind,
    input: BytesMut,
    serial: u64,
}

impl<L: Logic> Fed<L> {
    /// A channel that has just been linked, with nothing left to send or to tell.
    fn linked(kind: ChannelType, logic: L, header: HeaderKind, server: impl Into<Caps>) -> Self {
        let request = LinkRequest {
            channel: ChannelId::new(kind, 0),
            connection_id: 7,
            common_caps: CommonCaps::MINI_HEADER,
            channel_caps: Caps::new(),
            auth: Auth::Ticket { password: Password::empty(), entropy: Entropy::new([3; 32]) },
            tls: false,
        };
        let common_caps = CommonCaps::AUTH_SELECTION
            | CommonCaps::AUTH_SPICE
            | match header {
                HeaderKind::Mini => CommonCaps::MINI_HEADER,
                HeaderKind::Full => CommonCaps::empty(),
            };
        let reply = LinkReply {
            error: LinkCode::OK,
            pub_key: ticket_key().pub_key(),
            common_caps: common_caps.into(),
            channel_caps: server.into(),
        };
        let channel = Channel::connect(request, logic, &Limits::default(), Instant::ZERO);
        let mut fed = Self { channel, header, input: BytesMut::new(), serial: 0 };
        reply.encode(&mut fed.input);
        fed.input.extend_from_slice(&[0; 4]);
        fed.handle().expect("the link succeeds");
        assert!(fed.channel.is_open());
        while fed.channel.poll_transmit().is_some() {}
        while fed.channel.poll_event().is_some() {}
        fed
    }

    /// Writes a frame; the sub-message list counts with full headers alone.
    fn frame(&mut self, kind: u16, body: &[u8], sub_list: u32) {
        self.serial += 1;
        if self.header == HeaderKind::Full {
            self.input.extend_from_slice(&self.serial.to_le_bytes());
        }
        self.input.extend_from_slice(&kind.to_le_bytes());
        self.input.extend_from_slice(&(body.len() as u32).to_le_bytes());
        if self.header == HeaderKind::Full {
            self.input.extend_from_slice(&sub_list.to_le_bytes());
        }
        self.input.extend_from_slice(body);
    }

    fn handle(&mut self) -> Result<(), ProtocolError> {
        self.channel.handle_input(Instant::ZERO, &mut self.input)
    }

    /// The events of the channel's own kind.
    fn events(&mut self) -> Vec<L::Event> {
        let all = std::iter::from_fn(|| self.channel.poll_event());
        let own = all.filter_map(|event| match event {
            ChannelEvent::Own(event) => Some(event),
            _ => None,
        });
        own.collect()
    }
}

fn body<M: Message>(message: &M) -> Bytes {
    let mut body = BytesMut::new();
    message.encode_body(&mut body);
    body.freeze()
}

/// A list of sub-messages at `at` in a body that has been filled so far; `size` says what size each one announces.
fn sub_list(carrier: &mut BytesMut, subs: &[(u16, Bytes)], size: impl Fn(&Bytes) -> u32) -> u32 {
    let at = carrier.len() as u32;
    carrier.extend_from_slice(&(subs.len() as u16).to_le_bytes());
    let mut offset = at + 2 + 4 * subs.len() as u32;
    for (_, body) in subs {
        carrier.extend_from_slice(&offset.to_le_bytes());
        offset += 6 + body.len() as u32;
    }
    for (kind, body) in subs {
        carrier.extend_from_slice(&kind.to_le_bytes());
        carrier.extend_from_slice(&size(body).to_le_bytes());
        carrier.extend_from_slice(body);
    }
    at
}
