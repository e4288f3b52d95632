//! Who owns which selection, and which content is asked for.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
use thiserror::Error;

use super::{
    Clipboard, ClipboardGrab, ClipboardRelease, ClipboardRequest, DataType, LineEnds, Selection,
    convert_line_ends, strip_nul,
};
use crate::caps::AgentCaps;
use crate::error::{AgentError, LimitExceeded, Unavailable};
use crate::frame::Lane;
use crate::link::Link;
use crate::msg::{MaxClipboard, Message};

/// How long to wait after a release before withdrawing what was offered, when [`Event::Released`] says that another
/// grab is likely to follow; saves the applications a flicker.
pub const REGRAB_DELAY: Duration = Duration::from_millis(500);

/// What happens to a selection.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The other side owns the selection now and offers it in these types. What this side owned is over.
    Grabbed {
        /// The selection.
        selection: Selection,
        /// The types, each once.
        types: Vec<DataType>,
    },
    /// The other side has nothing to offer any more.
    Released {
        /// The selection.
        selection: Selection,
        /// Whether the other side may be about to grab again, see [`REGRAB_DELAY`].
        regrab_likely: bool,
    },
    /// The other side wants the content that this side offers. Must be answered, with the content or a refusal.
    Requested {
        /// The selection.
        selection: Selection,
        /// The type that is wanted.
        kind: DataType,
    },
    /// The content that was asked for. Text is valid UTF-8 without a NUL at its end, with this side's line ends.
    Content {
        /// The selection.
        selection: Selection,
        /// The type that was asked for.
        kind: DataType,
        /// The content, never empty.
        data: Bytes,
    },
    /// The content that was asked for is not to be had.
    Failed {
        /// The selection.
        selection: Selection,
        /// The type that was asked for.
        kind: DataType,
        /// Why.
        why: Failure,
    },
}

/// Why content that was asked for is not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Failure {
    /// The owner answered that it cannot supply it.
    #[error("the owner cannot supply the content")]
    Refused,
    /// The content is longer than this side takes.
    #[error("the content is too long: {0}")]
    TooLong(LimitExceeded),
    /// The content should be text but is not UTF-8.
    #[error("the text is not utf-8")]
    NotUtf8,
    /// The owner has withdrawn the offer.
    #[error("the owner has withdrawn the offer")]
    Released,
    /// This side has grabbed the selection itself.
    #[error("this side has grabbed the selection")]
    Superseded,
    /// The other side has gone.
    #[error("the other side has gone")]
    Disconnected,
}

/// Which side of the dialogue a machine is on. The two differ in who wins when both grab at once, and in how a request
/// is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Outside the machine; wins. Converts line ends.
    Client,
    /// Inside the machine.
    Agent,
}

/// The three selections of one side.
#[derive(Debug)]
pub(crate) struct Selections {
    side: Side,
    /// How lines end on this side.
    line_ends: LineEnds,
    /// How long content may be that the other side takes.
    max: MaxClipboard,
    states: [State; 3],
}

#[derive(Debug, Default)]
struct State {
    /// Counts grabs, by which crossing ones are told. Wraps.
    serial: u32,
    owner: Owner,
}

#[derive(Debug, Default)]
enum Owner {
    #[default]
    Nobody,
    Us {
        types: Vec<DataType>,
        /// Requests that the application has not answered yet, oldest first.
        waiting: Vec<DataType>,
    },
    Them {
        types: Vec<DataType>,
        /// The request that the other side has not answered yet.
        asked: Option<DataType>,
    },
}

impl Selections {
    pub(crate) fn new(side: Side, line_ends: LineEnds) -> Self {
        Self { side, line_ends, max: MaxClipboard::UNLIMITED, states: Default::default() }
    }

