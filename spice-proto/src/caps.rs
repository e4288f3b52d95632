//! What each side of a link can do: bit sets, common to all channels and per kind of channel.
//!
//! On the wire, capability `n` is bit `n % 32` of word `n / 32`, and absent words count as zero. [`Caps`] keeps all
//! words of a peer, named or not; the typed sets name the bits of word 0, where all defined capabilities are.
//! A feature may be used when the side that must understand it has announced it.
//!
//! ```
//! use spice_proto::caps::{Caps, DisplayCaps};
//! let caps = Caps::from(DisplayCaps::SIZED_STREAM | DisplayCaps::MONITORS_CONFIG);
//! assert!(caps.contains(1));
//! assert!(DisplayCaps::from(&caps).contains(DisplayCaps::MONITORS_CONFIG));
//! ```

use alloc::vec::Vec;
use core::fmt;

/// All capability words that one side announced for one purpose, unknown bits included.
///
/// Words of zeros at the end mean the same as no words and are not kept, so that equal sets compare equal.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Caps {
    // INVARIANT: the last word is not zero; at most MAX_WORDS words.
    words: Vec<u32>,
}

impl Caps {
    /// Most words of one set that either side may send, the bound of server 0.15.1.
    pub const MAX_WORDS: usize = 1024;

    /// No capability; no words on the wire.
    pub const fn new() -> Self {
        Self { words: Vec::new() }
    }

    /// The set with the given words, word 0 first. Words beyond [`MAX_WORDS`](Self::MAX_WORDS) are dropped.
    pub fn from_words(words: impl IntoIterator<Item = u32>) -> Self {
        let mut words: Vec<u32> = words.into_iter().take(Self::MAX_WORDS).collect();
        let used = words.iter().rposition(|&word| word != 0).map_or(0, |last| last + 1);
        words.truncate(used);
        Self { words }
    }

    /// The words as they stand on the wire.
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// The word with the given number, zero when it is absent.
    pub fn word(&self, index: usize) -> u32 {
        self.words.get(index).copied().unwrap_or(0)
    }

    /// Whether the capability with the given number is announced.
    pub fn contains(&self, number: u16) -> bool {
        self.word(usize::from(number / 32)) & (1 << (number % 32)) != 0
    }

    /// Whether no capability is announced.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

impl fmt::Debug for Caps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caps({:02x?})", self.words.as_slice())
    }
}

