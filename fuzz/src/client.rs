//! The whole client, with its driver and everything that an application does with the guest's agent, against a server
//! and an agent that say anything.

use std::cell::{Cell, RefCell};
use std::future::{Future, Ready, ready};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::io::AsyncRead;
use futures::task::noop_waker_ref;
use futures::{FutureExt, Stream};
use spice_agent_proto::AgentCaps;
use spice_agent_proto::caps::AnnounceCapabilities;
use spice_agent_proto::file_xfer::{FileXferResult, FileXferStatus};
use spice_agent_proto::msg::Message;
use spice_agent_proto::testing::{self, LAYOUTS};
use spice_client::agent::{AudioVolumeSync, DataType, DisplayConfig, Monitor, Selection, TransferId};
use spice_client::keyboard::{Key, Layout};
use spice_client::transport::Platform;
use spice_client::transport::memory::{Pipe, pipe};
use spice_client::{Client, ClientConfig, Driver, Handle, connect};
use spice_proto::Instant;
use spice_proto::msg::display::{self, SurfaceFlags};
use spice_proto::msg::main;
use spice_proto::session::{Address, Endpoint, SessionConfig};
use spice_proto::testing::{Sample, Source};
use spice_proto::types::{ChannelId, ChannelType};
use spice_proto::wire::{Counted, Rest};

use crate::client::served::Served;
use crate::memory::bounded;

mod served;

/// A client does not fail, breaks no rule of the server's, and ends everything that it was asked for, whatever server,
/// agent, files and application do.
///
/// Input: the choices; see the source.
pub fn client(data: &[u8]) {
    // Eight files hold two pieces of 64 KiB each, and as much waits in pipes and queues.
    let bound = (6 << 20) + 1024 * data.len();
    bounded("a client", bound, || {
        let s = &mut Source::new(data);
        let mut world = World::new(s);
        while !s.is_empty() && !world.over {
            world.step(s);
            world.run();
            world.take_events(usize::from(s.byte() % 8));
        }
        world.end();
    });
}

/// A client with everything around it.
struct World {
    driver: Pin<Box<Driver<Memory>>>,
    client: Client,
    handle: Handle,
    clock: Rc<Cell<Instant>>,
    opened: Rc<RefCell<Vec<(ChannelId, Pipe)>>>,
    main: Option<Served>,
    display: Option<Served>,
    /// What the application waits for.
    tasks: Vec<Pin<Box<dyn Future<Output = ()>>>>,
    transfers: Vec<TransferId>,
    over: bool,
}

impl World {
    fn new(s: &mut Source<'_>) -> Self {
        let clock = Rc::new(Cell::new(Instant::from_millis(1)));
        let opened = Rc::default();
        let platform = Memory { clock: Rc::clone(&clock), opened: Rc::clone(&opened) };
        let session = SessionConfig::new(Address::tcp("host", 5900));
        let session = session.channels(&[ChannelType::DISPLAY, ChannelType::INPUTS]);
        let (client, driver) = connect(platform, ClientConfig::from(session));
        let handle = client.handle().clone();
        let mut world = Self {
            driver: Box::pin(driver),
            client,
            handle,
            clock,
            opened,
            main: None,
            display: None,
            tasks: Vec::new(),
            transfers: Vec::new(),
            over: false,
        };
        world.run();
        let (agent, tokens) = (s.byte(), u32::from(s.byte()));
        let init = main::Init {
            session_id: 7,
            agent_connected: u32::from(agent & 1),
            agent_tokens: tokens,
            ..Default::default()
        };
        let listed = [ChannelId::new(ChannelType::DISPLAY, 0), ChannelId::new(ChannelType::INPUTS, 0)];
        let channels = Counted::new(listed.into_iter().collect()).expect("two");
        if let Some(main) = &mut world.main {
            main.granted(tokens);
            main.say(&main::ServerMessage::Init(init));
            main.say(&main::ServerMessage::ChannelsList(main::ChannelsList { channels }));
        }
        world.run();
        world
    }