    /// Offers the content of a selection in these types.
    pub(crate) fn grab<E: From<Event>>(
        &mut self,
        link: &mut Link,
        events: &mut VecDeque<E>,
        selection: Selection,
        types: &[DataType],
    ) -> Result<(), AgentError> {
        self.usable(link, selection)?;
        link.room()?;
        LimitExceeded::check("grab_types", types.len(), link.limits.grab_types)?;
        let state = &mut self.states[selection as usize];
        match core::mem::take(&mut state.owner) {
            Owner::Nobody => {}
            Owner::Us { waiting, .. } => {
                refuse_all(self.side, link, selection, &waiting)?;
                if !link.both().contains(AgentCaps::CLIPBOARD_NO_RELEASE_ON_REGRAB) {
                    link.send(&Message::ClipboardRelease(ClipboardRelease { selection }))?;
                }
            }
            Owner::Them { asked, .. } => fail(events, selection, asked, Failure::Superseded),
        }
        let grab = ClipboardGrab { selection, serial: state.serial, types: types.into() };
        link.send(&Message::ClipboardGrab(grab))?;
        state.serial = state.serial.wrapping_add(1);
        state.owner = Owner::Us { types: types.into(), waiting: Vec::new() };
        Ok(())
    }

    /// Withdraws what this side offers; nothing happens when it offers nothing.
    pub(crate) fn release(&mut self, link: &mut Link, selection: Selection) -> Result<(), AgentError> {
        self.usable(link, selection)?;
        link.room()?;
        let state = &mut self.states[selection as usize];
        if let Owner::Us { waiting, .. } = &state.owner {
            refuse_all(self.side, link, selection, waiting)?;
            state.owner = Owner::Nobody;
            link.send(&Message::ClipboardRelease(ClipboardRelease { selection }))?;
        }
        Ok(())
    }

    /// Asks the other side for content.
    pub(crate) fn request(
        &mut self,
        link: &mut Link,
        selection: Selection,
        kind: DataType,
    ) -> Result<(), AgentError> {
        self.usable(link, selection)?;
        link.room()?;
        let Owner::Them { types, asked } = &mut self.states[selection as usize].owner else {
            return Err(Unavailable::NotOwner.into());
        };
        if !types.contains(&kind) {
            return Err(Unavailable::NotOffered.into());
        }
        if asked.is_some() {
            return Err(Unavailable::Busy.into());
        }
        *asked = Some(kind);
        link.send(&Message::ClipboardRequest(ClipboardRequest { selection, kind }))
    }

    /// Stops waiting for the content that was asked for; an answer that comes all the same is dropped.
    pub(crate) fn forget_request(&mut self, selection: Selection) {
        if let Owner::Them { asked, .. } = &mut self.states[selection as usize].owner {
            *asked = None;
        }
    }

    /// Answers a request of the other side; empty content says that there is none.
    pub(crate) fn answer(
        &mut self,
        link: &mut Link,
        selection: Selection,
        kind: DataType,
        data: Bytes,
    ) -> Result<(), AgentError> {
        let Owner::Us { waiting, .. } = &mut self.states[selection as usize].owner else {
            return Err(Unavailable::NotRequested.into());
        };
        let index = waiting.iter().position(|wanted| *wanted == kind).ok_or(Unavailable::NotRequested)?;
        waiting.remove(index);
        if data.is_empty() {
            return refuse(self.side, link, selection, kind);
        }
        match self.outgoing(link, kind, data) {
            Ok(data) => link.send(&Message::Clipboard(Clipboard { selection, kind, data })),
            Err(exceeded) => {
                // Both sides take empty content of the requested type for a failure.
                let data = Bytes::new();
                link.send(&Message::Clipboard(Clipboard { selection, kind, data }))?;
                Err(exceeded.into())
            }
        }
    }

    /// Sets how long content may be that the other side takes.
    pub(crate) fn set_max(&mut self, max: MaxClipboard) {
        self.max = max;
    }

