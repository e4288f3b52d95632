//! Credit for chunks between client and server, in both directions.
//!
//! Each chunk costs one token whatever its length. Sending one without a token makes servers close the main channel;
//! a side that grants no more tokens makes the other wait.

use crate::error::AgentError;

/// Chunks that may still be sent to the agent.
///
/// ```
/// use spice_agent_proto::tokens::SendCredit;
/// let mut credit = SendCredit::default();
/// credit.replace(1);
/// assert!(credit.spend());
/// assert!(!credit.spend());
/// credit.add(5);
/// assert_eq!(credit.left(), 5);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendCredit {
    left: u32,
}

impl SendCredit {
    /// Sets the count, as `Init` and `AgentConnectedTokens` of the main channel do.
    pub fn replace(&mut self, tokens: u32) {
        self.left = tokens;
    }

    /// Adds to the count, as `AgentToken` does. Stays at the largest number when it would overflow.
    pub fn add(&mut self, tokens: u32) {
        self.left = self.left.saturating_add(tokens);
    }

    /// Takes a token for a chunk; whether there was one.
    #[must_use]
    pub fn spend(&mut self) -> bool {
        let left = self.left.checked_sub(1);
        self.left = left.unwrap_or(0);
        left.is_some()
    }

    /// Tokens that are left.
    pub fn left(&self) -> u32 {
        self.left
    }
}

/// Chunks that the agent may still send, and those that it may be granted again.
///
/// ```
/// use spice_agent_proto::tokens::ReceiveCredit;
/// let mut credit = ReceiveCredit::new(4);
/// assert_eq!(credit.start(0), 4);
/// credit.receive().unwrap();
/// credit.done();
/// assert_eq!(credit.grant(), None); // returned in lots
/// credit.receive().unwrap();
/// credit.done();
/// assert_eq!(credit.grant(), Some(2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiveCredit {
    window: u32,
    left: u32,
    owed: u32,
    /// Chunks from before the last start that have not been dealt with.
    unread: usize,
}

impl ReceiveCredit {
    /// The number that says that there is no flow control.
    pub const UNLIMITED: u32 = u32::MAX;

    /// Credit for `window` chunks at a time, or [`UNLIMITED`](Self::UNLIMITED). At least 1.
    pub fn new(window: u32) -> Self {
        Self { window: window.max(1), left: 0, owed: 0, unread: 0 }
    }

    /// Begins anew with the whole window, for `AgentStart`. What was granted before may still be under way; `unread`
    /// chunks that have arrived but not been dealt with belong to that too.
    pub fn start(&mut self, unread: usize) -> u32 {
        self.unread = unread;
        self.left = self.left.min(self.window).saturating_add(self.window);
        self.owed = 0;
        self.window
    }

    /// Counts a chunk that has arrived.
    ///
    /// # Errors
    /// [`AgentError::Broken`] when the server sends more than it was granted.
    pub fn receive(&mut self) -> Result<(), AgentError> {
        if self.window != Self::UNLIMITED {
            let rule = "no chunk is sent without a token";
            self.left = self.left.checked_sub(1).ok_or(AgentError::Broken { rule })?;
        }
        Ok(())
    }

    /// Counts a chunk whose content has been dealt with.
    pub fn done(&mut self) {
        if let Some(unread) = self.unread.checked_sub(1) {
            self.unread = unread;
        } else if self.window != Self::UNLIMITED {
            self.owed = self.owed.saturating_add(1);
        }
    }

    /// The tokens to be granted now, if half of the window or more is owed; they count as granted.
    ///
    /// Must not be sent before `AgentStart`: server 0.15.1 ends its whole process over that.
    pub fn grant(&mut self) -> Option<u32> {
        if self.owed == 0 || self.owed < self.window.div_ceil(2) {
            return None;
        }
        let owed = core::mem::take(&mut self.owed);
        self.left = self.left.saturating_add(owed);
        Some(owed)
    }
}
