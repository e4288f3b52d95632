//! The main channel: session parameters, channel list, mouse mode, agent transport, migration.

use crate::msg::{Protocol, text};
use crate::types::{ChannelId, ChannelType, LinkCode};
use crate::wire::{Blob, Counted, PtrBlob, Rest};

/// The main channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Main;

impl Protocol for Main {
    const CHANNEL: ChannelType = ChannelType::MAIN;
    type Server = ServerMessage;
    type Client = ClientMessage;
}

crate::messages! {
    /// What a server sends on the main channel.
    pub enum ServerMessage {
        /// Connect to another host beforehand.
        101 => MigrateBegin(DstInfo),
        /// The migration is off; drop the connections to the other host.
        102 => MigrateCancel,
        /// The parameters of the session; first message.
        103 => Init(Init),
        /// Which channels there are.
        104 => ChannelsList(ChannelsList),
        /// Which mouse modes there are.
        105 => MouseMode(MouseMode),
        /// The server's clock.
        106 => MultiMediaTime(MultiMediaTime),
        /// The guest's agent has come.
        107 => AgentConnected,
        /// The guest's agent has gone.
        108 => AgentDisconnected(AgentDisconnected),
        /// A piece of what the agent says.
        109 => AgentData(Rest),
        /// The client may send more pieces to the agent.
        110 => AgentToken(AgentTokens),
        /// Leave for another host at once, from the start.
        111 => MigrateSwitchHost(DstInfo),
        /// The guest runs on the other host now.
        112 => MigrateEnd,
        /// What the machine is called.
        113 => Name(Name),
        /// The machine's unique id.
        114 => Uuid(Uuid),
        /// The guest's agent has come, and so many pieces may be sent to it.
        115 => AgentConnectedTokens(AgentTokens),
        /// Connect to another host beforehand, where channels may continue as they are.
        116 => MigrateBeginSeamless(MigrateBeginSeamless),
        /// The other host can continue channels as they are.
        117 => MigrateDstSeamlessAck,
        /// The other host cannot continue channels as they are.
        118 => MigrateDstSeamlessNack,
    }
}

crate::messages! {
    /// What a client sends on the main channel.
    pub enum ClientMessage {
        /// The size of the client's cache. Server 0.15.1 ends the session over it: do not send.
        101 => ClientInfo(ClientInfo),
        /// The client is connected to the other host.
        102 => MigrateConnected,
        /// The client could not connect to the other host.
        103 => MigrateConnectError,
        /// Asks for the list of channels; once, after `Init`.
        104 => AttachChannels,
        /// Asks for a mouse mode.
        105 => MouseModeRequest(MouseModeRequest),
        /// The client will talk to the agent.
        106 => AgentStart(AgentTokens),
        /// A piece of what the client says to the agent, at most 2048 bytes; costs a token.
        107 => AgentData(Rest),
        /// The server may send more pieces from the agent.
        108 => AgentToken(AgentTokens),
        /// The client has changed over to this host.
        109 => MigrateEnd,
        /// Asks the other host whether it can continue channels as they are.
        110 => MigrateDstDoSeamless(MigrateDstDoSeamless),
        /// The client is connected to the other host, where channels may continue as they are.
        111 => MigrateConnectedSeamless,
        /// Reserved; server 0.15.1 closes the channel over it: do not send.
        112 => QualityIndicator(Rest),
    }
}

crate::flags! {
    /// Who places the pointer. Wire: `mouse_mode`, u16.
    pub struct MouseModes: u16 {
        /// The guest, by relative motion.
        SERVER = 1,
        /// The client, by absolute position.
        CLIENT = 2,
    }
}

crate::pod! {
    /// Mouse modes in the width that [`Init`] has for them. Wire: u32.
    pub struct WideMouseModes {
        /// The modes.
        pub modes: MouseModes,
        /// The upper 16 bits, which have no meaning.
        pub upper: u16,
    }
}

impl From<MouseModes> for WideMouseModes {
    fn from(modes: MouseModes) -> Self {
        Self { modes, upper: 0 }
    }
}

crate::pod! {
    /// The parameters of the session. Wire: server → client 103, `MainChannel.init`.
    pub struct Init {
        /// The session's id, which all other links of the session quote.
        pub session_id: u32,
        /// How many display channels to expect, at least 1; for sizing caches.
        pub display_channels_hint: u32,
        /// The mouse modes that may be asked for.
        pub supported_mouse_modes: WideMouseModes,
        /// The mouse mode in force.
        pub current_mouse_mode: WideMouseModes,
        /// Whether the guest's agent is there: 0 for no.
        pub agent_connected: u32,
        /// How many pieces may be sent to the agent.
        pub agent_tokens: u32,
        /// The session's multimedia time in milliseconds; wraps.
        pub multi_media_time: u32,
        /// Bytes of graphics memory of the machine; for sizing caches.
        pub ram_hint: u32,
    }
}

