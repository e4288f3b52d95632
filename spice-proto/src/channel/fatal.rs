//! Messages that end the process of server 0.15.1, and with it the machine that it shows.

use crate::types::ChannelType;

/// Keeps such messages from being sent.
#[derive(Debug, Default)]
pub(super) struct Fatal {
    /// A display channel has been initialised.
    initialised: bool,
    /// Why the last message was refused, until somebody asks.
    pub(super) refused: Option<&'static str>,
}

impl Fatal {
    /// Whether the message numbered `kind` may be sent now on a channel of the kind `channel`.
    pub(super) fn allows(&mut self, channel: ChannelType, kind: u16) -> bool {
        let refused = match (channel, kind) {
            (_, FLUSH_MARK) => Some("FLUSH_MARK outside of a migration ends the server's process"),
            (ChannelType::MAIN, DST_DO_SEAMLESS) => {
                Some("DST_DO_SEAMLESS outside of a migration ends the server's process")
            }
            (ChannelType::DISPLAY, INIT) if self.initialised => {
                Some("a second INIT of a display channel ends the server's process")
            }
            _ => None,
        };
        self.initialised |= (channel, kind) == (ChannelType::DISPLAY, INIT);
        self.refused = refused.or(self.refused);
        refused.is_none()
    }
}

/// Number of the clients' `MigrateFlushMark` of any channel.
const FLUSH_MARK: u16 = 4;
/// Number of the main channel's `MigrateDstDoSeamless`.
const DST_DO_SEAMLESS: u16 = 110;
/// Number of the display channels' `Init`.
const INIT: u16 = 101;
