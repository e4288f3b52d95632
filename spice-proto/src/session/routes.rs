//! Which transport belongs to which channel, and the channels of all kinds behind one type.

use core::fmt;

use bytes::{Bytes, BytesMut};

use crate::channel::display::Display;
use crate::channel::inputs::Inputs;
use crate::channel::main::Main;
use crate::channel::relay::Relay;
use crate::channel::{Channel, ChannelEvent};
use crate::error::ProtocolError;
use crate::link::{LinkError, LinkRequest};
use crate::msg::base::WaitForChannel;
use crate::msg::{Protocol, audio, cursor, port, smartcard, vmc};
use crate::session::{Event, Security, SessionConfig, TransportId};
use crate::time::Instant;
use crate::types::{ChannelId, ChannelType};
use crate::wire::Array;

/// A channel with its transport and receive buffer.
pub(super) struct Route {
    pub(super) transport: TransportId,
    pub(super) id: ChannelId,
    pub(super) security: Security,
    pub(super) channel: AnyChannel,
    pub(super) input: BytesMut,
    /// The transport is gone; what has been received may still hold events.
    pub(super) ended: bool,
    /// Why the session closed the channel, if it did.
    pub(super) failed: Option<ProtocolError>,
    /// Whether the channel waits at a barrier, as of the last input or release: to be asked for every event.
    pub(super) held: bool,
    /// Whether the channel may have events.
    pub(super) told: bool,
}

impl Route {
    pub(super) fn new(transport: TransportId, id: ChannelId, security: Security) -> Self {
        let channel = AnyChannel::Connecting;
        Self {
            transport,
            id,
            security,
            channel,
            input: BytesMut::new(),
            ended: false,
            failed: None,
            held: false,
            told: false,
        }
    }
}

impl fmt::Debug for Route {
    /// Without what has been received: clipboards and passwords pass through here.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route")
            .field("transport", &self.transport)
            .field("id", &self.id)
            .field("security", &self.security)
            .field("open", &self.channel.is_open())
            .field("input", &self.input.len())
            .field("ended", &self.ended)
            .field("failed", &self.failed)
            .finish()
    }
}

/// A kind of channel that a session relays without a state of its own.
pub trait Relayed: Protocol + Sized {
    /// The channel, if it is of this kind.
    #[doc(hidden)]
    fn of(channel: &mut AnyChannel) -> Option<&mut Channel<Relay<Self>>>;
}