    pub(crate) fn on_grab<E: From<Event>>(
        &mut self,
        link: &mut Link,
        events: &mut VecDeque<E>,
        grab: &ClipboardGrab,
    ) -> Result<(), AgentError> {
        let selection = grab.selection;
        let state = &mut self.states[selection as usize];
        if link.layout().grab_serial {
            if grab.serial == state.serial {
                state.serial = state.serial.wrapping_add(1);
            } else if self.side == Side::Client || grab.serial != state.serial.wrapping_sub(1) {
                // It crossed one of ours. The client's grab wins, and both sides know it.
                return Ok(());
            }
        }
        let mut types = Vec::new();
        for kind in grab.types.iter() {
            if types.len() >= link.limits.grab_types {
                break;
            }
            if kind != DataType::NONE && !types.contains(&kind) {
                types.push(kind);
            }
        }
        let asked = match core::mem::take(&mut state.owner) {
            Owner::Nobody => None,
            Owner::Us { waiting, .. } => {
                refuse_all(self.side, link, selection, &waiting)?;
                None
            }
            // Every request gets its answer, also when the content has changed since.
            Owner::Them { asked, .. } => asked,
        };
        state.owner = Owner::Them { types: types.clone(), asked };
        events.push_back(Event::Grabbed { selection, types }.into());
        Ok(())
    }

    pub(crate) fn on_release<E: From<Event>>(
        &mut self,
        link: &Link,
        events: &mut VecDeque<E>,
        selection: Selection,
    ) {
        let owner = &mut self.states[selection as usize].owner;
        if let Owner::Them { asked, .. } = owner {
            fail(events, selection, asked.take(), Failure::Released);
            *owner = Owner::Nobody;
            let regrab_likely = !link.both().contains(AgentCaps::CLIPBOARD_NO_RELEASE_ON_REGRAB);
            events.push_back(Event::Released { selection, regrab_likely }.into());
        }
    }

    pub(crate) fn on_request<E: From<Event>>(
        &mut self,
        link: &mut Link,
        events: &mut VecDeque<E>,
        request: ClipboardRequest,
    ) -> Result<(), AgentError> {
        let ClipboardRequest { selection, kind } = request;
        match &mut self.states[selection as usize].owner {
            Owner::Us { types, waiting }
                if types.contains(&kind) && waiting.len() < link.limits.clipboard_requests =>
            {
                waiting.push(kind);
                events.push_back(Event::Requested { selection, kind }.into());
                Ok(())
            }
            _ => refuse(self.side, link, selection, kind),
        }
    }

    pub(crate) fn on_content<E: From<Event>>(
        &mut self,
        link: &Link,
        events: &mut VecDeque<E>,
        content: Clipboard,
    ) {
        let selection = content.selection;
        // What was not asked for is dropped.
        if let Owner::Them { asked, .. } = &mut self.states[selection as usize].owner
            && let Some(kind) = asked.take()
        {
            let answer = match content {
                Clipboard { kind: found, data, .. } if found == kind && !data.is_empty() => {
                    self.incoming(link, kind, data)
                }
                _ => Err(Failure::Refused),
            };
            events.push_back(match answer {
                Ok(data) => Event::Content { selection, kind, data }.into(),
                Err(why) => Event::Failed { selection, kind, why }.into(),
            });
        }
    }

    /// Content that was longer than the limit has gone by; `head` is how its message began.
    pub(crate) fn on_too_long<E: From<Event>>(
        &mut self,
        link: &Link,
        events: &mut VecDeque<E>,
        limit: LimitExceeded,
        head: &[u8],
    ) {
        let index = if link.layout().selection { head.first().copied().unwrap_or(u8::MAX) } else { 0 };
        if let Some(selection) = Selection::ALL.get(usize::from(index))
            && let Owner::Them { asked, .. } = &mut self.states[*selection as usize].owner
        {
            fail(events, *selection, asked.take(), Failure::TooLong(limit));
        }
    }

    /// The other side has gone, or begins anew: nobody owns anything, and serials start at 0.
    pub(crate) fn reset<E: From<Event>>(&mut self, events: &mut VecDeque<E>) {
        for (selection, state) in Selection::ALL.into_iter().zip(&mut self.states) {
            if let Owner::Them { asked, .. } = core::mem::take(state).owner {
                fail(events, selection, asked, Failure::Disconnected);
                events.push_back(Event::Released { selection, regrab_likely: false }.into());
            }
        }
    }