    fn step(&mut self, s: &mut Source<'_>) {
        match s.below(16) {
            0..=5 => self.server(s),
            6..=12 => self.application(s),
            13 => {
                let task = s.below(8);
                if task < self.tasks.len() {
                    drop(self.tasks.swap_remove(task));
                }
            }
            _ => {
                let time = Duration::from_millis(1 << s.below(17));
                self.clock.set(self.clock.get() + time);
            }
        }
    }

    /// Server or agent say something.
    fn server(&mut self, s: &mut Source<'_>) {
        let Some(main) = &mut self.main else { return };
        match s.below(12) {
            0 => {
                let num_tokens = s.byte().into();
                main.granted(num_tokens);
                main.say(&main::ServerMessage::AgentConnectedTokens(main::AgentTokens { num_tokens }));
            }
            1 => main.say(&main::ServerMessage::AgentConnected),
            2 => main.say(&main::ServerMessage::AgentDisconnected(Sample::sample(s))),
            3 | 4 => {
                let num_tokens = s.byte().into();
                main.granted(num_tokens);
                main.say(&main::ServerMessage::AgentToken(main::AgentTokens { num_tokens }));
            }
            5 => {
                let odd = AgentCaps::from_bits_retain(u32::sample(s));
                let caps = if s.byte() & 3 == 0 { odd } else { AgentCaps::AGENT };
                let announce = AnnounceCapabilities::new(s.byte() & 1 == 0, caps);
                main.agent_says(&Message::AnnounceCapabilities(announce), LAYOUTS[0]);
            }
            6 | 7 => {
                let layout = LAYOUTS[if s.byte() & 3 == 0 { s.below(4) } else { 3 }];
                main.agent_says(&testing::message(s, layout), layout);
            }
            8 => {
                let (id, result) = (u32::from(s.byte() % 10), FileXferResult(u32::from(s.byte() % 9)));
                main.agent_says(&Message::FileXferStatus(FileXferStatus::new(id, result)), LAYOUTS[3]);
            }
            9 => main.say(&main::ServerMessage::AgentData(Rest(s.payload()))),
            10 => {
                if let Some(display) = &mut self.display {
                    let mut surface = display::SurfaceCreate::sample(s);
                    surface.flags |= SurfaceFlags::PRIMARY;
                    display.say(&display::ServerMessage::SurfaceCreate(surface));
                    display.say(&display::ServerMessage::MonitorsConfig(Sample::sample(s)));
                }
            }
            _ if s.byte() == 0 => self.main = None,
            _ => main.say_bytes(&s.payload()),
        }
    }

    /// The application does something.
    fn application(&mut self, s: &mut Source<'_>) {
        if self.tasks.len() >= TASKS {
            return;
        }
        let handle = self.handle.clone();
        let (selection, kind) = (Selection::ALL[s.below(3)], DataType(u32::from(s.byte() % 8)));
        match s.below(14) {
            0 => {
                let content = [(kind, s.payload()), (DataType::UTF8_TEXT, Bytes::from_static(b"a\nb\n"))];
                self.wait(handle.set_clipboard(selection, content));
            }
            1 => self.wait(handle.clipboard_grab(selection, &[kind, DataType::IMAGE_PNG])),
            2 => self.wait(handle.clipboard_answer(selection, kind, s.payload())),
            3 => self.wait(handle.clipboard_release(selection)),
            4 => self.wait(handle.clipboard_request(selection, kind)),
            5..=7 => {
                let size = 1u64.checked_shl(s.byte().into()).unwrap_or(0) + u64::from(s.byte());
                let name = if s.byte() == 0 { "../name" } else { "name" };
                let reader = Reader { left: size.saturating_sub(u64::from(s.byte() % 3)), moods: s.byte() };
                let file = handle.send_file(name, size, reader);
                self.transfers.push(file.transfer());
                self.wait(file);
            }
            8 => {
                if let Some(&transfer) = self.transfers.get(s.below(8)) {
                    self.wait(handle.cancel_file(transfer));
                }
            }
            9 => {
                let monitors = [Monitor::new(s.byte().into(), s.byte().into()), Monitor::DISABLED];
                self.wait(handle.set_monitors(&monitors));
            }
            10 => self.wait(handle.wait_for_agent()),
            11 => {
                self.wait(handle.set_display_settings(DisplayConfig::sample(s)));
                self.wait(handle.set_volume(AudioVolumeSync::sample(s)));
            }
            12 => {
                let _ = handle.key_down(Key::xt(s.byte().into()));
                self.wait(handle.type_text("aé语\n", Layout::ALL[s.below(7)]));
            }
            _ => {
                let _ = handle.scroll(f64::from(s.byte()));
                let _ = handle.release_keys();
                self.wait(handle.inputs_taken());
            }
        }
    }

