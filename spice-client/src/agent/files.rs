//! Files on their way into the guest, read by whoever awaits them.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::channel::mpsc;
use futures::io::AsyncRead;
use futures::{Stream as _, ready};
use spice_agent_proto::client::Client;
use spice_agent_proto::file_xfer::SendEvent;
use spice_proto::Instant;

use super::machine::{Agent, Events, Heard};
use super::{Error, Event, Outcome};
use crate::answer::Answer;
use crate::client::Handle;

/// A file on its way; no two of one client are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferId(pub u64);

/// What the machine tells the future of a transfer.
#[derive(Debug)]
enum Signal {
    /// A piece of at most so many bytes is wanted.
    Wanted(usize),
    Ended(Result<(), Error>),
}

/// The transfers that the agent has been told of, by the protocol's number.
#[derive(Debug, Default)]
pub(super) struct Files {
    live: BTreeMap<u32, Live>,
}

#[derive(Debug)]
struct Live {
    transfer: TransferId,
    /// At most one piece is wanted and one end told, so this holds two signals at most.
    signals: mpsc::UnboundedSender<Signal>,
    since: Instant,
    accepted: bool,
}

impl Files {
    fn start(
        &mut self,
        client: &mut Client,
        transfer: TransferId,
        (name, size): (&str, u64),
        now: Instant,
        signals: mpsc::UnboundedSender<Signal>,
    ) {
        match client.file_send(name, size) {
            Ok(id) => {
                self.live.insert(id, Live { transfer, signals, since: now, accepted: false });
            }
            Err(error) => {
                let _ = signals.unbounded_send(Signal::Ended(Err(error.into())));
            }
        }
    }

    fn id(&self, transfer: TransferId) -> Option<u32> {
        self.live.iter().find(|(_, live)| live.transfer == transfer).map(|(id, _)| *id)
    }

    pub(super) fn on_event(&mut self, events: &mut Events, event: SendEvent) {
        match event {
            SendEvent::Wanted { id, len, .. } => {
                if let Some(live) = self.live.get_mut(&id) {
                    live.accepted = true;
                    let _ = live.signals.unbounded_send(Signal::Wanted(len));
                }
            }
            SendEvent::Progress { id, sent, size } => {
                if let Some(live) = self.live.get_mut(&id) {
                    live.accepted = true;
                    events.push(Event::FileProgress { transfer: live.transfer, sent, size });
                }
            }
            SendEvent::Ended { id, outcome } => {
                if let Some(live) = self.live.remove(&id) {
                    let result = match outcome {
                        Outcome::Success => Ok(()),
                        outcome => Err(Error::File(outcome)),
                    };
                    let _ = live.signals.unbounded_send(Signal::Ended(result));
                    events.push(Event::FileEnded { transfer: live.transfer, outcome });
                }
            }
            _ => {}
        }
    }

    /// Gives up transfers to whose announcement the agent does not answer: servers drop some without a word.
    pub(super) fn on_time(&mut self, client: &mut Client, heard: Heard, now: Instant) {
        while let Some((&id, live)) = self.live.iter().find(|(_, live)| live.is_late(heard, now)) {
            let error = Error::NoAnswer { seconds: PATIENCE.as_secs() };
            let _ = live.signals.unbounded_send(Signal::Ended(Err(error)));
            if client.file_cancel(id).is_err() {
                self.live.remove(&id);
            } else if let Some(live) = self.live.get_mut(&id) {
                // The end that the machine tells comes behind this one.
                live.accepted = true;
            }
        }
    }

    pub(super) fn poll_timeout(&self, heard: Heard) -> Option<Instant> {
        self.live.values().filter(|live| !live.accepted).map(|live| live.deadline(heard)).min()
    }
}

impl Live {
    fn deadline(&self, heard: Heard) -> Instant {
        self.since.max(heard.any) + PATIENCE
    }

    fn is_late(&self, heard: Heard, now: Instant) -> bool {
        !self.accepted && self.deadline(heard) <= now
    }
}

/// A file that is being sent, as a future: it reads the file piece by piece, as the guest takes them. Dropping it calls
/// the transfer off.
///
/// Holds two pieces of 64 KiB at most.
#[derive(Debug)]
#[must_use = "a file is read only while this is polled, and called off when it is dropped"]
pub struct SendFile<R> {
    reader: R,
    handle: Handle,
    transfer: TransferId,
    size: u64,
    /// Bytes read so far.
    read: u64,
    /// The next piece, as far as it has been read.
    piece: BytesMut,
    /// How long the next piece may be, once one is wanted.
    wanted: Option<usize>,
    signals: mpsc::UnboundedReceiver<Signal>,
    over: bool,
}

impl<R> SendFile<R> {
    /// The transfer, by which events speak of it and [`Handle::cancel_file`] calls it off.
    pub fn transfer(&self) -> TransferId {
        self.transfer
    }

    fn end(&mut self, result: Result<(), Error>) -> Poll<Result<(), Error>> {
        self.over = true;
        Poll::Ready(result)
    }
}