    /// Whether the other side owns the selection, and in which types it offers it.
    pub(crate) fn offered(&self, selection: Selection) -> Option<&[DataType]> {
        match &self.states[selection as usize].owner {
            Owner::Them { types, .. } => Some(types),
            _ => None,
        }
    }

    /// Whether this side owns the selection.
    pub(crate) fn owns(&self, selection: Selection) -> bool {
        matches!(self.states[selection as usize].owner, Owner::Us { .. })
    }

    fn usable(&self, link: &Link, selection: Selection) -> Result<(), AgentError> {
        let prefix = match selection {
            Selection::Clipboard => AgentCaps::empty(),
            _ => AgentCaps::CLIPBOARD_SELECTION,
        };
        link.require(AgentCaps::CLIPBOARD_BY_DEMAND | prefix, AgentCaps::empty())
    }

    /// Content as this side's applications want it.
    fn incoming(&self, link: &Link, kind: DataType, data: Bytes) -> Result<Bytes, Failure> {
        let fits = |data: &Bytes| {
            LimitExceeded::check("clipboard_len", data.len(), link.limits.clipboard_len as usize)
                .map_err(Failure::TooLong)
        };
        fits(&data)?;
        if kind != DataType::UTF8_TEXT {
            return Ok(data);
        }
        let mut text = strip_nul(data);
        if core::str::from_utf8(&text).is_err() {
            return Err(Failure::NotUtf8);
        }
        if self.guest_line_ends(link).is_some_and(|guest| guest != self.line_ends) {
            text = convert_line_ends(text, self.line_ends);
            fits(&text)?;
        }
        if text.is_empty() { Err(Failure::Refused) } else { Ok(text) }
    }

    /// Content as the other side's applications want it.
    fn outgoing(&self, link: &Link, kind: DataType, data: Bytes) -> Result<Bytes, LimitExceeded> {
        let own = link.limits.clipboard_len as usize;
        let bound = self.max.bound().unwrap_or(own).min(own);
        LimitExceeded::check("clipboard_len", data.len(), bound)?;
        match self.guest_line_ends(link) {
            Some(guest) if kind == DataType::UTF8_TEXT => {
                // Content itself is shared however often it is sent; what is converted is a copy for each answer.
                let queued = link.outbox.queued(Lane::Control);
                LimitExceeded::check("queued_output", queued, link.limits.queued_output)?;
                let text = convert_line_ends(data, guest);
                LimitExceeded::check("clipboard_len", text.len(), bound)?;
                Ok(text)
            }
            _ => Ok(data),
        }
    }

    /// How lines end in the guest, when it is this side's part to convert them.
    fn guest_line_ends(&self, link: &Link) -> Option<LineEnds> {
        let guest = link.theirs();
        match self.side {
            Side::Agent => None,
            Side::Client if guest.contains(AgentCaps::GUEST_LINEEND_CRLF) => Some(LineEnds::CrLf),
            Side::Client if guest.contains(AgentCaps::GUEST_LINEEND_LF) => Some(LineEnds::Lf),
            Side::Client => None,
        }
    }
}

/// Tells the caller that what it asked for will not come, if it asked.
fn fail<E: From<Event>>(
    events: &mut VecDeque<E>,
    selection: Selection,
    asked: Option<DataType>,
    why: Failure,
) {
    if let Some(kind) = asked {
        events.push_back(Event::Failed { selection, kind, why }.into());
    }
}

/// Answers that there is no content. Agents take only the requested type for an answer; clients take the type for none.
fn refuse(side: Side, link: &mut Link, selection: Selection, kind: DataType) -> Result<(), AgentError> {
    let kind = match side {
        Side::Client => kind,
        Side::Agent => DataType::NONE,
    };
    link.send(&Message::Clipboard(Clipboard { selection, kind, data: Bytes::new() }))
}

fn refuse_all(
    side: Side,
    link: &mut Link,
    selection: Selection,
    waiting: &[DataType],
) -> Result<(), AgentError> {
    waiting.iter().try_for_each(|kind| refuse(side, link, selection, *kind))
}