crate::wire! {
    /// Which channels there are, besides the main one. Later lists name channels that were added.
    ///
    /// Wire: server → client 104, `MainChannel.channels_list`.
    pub struct ChannelsList {
        /// The channels.
        pub channels: Counted<u32, ChannelId>,
    }
}

crate::pod! {
    /// Which mouse modes there are; sent whenever that changes. Wire: server → client 105,
    /// `MainChannel.mouse_mode`.
    pub struct MouseMode {
        /// The modes that may be asked for.
        pub supported_modes: MouseModes,
        /// The mode in force.
        pub current_mode: MouseModes,
    }
}

crate::pod! {
    /// The server's clock. Wire: server → client 106, `MainChannel.multi_media_time`.
    pub struct MultiMediaTime {
        /// The session's multimedia time in milliseconds; wraps.
        pub time: u32,
    }
}

crate::pod! {
    /// The guest's agent has gone. Wire: server → client 108, `MainChannel.agent_disconnected`.
    pub struct AgentDisconnected {
        /// Why; [`LinkCode::OK`] normally.
        pub error_code: LinkCode,
    }
}

crate::pod! {
    /// How many more pieces the receiver may send.
    ///
    /// Wire: server → client 110, `MainChannel.agent_token`; client → server 108, `MainChannel.agent_token`.
    /// As the whole allowance: server → client 115, `MainChannel.agent_connected_tokens`; client → server 106,
    /// `MainChannel.agent_start`.
    pub struct AgentTokens {
        /// Number of pieces.
        pub num_tokens: u32,
    }
}

crate::wire! {
    /// What the machine is called. Wire: server → client 113, `MainChannel.name`.
    pub struct Name {
        /// The name in UTF-8, with a NUL at the end that is counted.
        pub name: Blob<u32>,
    }
}

impl Name {
    /// The name without its NUL; `None` when it is not UTF-8.
    pub fn text(&self) -> Option<&str> {
        text(&self.name)
    }
}

crate::pod! {
    /// The machine's unique id. Wire: server → client 114, `MainChannel.uuid`.
    pub struct Uuid {
        /// The id in the order of its text form.
        pub uuid: [u8; 16],
    }
}

crate::wire! {
    /// The host that a session moves to.
    ///
    /// Wire: server → client 101, `MainChannel.migrate_begin`; server → client 111,
    /// `MainChannel.migrate_switch_host`.
    pub struct DstInfo {
        /// Its port without TLS; 0 or 0xffff for none.
        pub port: u16,
        /// Its port with TLS; 0 or 0xffff for none.
        pub sport: u16,
        /// Its name or address, with a NUL at the end that is counted.
        pub host: PtrBlob<u32>,
        /// The subject that its certificate must have, with a NUL at the end that is counted; empty for none.
        pub cert_subject: PtrBlob<u32>,
    }
}

impl DstInfo {
    /// The host's name or address without its NUL; `None` when it is not UTF-8.
    pub fn host_text(&self) -> Option<&str> {
        text(&self.host)
    }

    /// The certificate's subject without its NUL; `None` when it is not UTF-8.
    pub fn cert_subject_text(&self) -> Option<&str> {
        text(&self.cert_subject)
    }
}

crate::wire! {
    /// The host that a session moves to, where channels may continue as they are.
    ///
    /// Wire: server → client 116, `MainChannel.migrate_begin_seamless`.
    pub struct MigrateBeginSeamless {
        /// The host.
        pub dst_info: DstInfo,
        /// The version of the present host's migration data, for [`MigrateDstDoSeamless`].
        pub src_mig_version: u32,
    }
}

crate::pod! {
    /// The size of the client's cache. Server 0.15.1 ends the session over it: do not send.
    ///
    /// Wire: client → server 101, `MainChannel.client_info`.
    pub struct ClientInfo {
        /// Bytes of cache.
        pub cache_size: u64,
    }
}

crate::pod! {
    /// Asks for a mouse mode; there is no answer when it is in force already.
    ///
    /// Wire: client → server 105, `MainChannel.mouse_mode_request`.
    pub struct MouseModeRequest {
        /// The mode, one bit.
        pub mode: MouseModes,
    }
}

crate::pod! {
    /// Asks the other host whether it can continue channels as they are. Out of place it aborts server 0.15.1.
    ///
    /// Wire: client → server 110, `MainChannel.migrate_dst_do_seamless`.
    pub struct MigrateDstDoSeamless {
        /// The version that the present host gave.
        pub src_version: u32,
    }
}
