//! Server sides of channels of all kinds behind one type.

use bytes::{Bytes, BytesMut};

use crate::channel::Peer;
use crate::channel::peer::FromClient;
use crate::error::ProtocolError;
use crate::limits::Limits;
use crate::link::HeaderKind;
use crate::msg::{Message, Protocol, audio, base, cursor, display, inputs, main, port, smartcard, vmc};
use crate::types::ChannelType;

/// A kind of channel that the server can serve.
pub trait Served: Protocol + Sized {
    /// The channel, if it is of this kind.
    #[doc(hidden)]
    fn of(peer: &mut AnyPeer) -> Option<&mut Peer<Self>>;
}

macro_rules! kinds {
    ($( $(#[$meta:meta])* $variant:ident($protocol:ty) = $kind:ident; )*) => {
        /// The server's side of a channel of any kind.
        #[derive(Debug)]
        #[doc(hidden)]
        pub enum AnyPeer {
            $( #[allow(missing_docs)] $variant(Peer<$protocol>), )*
        }

        /// What a client sent, on a channel of any kind.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(clippy::large_enum_variant)]
        #[non_exhaustive]
        pub enum Received {
            /// A message that every channel shares.
            Base(base::ClientMessage),
            $( $(#[$meta])* $variant(<$protocol as Protocol>::Client), )*
        }

        impl Received {
            /// The message's name, such as `KeyDown`; `Unknown` for a number that the protocol does not list.
            pub fn name(&self) -> &'static str {
                match self {
                    Self::Base(message) => message.name(),
                    $( Self::$variant(message) => message.name(), )*
                }
            }
        }

        macro_rules! each {
            ($on:expr, $peer:ident => $run:expr) => {
                match $on {
                    $( AnyPeer::$variant($peer) => $run, )*
                }
            };
        }

        impl AnyPeer {
            /// A channel of the given kind whose link has agreed on `header`; `None` for a kind that has none.
            pub(super) fn new(kind: ChannelType, header: HeaderKind, limits: &Limits) -> Option<Self> {
                match kind {
                    $( ChannelType::$kind => Some(Self::$variant(Peer::new(header, limits))), )*
                    _ => None,
                }
            }

            /// Takes the next message off the front of `input`.
            pub(super) fn next_message(
                &mut self,
                input: &mut BytesMut,
            ) -> Result<Option<Received>, ProtocolError> {
                match self {
                    $( Self::$variant(peer) => Ok(peer.next_message(input)?.map(|message| match message {
                        FromClient::Base(message) => Received::Base(message),
                        FromClient::Own(message) => Received::$variant(message),
                    })), )*
                }
            }
        }

        $(
            impl Served for $protocol {
                fn of(peer: &mut AnyPeer) -> Option<&mut Peer<Self>> {
                    match peer {
                        AnyPeer::$variant(peer) => Some(peer),
                        _ => None,
                    }
                }
            }
        )*
    };
}

kinds! {
    /// On the main channel.
    Main(main::Main) = MAIN;
    /// On a display channel.
    Display(display::Display) = DISPLAY;
    /// On the inputs channel.
    Inputs(inputs::Inputs) = INPUTS;
    /// On a cursor channel.
    Cursor(cursor::Cursor) = CURSOR;
    /// On a playback channel.
    Playback(audio::playback::Playback) = PLAYBACK;
    /// On a record channel.
    Record(audio::record::Record) = RECORD;
    /// On a smartcard channel.
    Smartcard(smartcard::Smartcard) = SMARTCARD;
    /// On a USB redirection channel.
    Usbredir(vmc::UsbRedir) = USBREDIR;
    /// On a port channel.
    Port(port::Port) = PORT;
    /// On the shared folder's channel.
    Webdav(port::Webdav) = WEBDAV;
}

impl AnyPeer {
    pub(super) fn send_base(&mut self, message: &base::ServerMessage) {
        each!(self, peer => peer.send_base(message));
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Bytes> {
        each!(self, peer => peer.poll_transmit())
    }

    pub(super) fn queued_output(&self) -> usize {
        each!(self, peer => peer.queued_output())
    }
}