impl<R: AsyncRead + Unpin> SendFile<R> {
    /// Reads ahead, up to one piece.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let left = self.size.saturating_sub(self.read);
        let mut missing = PIECE.saturating_sub(self.piece.len()).min(usize::try_from(left).unwrap_or(PIECE));
        while missing > 0 {
            let present = self.piece.len();
            self.piece.resize(present + missing, 0);
            let read = Pin::new(&mut self.reader).poll_read(cx, &mut self.piece[present..]);
            let count = match &read {
                Poll::Ready(Ok(count)) => (*count).min(missing),
                _ => 0,
            };
            self.piece.truncate(present + count);
            if ready!(read).map_err(Error::Read)? == 0 {
                return Poll::Ready(Err(Error::TooShort { read: self.read, size: self.size }));
            }
            self.read = self.read.saturating_add(count as u64);
            missing -= count;
        }
        Poll::Ready(Ok(()))
    }
}

impl<R: AsyncRead + Unpin> Future for SendFile<R> {
    /// Success once the guest has the whole file.
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            // The end first: it may have come while the reader had nothing.
            while let Poll::Ready(signal) = Pin::new(&mut this.signals).poll_next(cx) {
                match signal {
                    Some(Signal::Wanted(len)) => this.wanted = Some(len),
                    Some(Signal::Ended(result)) => return this.end(result),
                    None => return this.end(Err(Error::SessionOver)),
                }
            }
            let filled = match this.poll_fill(cx) {
                Poll::Ready(Ok(())) => true,
                Poll::Ready(Err(error)) => {
                    let transfer = this.transfer;
                    let _ = this.handle.command(move |core, _| core.agent.file_fail(transfer));
                    return this.end(Err(error));
                }
                Poll::Pending => false,
            };
            match this.wanted {
                Some(len) if filled && !this.piece.is_empty() => {
                    this.wanted = None;
                    let (transfer, data) =
                        (this.transfer, this.piece.split_to(this.piece.len().min(len)).freeze());
                    let _ = this.handle.command(move |core, _| core.agent.file_data(transfer, data));
                }
                _ => return Poll::Pending,
            }
        }
    }
}

impl<R> Drop for SendFile<R> {
    fn drop(&mut self) {
        if !self.over {
            drop(self.handle.cancel_file(self.transfer));
        }
    }
}

/// What commands about files do when their turn comes.
impl Agent {
    fn file_data(&mut self, transfer: TransferId, data: Bytes) {
        self.file(transfer, |client, id| {
            // A transfer that has ended meanwhile has told its future so.
            let _ = client.file_data(id, data);
        });
    }

    fn file_fail(&mut self, transfer: TransferId) {
        self.file(transfer, |client, id| {
            let _ = client.file_fail(id);
        });
    }

    fn file(&mut self, transfer: TransferId, command: impl FnOnce(&mut Client, u32)) {
        if let Some(super::machine::Parts { client, files, .. }) = self.parts()
            && let Some(id) = files.id(transfer)
        {
            command(client, id);
        }
    }
}

/// Files.
impl Handle {
    /// Sends a file of `size` bytes into the guest, under a plain name without folders. Read and sent only while the
    /// future is polled; done once the guest has everything. Bytes of `file` beyond `size` are left alone.
    ///
    /// Several may go on at the same time, up to 128. Clipboard and other messages overtake files at every piece of
    /// 64 KiB. Wire: agent messages 10 to 12, `FileXferStart`, `FileXferStatus` and `FileXferData`.
    ///
    /// Fails with [`Error::NoAgent`] or [`Error::NotReady`] (see [`wait_for_agent`](Self::wait_for_agent)),
    /// [`Error::FilesDisabled`], [`Error::Refused`] for a name that is none, [`Error::File`] when the guest fails or its
    /// agent goes, [`Error::Read`], [`Error::TooShort`], and [`Error::NoAnswer`].
    ///
    /// ```
    /// # async fn example(handle: spice_client::Handle) -> Result<(), spice_client::agent::Error> {
    /// let text: &[u8] = b"hello";
    /// handle.send_file("hello.txt", text.len() as u64, text).await?;
    /// # Ok(()) }
    /// ```
    pub fn send_file<R: AsyncRead + Unpin>(&self, name: &str, size: u64, file: R) -> SendFile<R> {
        let transfer = TransferId(self.number());
        let (sender, signals) = mpsc::unbounded();
        let name = name.to_owned();
        // Without a driver the sender is dropped, which the future takes for the end of the session.
        let _ = self.command(move |core, now| {
            if let Some(parts) = core.agent.parts() {
                parts.files.start(parts.client, transfer, (&name, size), now, sender);
            } else {
                let _ = sender.unbounded_send(Signal::Ended(Err(core.agent.absence())));
            }
        });
        SendFile {
            reader: file,
            handle: self.clone(),
            transfer,
            size,
            read: 0,
            piece: BytesMut::new(),
            wanted: None,
            signals,
            over: false,
        }
    }

    /// Calls a transfer off; its future ends with [`Outcome::CancelledHere`]. A piece that is being sent is finished.
    ///
    /// Fails with [`Error::Refused`] when it is over already.
    pub fn cancel_file(&self, transfer: TransferId) -> Answer<()> {
        self.ask(move |core, _, waiting| {
            core.agent.command(waiting, |parts, waiting| {
                let id = parts.files.id(transfer).ok_or(spice_agent_proto::Unavailable::NoSuchTransfer);
                let result = id.map_err(Into::into).and_then(|id| parts.client.file_cancel(id));
                waiting.answer(result.map_err(Error::from));
            });
        })
    }
}

/// How long an agent may be silent before it has answered to a file.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes that are read ahead: as many as a piece has by default.
const PIECE: usize = 64 << 10;