    fn wait(&mut self, task: impl Future + 'static) {
        self.tasks.push(Box::pin(task.map(drop)));
    }

    /// Lets everybody go on until nothing moves any more.
    fn run(&mut self) {
        let cx = &mut Context::from_waker(noop_waker_ref());
        for _ in 0..TURNS {
            let mut moved = false;
            for channel in [&mut self.main, &mut self.display].into_iter().flatten() {
                moved |= channel.write(cx);
            }
            self.over = self.over || self.driver.as_mut().poll(cx).is_ready();
            let opened = self.opened.take();
            moved |= !opened.is_empty();
            for (channel, pipe) in opened {
                let served = Served::link(channel, pipe);
                match channel.kind {
                    ChannelType::MAIN => self.main = Some(served),
                    ChannelType::DISPLAY => self.display = Some(served),
                    // A keyboard that nobody answers for.
                    _ => {}
                }
            }
            for channel in [&mut self.main, &mut self.display].into_iter().flatten() {
                moved |= channel.read(cx);
            }
            self.tasks.retain_mut(|task| task.as_mut().poll(cx).is_pending());
            if !moved || self.over {
                break;
            }
        }
    }

    fn take_events(&mut self, count: usize) {
        let cx = &mut Context::from_waker(noop_waker_ref());
        for _ in 0..count {
            if pin!(&mut self.client).poll_next(cx).is_pending() {
                return;
            }
        }
    }

    /// The server goes; all that the application waits for must end.
    fn end(&mut self) {
        (self.main, self.display) = (None, None);
        for _ in 0..ENDING {
            self.run();
            self.take_events(1000);
            self.clock.set(self.clock.get() + Duration::from_secs(1));
        }
        assert!(self.over, "the driver does not end");
        assert!(self.tasks.is_empty(), "{} tasks do not end", self.tasks.len());
    }
}

/// A platform of pipes and a clock that is moved by hand.
struct Memory {
    clock: Rc<Cell<Instant>>,
    opened: Rc<RefCell<Vec<(ChannelId, Pipe)>>>,
}

impl Platform for Memory {
    type Stream = Pipe;
    type Connect = Ready<io::Result<Pipe>>;
    type Sleep = Until;

    fn connect(&mut self, _: &Endpoint, channel: ChannelId) -> Self::Connect {
        let (ours, theirs) = pipe(PIPE);
        self.opened.borrow_mut().push((channel, theirs));
        ready(Ok(ours))
    }

    fn sleep(&mut self, duration: Duration) -> Until {
        Until { deadline: self.clock.get() + duration, clock: Rc::clone(&self.clock) }
    }

    fn now(&self) -> Instant {
        self.clock.get()
    }

    fn entropy(&mut self) -> io::Result<[u8; 32]> {
        Ok([7; 32])
    }
}

/// A wait.
struct Until {
    deadline: Instant,
    clock: Rc<Cell<Instant>>,
}

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.clock.get() >= self.deadline { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// A file that has so many bytes, waits at times, and fails at times.
struct Reader {
    left: u64,
    moods: u8,
}

impl AsyncRead for Reader {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.moods = self.moods.rotate_left(3);
        match self.moods & 15 {
            0 => Poll::Ready(Err(io::ErrorKind::Other.into())),
            1..=3 => Poll::Pending,
            _ => {
                let count = buf.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
                buf[..count].fill(7);
                self.left -= count as u64;
                Poll::Ready(Ok(count))
            }
        }
    }
}

/// Things that the application waits for at the same time.
const TASKS: usize = 8;
/// Bytes that wait in each direction of a pipe.
const PIPE: usize = 16 << 10;
/// Turns of everybody before the next thing happens.
const TURNS: usize = 40;
/// Seconds until a client has ended whose server has gone.
const ENDING: usize = 5;