macro_rules! kinds {
    ($( $variant:ident($logic:ty) = $kind:ident, $new:expr, $event:expr; )*) => {
        /// A channel of any kind.
        #[derive(Debug)]
        #[allow(clippy::large_enum_variant)]
        #[doc(hidden)]
        pub enum AnyChannel {
            /// The transport is not there yet.
            Connecting,
            $( #[allow(missing_docs)] $variant(Channel<$logic>), )*
        }

        macro_rules! each {
            ($on:expr, $channel:ident => $run:expr, else $otherwise:expr) => {
                match $on {
                    AnyChannel::Connecting => $otherwise,
                    $( AnyChannel::$variant($channel) => $run, )*
                }
            };
        }

        impl AnyChannel {
            /// Starts the link stage of the channel that `request` names.
            pub(super) fn connect(request: LinkRequest, config: &SessionConfig, now: Instant) -> Self {
                match request.channel.kind {
                    $( ChannelType::$kind => {
                        let logic: $logic = $new(config);
                        Self::$variant(Channel::connect(request, logic, &config.limits, now))
                    } )*
                    _ => Self::Connecting,
                }
            }

            /// Whether there is a logic for channels of this kind.
            pub(super) fn is_known(kind: ChannelType) -> bool {
                matches!(kind, $( ChannelType::$kind )|*)
            }

            /// The next event as the application gets it, and the length of its message. The inner one is `None` for what
            /// concerns only the session.
            pub(super) fn poll_event(&mut self, id: ChannelId) -> Option<(Option<Event>, usize)> {
                match self {
                    Self::Connecting => None,
                    $( Self::$variant(channel) => {
                        channel.poll_sized().map(|(event, len)| (outward(id, event, $event), len))
                    } )*
                }
            }
        }
    };
}

/// The application's event for a channel's event, with `own` for one of the channel's own kind.
#[inline]
fn outward<E>(
    id: ChannelId,
    event: ChannelEvent<E>,
    own: impl FnOnce(ChannelId, E) -> Event,
) -> Option<Event> {
    Some(match event {
        ChannelEvent::Own(message) => own(id, message),
        ChannelEvent::Opened => Event::ChannelOpened(id),
        ChannelEvent::Notify(notify) => Event::Notice(id, notify),
        ChannelEvent::Migrate(migrate) => Event::Migrate(id, migrate),
        // Kept for the state machine of migration; without it there is nowhere to carry the data to.
        ChannelEvent::MigrateData(_) => return None,
    })
}

kinds! {
    Main(Main) = MAIN, |config: &SessionConfig| Main::new(config.mouse_mode), |_, message| Event::Main(message);
    Display(Display) = DISPLAY, |config: &SessionConfig| Display::new(config.display.clone()),
        |id: ChannelId, message| Event::Display(id.id, message);
    Inputs(Inputs) = INPUTS, |_| Inputs::default(), |_, message| Event::Inputs(message);
    Cursor(Relay<cursor::Cursor>) = CURSOR, |_| Relay::default(),
        |id: ChannelId, message| Event::Cursor(id.id, message);
    Playback(Relay<audio::playback::Playback>) = PLAYBACK, |_| Relay::default(),
        |id: ChannelId, message| Event::Playback(id.id, message);
    Record(Relay<audio::record::Record>) = RECORD, |_| Relay::default(),
        |id: ChannelId, message| Event::Record(id.id, message);
    Smartcard(Relay<smartcard::Smartcard>) = SMARTCARD, |_| Relay::default(),
        |id: ChannelId, message| Event::Smartcard(id.id, message);
    Usbredir(Relay<vmc::UsbRedir>) = USBREDIR, |_| Relay::default(),
        |id: ChannelId, message| Event::Usbredir(id.id, message);
    Port(Relay<port::Port>) = PORT, |_| Relay::default(),
        |id: ChannelId, message| Event::Port(id.id, message);
    Webdav(Relay<port::Webdav>) = WEBDAV, |_| Relay::default(),
        |id: ChannelId, message| Event::Webdav(id.id, message);
}

macro_rules! relayed {
    ($( $protocol:ty => $variant:ident, )*) => {$(
        impl Relayed for $protocol {
            fn of(channel: &mut AnyChannel) -> Option<&mut Channel<Relay<Self>>> {
                match channel {
                    AnyChannel::$variant(channel) => Some(channel),
                    _ => None,
                }
            }
        }
    )*};
}

relayed! {
    cursor::Cursor => Cursor,
    audio::playback::Playback => Playback,
    audio::record::Record => Record,
    smartcard::Smartcard => Smartcard,
    vmc::UsbRedir => Usbredir,
    port::Port => Port,
    port::Webdav => Webdav,
}

impl AnyChannel {
    pub(super) fn handle_input(&mut self, now: Instant, input: &mut BytesMut) -> Result<(), ProtocolError> {
        each!(self, channel => channel.handle_input(now, input), else Ok(()))
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Result<(), ProtocolError> {
        each!(self, channel => channel.handle_timeout(now), else Ok(()))
    }

    pub(super) fn handle_close(&mut self) -> Result<(), LinkError> {
        each!(self, channel => channel.handle_close(), else Err(LinkError::NotConnected))
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Bytes> {
        each!(self, channel => channel.poll_transmit(), else None)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        each!(self, channel => channel.poll_timeout(), else None)
    }

    pub(super) fn wants_input(&self) -> bool {
        each!(self, channel => channel.wants_input(), else false)
    }

    pub(super) fn has_events(&self) -> bool {
        each!(self, channel => channel.has_events(), else false)
    }

    pub(super) fn processed(&self) -> u64 {
        each!(self, channel => channel.processed(), else 0)
    }

    pub(super) fn barrier(&self) -> Option<&Array<WaitForChannel>> {
        each!(self, channel => channel.barrier(), else None)
    }

    pub(super) fn is_behind(&self) -> bool {
        each!(self, channel => channel.is_behind(), else false)
    }

    pub(super) fn release(&mut self) {
        each!(self, channel => channel.release(), else ());
    }

    pub(super) fn postpone(&mut self, now: Instant) {
        each!(self, channel => channel.postpone(now), else ());
    }

    pub(super) fn set_backlog(&mut self, bytes: usize) {
        each!(self, channel => channel.set_backlog(bytes), else ());
    }

    pub(super) fn is_linking(&self) -> bool {
        each!(self, channel => channel.is_linking(), else false)
    }

    /// Whether the server's drawing thread may still be at the start of serving the channel.
    pub(super) fn is_being_taken_in(&self) -> bool {
        match self {
            Self::Display(channel) => !channel.has_received(),
            Self::Cursor(channel) => !channel.has_received(),
            _ => false,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        each!(self, channel => channel.is_open(), else false)
    }
}