/// Declares typed sets over word 0 and their conversions from and to [`Caps`].
macro_rules! caps {
    ($( $(#[$meta:meta])* $name:ident { $( $(#[$($vmeta:tt)*])* $flag:ident = $number:literal ),* $(,)? } )*) => {$(
        crate::flags! {
            $(#[$meta])*
            pub struct $name: u32 {
                $( $(#[$($vmeta)*])* $flag = 1 << $number, )*
            }
        }

        impl From<$name> for Caps {
            fn from(flags: $name) -> Self {
                Self::from_words([flags.bits()])
            }
        }

        impl From<&Caps> for $name {
            fn from(caps: &Caps) -> Self {
                Self::from_bits_retain(caps.word(0))
            }
        }
    )*};
}

caps! {
    /// What concerns the link itself, on every channel. Wire: common capability word 0.
    CommonCaps {
        /// A word that selects the authentication mechanism is exchanged.
        AUTH_SELECTION = 0,
        /// Authentication by ticket, an encrypted password.
        AUTH_SPICE = 1,
        /// Authentication by SASL.
        AUTH_SASL = 2,
        /// Data messages have headers of 6 bytes, if both sides announce this.
        MINI_HEADER = 3,
    }

    /// Main channel. Wire: channel capability word 0.
    MainCaps {
        /// The client can connect to a migration target ahead of the switch.
        SEMI_SEAMLESS_MIGRATE = 0,
        /// The client wants the machine's name and UUID.
        NAME_AND_UUID = 1,
        /// The client understands `agent_connected_tokens`; otherwise it gets `agent_connected`.
        AGENT_CONNECTED_TOKENS = 2,
        /// Migration that carries the channels' state over.
        SEAMLESS_MIGRATE = 3,
    }

    /// Display channels. Wire: channel capability word 0.
    DisplayCaps {
        /// The client takes stream frames that carry their own size.
        SIZED_STREAM = 0,
        /// The client takes `monitors_config`.
        MONITORS_CONFIG = 1,
        /// The client takes `draw_composite`.
        COMPOSITE = 2,
        /// The client takes surfaces and images of 8-bit alpha.
        A8_SURFACE = 3,
        /// The client can report on streams; the server accepts reports.
        STREAM_REPORT = 4,
        /// The client decodes LZ4 images.
        LZ4_COMPRESSION = 5,
        /// The server accepts `preferred_compression`.
        PREF_COMPRESSION = 6,
        /// The client takes scan-outs by file descriptor, on unix sockets.
        GL_SCANOUT = 7,
        /// The client's `CODEC_*` bits are meaningful; without this one streams are MJPEG.
        MULTI_CODEC = 8,
        /// The client decodes MJPEG.
        CODEC_MJPEG = 9,
        /// The client decodes VP8.
        CODEC_VP8 = 10,
        /// The client decodes H.264.
        CODEC_H264 = 11,
        /// The server accepts `preferred_video_codec_type`.
        PREF_VIDEO_CODEC_TYPE = 12,
        /// The client decodes VP9.
        CODEC_VP9 = 13,
        /// The client decodes H.265.
        CODEC_H265 = 14,
    }

    /// Inputs channel. Wire: channel capability word 0.
    InputsCaps {
        /// The server accepts `key_scancode`.
        KEY_SCANCODE = 0,
    }

    /// Cursor channels; no bit is defined. Wire: channel capability word 0.
    CursorCaps {}

    /// Playback channel. Wire: channel capability word 0.
    PlaybackCaps {
        /// CELT 0.5.1, no longer in use.
        CELT_0_5_1 = 0,
        /// The client takes `volume` and `mute`.
        VOLUME = 1,
        /// The client takes `latency`.
        LATENCY = 2,
        /// Opus.
        OPUS = 3,
    }

    /// Record channel. Wire: channel capability word 0.
    RecordCaps {
        /// CELT 0.5.1, no longer in use.
        CELT_0_5_1 = 0,
        /// The client takes `volume` and `mute`.
        VOLUME = 1,
        /// Opus; not the number that it has on the playback channel.
        OPUS = 2,
    }

    /// USB redirection, port and webdav channels. Wire: channel capability word 0.
    VmcCaps {
        /// Data compressed by LZ4 is accepted.
        DATA_COMPRESS_LZ4 = 0,
    }

    /// Smart card channel; no bit is defined. Wire: channel capability word 0.
    SmartcardCaps {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_stand_in_words_of_32() {
        let caps = Caps::from_words([0, 1 << 3]);
        assert!(caps.contains(35) && !caps.contains(3) && !caps.contains(u16::MAX));
    }

    #[test]
    fn words_of_zeros_at_the_end_mean_nothing() {
        assert_eq!(Caps::from_words([5, 0, 0]), Caps::from_words([5]));
        assert!(Caps::from(CursorCaps::empty()).words().is_empty());
    }

    #[test]
    fn unknown_bits_pass_through() {
        let caps = Caps::from_words([0x8000_0002, 7]);
        let display = DisplayCaps::from(&caps);
        assert!(display.contains(DisplayCaps::MONITORS_CONFIG));
        assert_eq!(display.bits(), 0x8000_0002);
        assert_eq!(caps.words(), [0x8000_0002, 7]);
    }

    #[test]
    fn words_of_server_0_15_1() {
        let display = DisplayCaps::MONITORS_CONFIG
            | DisplayCaps::STREAM_REPORT
            | DisplayCaps::PREF_COMPRESSION
            | DisplayCaps::PREF_VIDEO_CODEC_TYPE;
        assert_eq!(display.bits(), 0x1052);
        assert_eq!((PlaybackCaps::VOLUME | PlaybackCaps::OPUS).bits(), 0xA);
        assert_eq!((RecordCaps::VOLUME | RecordCaps::OPUS).bits(), 0x6);
    }

    #[test]
    fn the_number_of_words_is_bounded() {
        assert_eq!(Caps::from_words(core::iter::repeat(1)).words().len(), Caps::MAX_WORDS);
    }
}
