//! Clipboards: content that is offered to the guest, and content that is asked of it.

use std::time::Duration;

use bytes::Bytes;
use spice_agent_proto::Unavailable;
use spice_agent_proto::client::Client;
use spice_proto::Instant;

use super::machine::{Events, Heard};
use super::{ClipboardEvent, DataType, Error, Event, Selection};
use crate::answer::{Answer, Waiting};
use crate::client::Handle;

/// The three selections.
#[derive(Debug, Default)]
pub(super) struct Clipboards([State; 3]);

#[derive(Debug, Default)]
struct State {
    offer: Option<Offer>,
    request: Option<Request>,
}

/// Content that the machine supplies by itself.
struct Offer {
    content: Vec<(DataType, Bytes)>,
    /// Who wants to know that the agent has been told.
    told: Option<Waiting<()>>,
}

impl std::fmt::Debug for Offer {
    /// Without the content.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Offer").field("types", &self.content.len()).finish_non_exhaustive()
    }
}

/// Content that the agent has been asked for.
#[derive(Debug)]
struct Request {
    since: Instant,
    waiting: Waiting<Bytes>,
}

impl Clipboards {
    fn set(
        &mut self,
        client: &mut Client,
        selection: Selection,
        content: Vec<(DataType, Bytes)>,
        told: Waiting<()>,
    ) {
        self.withdraw(selection);
        self.0[selection as usize].offer = Some(Offer { content, told: Some(told) });
        self.grab(client, selection);
    }

    /// Offers to the agent what is to be offered, if there is one that can be talked to.
    fn grab(&mut self, client: &mut Client, selection: Selection) {
        let offer = &mut self.0[selection as usize].offer;
        let Some(Offer { content, told }) = offer else { return };
        let types: Vec<DataType> = content.iter().map(|(kind, _)| *kind).collect();
        let result = client.clipboard_grab(selection, &types).map_err(Error::from);
        if matches!(result, Err(Error::NoAgent | Error::NotReady)) {
            return;
        }
        let told = told.take();
        if result.is_err() {
            *offer = None;
        }
        if let Some(told) = told {
            told.answer(result);
        }
    }

    /// Content that was offered is not to be offered any more.
    fn withdraw(&mut self, selection: Selection) -> bool {
        let offer = self.0[selection as usize].offer.take();
        let offered = offer.is_some();
        if let Some(told) = offer.and_then(|offer| offer.told) {
            told.answer(Err(Error::Superseded));
        }
        offered
    }

    fn request(
        &mut self,
        client: &mut Client,
        (selection, kind): (Selection, DataType),
        now: Instant,
        waiting: Waiting<Bytes>,
    ) {
        match client.clipboard_request(selection, kind) {
            Ok(()) => self.0[selection as usize].request = Some(Request { since: now, waiting }),
            Err(error) => waiting.answer(Err(error.into())),
        }
    }

    /// A new agent can be talked to: it is offered what the last one was.
    pub(super) fn on_ready(&mut self, client: &mut Client) {
        for selection in Selection::ALL {
            if !client.clipboard_owns(selection) {
                self.grab(client, selection);
            }
        }
    }

    pub(super) fn on_event(&mut self, client: &mut Client, events: &mut Events, event: ClipboardEvent) {
        match &event {
            ClipboardEvent::Grabbed { selection, .. } => {
                self.withdraw(*selection);
            }
            ClipboardEvent::Requested { selection, kind } => {
                if let Some(data) = self.offered(*selection, *kind) {
                    events.push(match client.clipboard_answer(*selection, *kind, data) {
                        Ok(()) => Event::ClipboardTaken { selection: *selection, kind: *kind },
                        Err(error) => Event::Skipped(error),
                    });
                    return;
                }
            }
            ClipboardEvent::Content { selection, data, .. } => {
                if let Some(request) = self.0[*selection as usize].request.take() {
                    request.waiting.answer(Ok(data.clone()));
                }
            }
            ClipboardEvent::Failed { selection, why, .. } => {
                if let Some(request) = self.0[*selection as usize].request.take() {
                    request.waiting.answer(Err(Error::Clipboard(*why)));
                }
            }
            _ => {}
        }
        events.push(Event::Clipboard(event));
    }

    fn offered(&self, selection: Selection, kind: DataType) -> Option<Bytes> {
        let offer = self.0[selection as usize].offer.as_ref()?;
        offer.content.iter().find(|(offered, _)| *offered == kind).map(|(_, data)| data.clone())
    }

