//! The playback and record channels: sound from and to the guest.

use crate::wire::{Counted, Rest};

/// Sound from the guest.
pub mod playback {
    use super::{Data, Latency, Mode, Mute, Start, Volume};
    use crate::msg::{NoMessage, Protocol};
    use crate::types::ChannelType;

    /// The playback channel. Its clients send none but the shared messages.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Playback;

    impl Protocol for Playback {
        const CHANNEL: ChannelType = ChannelType::PLAYBACK;
        type Server = ServerMessage;
        type Client = ClientMessage;
    }

    /// What a client sends besides the shared messages: nothing.
    pub type ClientMessage = NoMessage;

    crate::messages! {
        /// What a server sends on the playback channel.
        pub enum ServerMessage {
            /// A packet of sound.
            101 => Data(Data),
            /// How packets are coded from now on.
            102 => Mode(Mode),
            /// Sound begins.
            103 => Start(Start),
            /// Sound ends.
            104 => Stop,
            /// The guest's mixer.
            105 => Volume(Volume),
            /// The guest's mute switch.
            106 => Mute(Mute),
            /// How much sound to buffer at least.
            107 => Latency(Latency),
        }
    }
}

/// Sound to the guest.
pub mod record {
    use super::{Data, Mode, Mute, RecordStart, StartMark, Volume};
    use crate::msg::Protocol;
    use crate::types::ChannelType;

    /// The record channel.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Record;

    impl Protocol for Record {
        const CHANNEL: ChannelType = ChannelType::RECORD;
        type Server = ServerMessage;
        type Client = ClientMessage;
    }

    crate::messages! {
        /// What a server sends on the record channel.
        pub enum ServerMessage {
            /// The guest listens from now on.
            101 => Start(RecordStart),
            /// The guest listens no more.
            102 => Stop,
            /// The guest's mixer.
            103 => Volume(Volume),
            /// The guest's mute switch.
            104 => Mute(Mute),
        }
    }

    crate::messages! {
        /// What a client sends on the record channel, after the server's `Start` and until its `Stop`.
        pub enum ClientMessage {
            /// A packet of sound.
            101 => Data(Data),
            /// How packets are coded from now on.
            102 => Mode(Mode),
            /// Sound begins.
            103 => StartMark(StartMark),
        }
    }
}

crate::codes! {
    /// How packets of sound are coded. Wire: `audio_data_mode`, u16.
    pub struct AudioDataMode: u16 {
        /// Samples as they are.
        RAW = 1,
        /// CELT 0.5.1, obsolete.
        CELT_0_5_1 = 2,
        /// One Opus packet per message.
        OPUS = 3,
    }
}

crate::codes! {
    /// How samples stand in memory. Wire: `audio_fmt`, u16.
    pub struct AudioFormat: u16 {
        /// Signed 16 bits, little-endian, channels in turn.
        S16 = 1,
    }
}

crate::wire! {
    /// A packet of sound.
    ///
    /// Wire: server → client 101, `PlaybackChannel.data`; client → server 101, `RecordChannel.data`.
    pub struct Data {
        /// When to play it, in milliseconds of the session's multimedia time; packets may share a time.
        pub time: u32,
        /// The sound as the mode says.
        pub data: Rest,
    }
}

crate::wire! {
    /// How packets are coded from now on.
    ///
    /// Wire: server → client 102, `PlaybackChannel.mode`; client → server 102, `RecordChannel.mode`.
    pub struct Mode {
        /// The session's multimedia time in milliseconds.
        pub time: u32,
        /// The coding.
        pub mode: AudioDataMode,
        /// The codec's own settings; empty for all known codings.
        pub data: Rest,
    }
}

crate::pod! {
    /// Sound begins. Wire: server → client 103, `PlaybackChannel.start`.
    pub struct Start {
        /// Number of channels, 2 in practice.
        pub channels: u32,
        /// How decoded samples stand in memory.
        pub format: AudioFormat,
        /// Samples per second and channel.
        pub frequency: u32,
        /// The session's multimedia time in milliseconds.
        pub time: u32,
    }
}

crate::pod! {
    /// The guest listens from now on. Wire: server → client 101, `RecordChannel.start`.
    pub struct RecordStart {
        /// Number of channels, 2 in practice.
        pub channels: u32,
        /// How decoded samples stand in memory.
        pub format: AudioFormat,
        /// Samples per second and channel.
        pub frequency: u32,
    }
}

crate::wire! {
    /// The guest's mixer.
    ///
    /// Wire: server → client 105, `PlaybackChannel.volume`; server → client 103, `RecordChannel.volume`.
    pub struct Volume {
        /// The volume of each channel, linear from 0 to 65535.
        pub volume: Counted<u8, u16>,
    }
}

crate::pod! {
    /// The guest's mute switch.
    ///
    /// Wire: server → client 106, `PlaybackChannel.mute`; server → client 104, `RecordChannel.mute`.
    pub struct Mute {
        /// Whether sound is off: 0 for no.
        pub mute: u8,
    }
}

crate::pod! {
    /// How much sound to buffer at least, so that video has time. Wire: server → client 107,
    /// `PlaybackChannel.latency`.
    pub struct Latency {
        /// Milliseconds.
        pub latency_ms: u32,
    }
}

crate::pod! {
    /// Recorded sound begins. Wire: client → server 103, `RecordChannel.start_mark`.
    pub struct StartMark {
        /// The session's multimedia time in milliseconds.
        pub time: u32,
    }
}
