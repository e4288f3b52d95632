//! What commands work on: the session, and what this crate adds to it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use spice_proto::Instant;
use spice_proto::caps::DisplayCaps;
use spice_proto::msg::display::ServerMessage;
use spice_proto::session::{Event as SessionEvent, Session};
use spice_proto::types::ChannelType;

use crate::agent::Agent;
use crate::config::ClientConfig;
use crate::event::Event;
use crate::keyboard::Keyboard;
use crate::mouse::Pointer;
use crate::video::{Due, Frames, ScheduleLimits, StreamReports};

/// A session with the agent's machine, the keys that are held, the pointer, and the frames of videos that wait.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) session: Session,
    pub(crate) agent: Agent,
    pub(crate) keyboard: Keyboard,
    pub(crate) pointer: Pointer,
    pub(crate) frames: Frames,
    /// What comes next for the application: the last frames of displays that have ended, then the word of their end.
    parting: VecDeque<(Event, usize)>,
    /// What servers want to know about videos, by display channel.
    reports: BTreeMap<u8, StreamReports>,
    /// Whether they hear it.
    reporting: bool,
}

/// What a command does when its turn comes.
pub(crate) type Command = Box<dyn FnOnce(&mut Core, Instant) + Send>;

impl Core {
    pub(crate) fn new(config: &ClientConfig) -> Self {
        Self {
            session: Session::new(config.session.clone()),
            agent: Agent::new(config.agent.clone()),
            keyboard: Keyboard::default(),
            pointer: Pointer::default(),
            frames: Frames::new(config.schedule.unwrap_or(ScheduleLimits::NOTHING)),
            parting: VecDeque::new(),
            reports: BTreeMap::new(),
            reporting: config.session.display.caps.contains(DisplayCaps::STREAM_REPORT),
        }
    }

    /// Looks at an event on its way to the application; gives what the application is to hear now.
    pub(crate) fn outward(&mut self, event: SessionEvent, now: Instant) -> Option<Event> {
        match &event {
            SessionEvent::Main(message) if self.agent.on_main(message, now) => return None,
            SessionEvent::Display(id, message) => self.agent.on_display(*id, message, now),
            SessionEvent::ChannelClosed { channel, .. } if channel.kind == ChannelType::INPUTS => {
                self.keyboard.over();
                self.pointer.over();
            }
            SessionEvent::ChannelClosed { channel, .. } if channel.kind == ChannelType::DISPLAY => {
                self.reports.remove(&channel.id);
                self.part(Some(channel.id), now);
            }
            SessionEvent::ChannelClosed { channel, .. } if channel.kind == ChannelType::PLAYBACK => {
                self.frames.silence(channel.id);
            }
            SessionEvent::Playback(id, message) => self.frames.listen(*id, message),
            SessionEvent::Ended(_) => {
                self.part(None, now);
                self.over();
            }
            _ => {}
        }
        match event {
            SessionEvent::Display(id, message) if is_about_videos(&message) => {
                self.video(id, message, now).map(|message| Event::Display(id, message))
            }
            SessionEvent::ChannelClosed { .. } | SessionEvent::Ended(_) if !self.parting.is_empty() => {
                self.parting.extend(Event::try_from(event).ok().map(|event| (event, 0)));
                None
            }
            event => Event::try_from(event).ok(),
        }
    }

    /// What a display that has ended, or with none named all that have, had received comes before the word of it.
    fn part(&mut self, display: Option<u8>, now: Instant) {
        let time = self.multimedia_time(now).unwrap_or_default();
        for (display, frames, dropped) in self.frames.end(display, time) {
            self.parting.extend(frames.into_iter().map(|due| shown(display, due)));
            if dropped > 0 {
                self.parting.push_back((Event::FramesDropped { display, frames: dropped }, 0));
            }
        }
    }

    /// The next of the last frames of displays that have ended, or the word of it, and the bytes that it keeps in memory.
    pub(crate) fn poll_parting(&mut self) -> Option<(Event, usize)> {
        self.parting.pop_front()
    }

    /// Tells the server how frames arrive, and gives back what is not to wait for its time.
    fn video(&mut self, id: u8, message: ServerMessage, now: Instant) -> Option<ServerMessage> {
        let Some(time) = self.multimedia_time(now) else { return Some(message) };
        if self.reporting {
            let report = self.reports.entry(id).or_default().observe(&message, time, now);
            if let (Some(report), Some(display)) = (report, self.session.display(id)) {
                // A server that has stopped listening misses a report.
                let _ = display.report_stream(now, report);
            }
        }
        self.frames.push(id, message, time)
    }

    /// The next frame of a video that is due, and the bytes that it keeps in memory.
    pub(crate) fn poll_frame(&mut self, now: Instant) -> Option<(Event, usize)> {
        let time = self.multimedia_time(now)?;
        let (display, due) = self.frames.pop(time)?;
        Some(shown(display, due))
    }

    /// Word of frames that were dropped, if any were since the last.
    pub(crate) fn poll_dropped_frames(&mut self) -> Option<Event> {
        self.frames.poll_dropped().map(|(display, frames)| Event::FramesDropped { display, frames })
    }

    /// How long it takes until a frame is due, if any waits.
    pub(crate) fn time_to_frame(&mut self, now: Instant) -> Option<Duration> {
        let time = self.multimedia_time(now)?;
        self.frames.next_due(time)
    }

    /// The server's clock for sound and pictures; `None` when there is none any more.
    fn multimedia_time(&mut self, now: Instant) -> Option<u32> {
        self.session.main().map(|main| main.logic().multimedia_time(now))
    }

    /// Lets agent and keyboard go on, as far as they can.
    pub(crate) fn advance(&mut self, now: Instant) {
        self.agent.advance(&mut self.session, now);
        self.keyboard.advance(&mut self.session, now);
        self.pointer.advance(&mut self.session);
    }

    /// The next event of the agent's machine, and the bytes that it keeps in memory.
    pub(crate) fn poll_agent_event(&mut self) -> Option<(Event, usize)> {
        let event = self.agent.poll_event()?;
        let len = event.len();
        Some((Event::Agent(event), len))
    }

    /// When [`advance`](Self::advance) and [`Session::handle_timeout`] must be called at the latest.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let own = [self.session.poll_timeout(), self.agent.poll_timeout(), self.keyboard.poll_timeout()];
        own.into_iter().flatten().min()
    }

    /// Nothing comes any more: everybody who waits hears so.
    pub(crate) fn over(&mut self) {
        self.agent.over();
        self.keyboard.over();
        self.pointer.over();
    }
}

/// A frame for the application, and the bytes that it keeps in memory.
fn shown(display: u8, Due { message, show }: Due) -> (Event, usize) {
    let len = match &message {
        ServerMessage::StreamData(frame) => frame.data.len(),
        ServerMessage::StreamDataSized(frame) => frame.data.len(),
        _ => 0,
    };
    let event = if show { Event::Display(display, message) } else { Event::LateFrame(display, message) };
    (event, len)
}

/// Whether videos, and the reports about them, depend on the message.
fn is_about_videos(message: &ServerMessage) -> bool {
    matches!(
        message,
        ServerMessage::SurfaceCreate(_)
            | ServerMessage::SurfaceDestroy(_)
            | ServerMessage::StreamCreate(_)
            | ServerMessage::StreamActivateReport(_)
            | ServerMessage::StreamData(_)
            | ServerMessage::StreamDataSized(_)
            | ServerMessage::StreamDestroy(_)
            | ServerMessage::StreamDestroyAll
    )
}
