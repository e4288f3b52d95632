//! Messages 1 to 8, which every channel shares.

use crate::types::{ChannelId, LinkCode};
use crate::wire::{Blob, Counted, Rest};

crate::messages! {
    /// What a server sends on any channel.
    pub enum ServerMessage {
        /// The session moves to another host now.
        1 => Migrate(Migrate),
        /// State of this channel to carry to the other host, opaque to clients.
        2 => MigrateData(Rest),
        /// Acknowledge from now on.
        3 => SetAck(SetAck),
        /// Answer with `Pong`.
        4 => Ping(Ping),
        /// Process no more messages of this channel until others have caught up.
        5 => WaitForChannels(WaitForChannels),
        /// The server is about to close the channel.
        6 => Disconnecting(Disconnecting),
        /// A text for the user.
        7 => Notify(Notify),
        /// A carrier of sub-messages.
        8 => List(Rest),
    }
}

crate::messages! {
    /// What a client sends on any channel.
    pub enum ClientMessage {
        /// Counting for acknowledgement starts with the next message.
        1 => AckSync(AckSync),
        /// One more window of messages has been taken.
        2 => Ack,
        /// The answer to `Ping`.
        3 => Pong(Pong),
        /// Last message on the old host's connection.
        4 => MigrateFlushMark,
        /// The state from the old host, untouched.
        5 => MigrateData(Rest),
        /// The client is about to close the channel.
        6 => Disconnecting(Disconnecting),
    }
}

crate::flags! {
    /// What a client has to do before it changes hosts. Wire: `migrate_flags`, u32.
    pub struct MigrateFlags: u32 {
        /// Send `MigrateFlushMark` as the last message.
        NEED_FLUSH = 1,
        /// Carry the server's `MigrateData` over.
        NEED_DATA_TRANSFER = 2,
    }
}

crate::pod! {
    /// The session moves to another host now. Wire: server → client 1, `BaseChannel.migrate`.
    pub struct Migrate {
        /// What to do first.
        pub flags: MigrateFlags,
    }
}

crate::pod! {
    /// Acknowledge from now on. Wire: server → client 3, `BaseChannel.set_ack`.
    pub struct SetAck {
        /// Echoed in `AckSync`.
        pub generation: u32,
        /// Messages per acknowledgement, 0 for none.
        pub window: u32,
    }
}

crate::wire! {
    /// Asks for a `Pong`; measures latency and, with filler, the bit rate.
    ///
    /// Wire: server → client 4, `BaseChannel.ping`.
    pub struct Ping {
        /// Echoed in `Pong`.
        pub id: u32,
        /// The sender's own clock, echoed in `Pong`.
        pub timestamp: u64,
        /// Ballast that is not echoed.
        pub filler: Rest,
    }
}

crate::pod! {
    /// The progress of one channel. Wire: `WaitForChannel`, 10 bytes.
    pub struct WaitForChannel {
        /// The channel to wait for.
        pub channel: ChannelId,
        /// The serial of its message that must have been processed.
        pub message_serial: u64,
    }
}

crate::wire! {
    /// Process no more messages of this channel until all listed channels have caught up.
    ///
    /// Wire: server → client 5, `BaseChannel.wait_for_channels`.
    pub struct WaitForChannels {
        /// The channels and serials.
        pub wait_list: Counted<u8, WaitForChannel>,
    }
}

crate::pod! {
    /// A courtesy notice before a close.
    ///
    /// Wire: server → client 6 and client → server 6, `BaseChannel.disconnecting`.
    pub struct Disconnecting {
        /// The sender's own clock.
        pub time_stamp: u64,
        /// Why.
        pub reason: LinkCode,
    }
}

crate::codes! {
    /// How bad a notice is. Wire: `notify_severity`, u32.
    pub struct Severity: u32 {
        /// For information.
        INFO = 0,
        /// Something to look at.
        WARN = 1,
        /// Something failed.
        ERROR = 2,
    }
}

crate::codes! {
    /// How prominently to show a notice. Wire: `notify_visibility`, u32.
    pub struct Visibility: u32 {
        /// A log will do.
        LOW = 0,
        /// Somewhere in sight.
        MEDIUM = 1,
        /// Where it cannot be missed.
        HIGH = 2,
    }
}

crate::wire! {
    /// A text for the user. Wire: server → client 7, `BaseChannel.notify`.
    pub struct Notify {
        /// The sender's own clock.
        pub time_stamp: u64,
        /// How bad it is.
        pub severity: Severity,
        /// How prominently to show it.
        pub visibility: Visibility,
        /// A [`LinkCode`] for errors, otherwise 0.
        pub what: u32,
        /// The text, UTF-8 in practice. Server 0.15.1 appends a NUL that is not counted.
        pub message: Blob<u32>,
    }
}

crate::pod! {
    /// Counting for acknowledgement starts with the next message.
    ///
    /// Wire: client → server 1, `BaseChannel.ack_sync`.
    pub struct AckSync {
        /// The generation of `SetAck`.
        pub generation: u32,
    }
}

crate::pod! {
    /// The answer to `Ping`. Wire: client → server 3, `BaseChannel.pong`.
    pub struct Pong {
        /// The id of the ping.
        pub id: u32,
        /// The timestamp of the ping.
        pub timestamp: u64,
    }
}