    /// Gives up requests that the agent does not answer.
    pub(super) fn on_time(&mut self, client: &mut Client, heard: Heard, now: Instant) {
        for (selection, state) in Selection::ALL.into_iter().zip(&mut self.0) {
            if let Some(request) = state.request.take_if(|request| request.deadline(heard) <= now) {
                client.clipboard_forget_request(selection);
                request.waiting.answer(Err(Error::NoAnswer { seconds: PATIENCE.as_secs() }));
            }
        }
    }

    pub(super) fn poll_timeout(&self, heard: Heard) -> Option<Instant> {
        self.0.iter().filter_map(|state| state.request.as_ref()).map(|request| request.deadline(heard)).min()
    }
}

impl Request {
    fn deadline(&self, heard: Heard) -> Instant {
        self.since.max(heard.data) + PATIENCE
    }
}

/// Clipboards.
impl Handle {
    /// Offers content to the guest's applications, in all the types given, best first; it is supplied when one of them
    /// pastes, and offered again when the agent has gone and come back. Answered once the agent has been told, which
    /// may be later when it is not there yet.
    ///
    /// Over when the guest grabs the selection (an event), with the next `set_clipboard` or
    /// [`clipboard_grab`](Self::clipboard_grab), and with [`clipboard_release`](Self::clipboard_release).
    /// Wire: agent messages 7, `ClipboardGrab`, and 4, `Clipboard`.
    ///
    /// Fails with [`Error::Refused`] when the agent cannot do it and with [`Error::Superseded`].
    pub fn set_clipboard(
        &self,
        selection: Selection,
        content: impl IntoIterator<Item = (DataType, Bytes)>,
    ) -> Answer<()> {
        let content: Vec<_> = content.into_iter().collect();
        self.ask(move |core, _, waiting| {
            core.agent.command(waiting, |parts, waiting| {
                parts.clipboards.set(parts.client, selection, content, waiting);
            });
        })
    }

    /// Offers content in these types, to be supplied on demand: every
    /// [`Requested`](ClipboardEvent::Requested) must be answered by [`clipboard_answer`](Self::clipboard_answer).
    /// Lasts until the guest grabs the selection or its agent goes. Wire: agent message 7, `ClipboardGrab`.
    ///
    /// Fails with [`Error::NoAgent`], [`Error::NotReady`] and [`Error::Refused`].
    pub fn clipboard_grab(&self, selection: Selection, types: &[DataType]) -> Answer<()> {
        let types = types.to_vec();
        self.ask(move |core, _, waiting| {
            core.agent.command(waiting, |parts, waiting| {
                parts.clipboards.withdraw(selection);
                waiting.answer(parts.client.clipboard_grab(selection, &types).map_err(Error::from));
            });
        })
    }

    /// Supplies the content that the guest asks for; empty content says that there is none. Text has the line ends of
    /// this side. Wire: agent message 4, `Clipboard`.
    ///
    /// Fails with [`Error::Refused`] when nobody waits for it any more or it is too long.
    pub fn clipboard_answer(&self, selection: Selection, kind: DataType, data: Bytes) -> Answer<()> {
        self.ask(move |core, _, waiting| {
            core.agent.command(waiting, |parts, waiting| {
                waiting.answer(parts.client.clipboard_answer(selection, kind, data).map_err(Error::from));
            });
        })
    }

    /// Withdraws what this side offers; nothing happens when it offers nothing. Wire: agent message 9,
    /// `ClipboardRelease`.
    pub fn clipboard_release(&self, selection: Selection) -> Answer<()> {
        self.ask(move |core, _, waiting| {
            core.agent.command(waiting, |parts, waiting| {
                let offered = parts.clipboards.withdraw(selection);
                let result = match parts.client.clipboard_release(selection) {
                    // What only was to be offered is withdrawn.
                    Err(spice_agent_proto::AgentError::Unavailable(
                        Unavailable::NoAgent | Unavailable::NotReady,
                    )) if offered => Ok(()),
                    result => result.map_err(Error::from),
                };
                waiting.answer(result);
            });
        })
    }

    /// Asks for content that the guest offers (see [`Grabbed`](ClipboardEvent::Grabbed)). Text comes with the line
    /// ends of this side. Wire: agent message 8, `ClipboardRequest`.
    ///
    /// Fails with [`Error::Refused`] when it is not offered or a request for the selection is still unanswered, with
    /// [`Error::Clipboard`] when the guest cannot supply it, and with [`Error::NoAnswer`].
    pub fn clipboard_request(&self, selection: Selection, kind: DataType) -> Answer<Bytes> {
        self.ask(move |core, now, waiting| {
            core.agent.command(waiting, |parts, waiting| {
                parts.clipboards.request(parts.client, (selection, kind), now, waiting);
            });
        })
    }
}

/// How long an agent may be silent while it owes content.
const PATIENCE: Duration = Duration::from_secs(30);
