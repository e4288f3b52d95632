//! A picture of a machine's screen, as soon as the server calls it complete.

use std::path::PathBuf;
use std::time::Duration;

use futures::StreamExt;
use serde_json::json;
use spice_client::canvas::{self, Applied, Canvas, CanvasConfig, SharedCaches, View};
use spice_client::{Client, ClientConfig, ClientError, Event};
use spice_proto::msg::display::ServerMessage;
use spice_proto::msg::main;
use spice_proto::types::{ChannelId, ChannelType};
use tokio::time::Instant;

use crate::address::Target;
use crate::compression::Compression;
use crate::demo;
use crate::error::Error;
use crate::picture::{self, Picture};
use crate::report::Report;
use crate::seconds::Seconds;
use crate::session::farewell;

/// Takes a picture of a machine's screen.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,

    /// The PNG file to write.
    #[arg(short, long)]
    output: PathBuf,

    /// Seconds until the picture must be there.
    #[arg(long, value_name = "SECONDS", default_value = "15")]
    timeout: Seconds,

    /// Wait until nothing has been drawn for so many seconds; without it, the first complete picture is taken.
    #[arg(long, value_name = "SECONDS")]
    still: Option<Seconds>,

    /// The display to look at, for machines with several.
    #[arg(long, default_value_t = 0)]
    display: u8,

    /// How the server should compress images.
    #[arg(long, value_enum)]
    compression: Option<Compression>,
}

pub(crate) async fn run(args: Args, report: Report) -> Result<(), Error> {
    let mut client = match args.target.config()? {
        Some(config) => connect(prepare(config, &args)),
        None => demo::connect(|config| prepare(config, &args))?,
    };
    let (limit, still) = (args.timeout.duration(), args.still.map(Seconds::duration));
    let mut screen = Screen::new(args.display);
    let result = tokio::time::timeout(limit, screen.wait(&mut client, still)).await;
    farewell(client).await;
    match result {
        Ok(result) => result?,
        Err(_) => return Err(Error::Timeout { timeout: args.timeout, what: screen.missing() }),
    }
    let view = screen.canvas.primary().ok_or(Error::DisplayClosed)?;
    let picture = picture(&view);
    picture::write(&args.output, &picture)
        .map_err(|source| Error::Write { path: args.output.clone(), source })?;
    report.tell("", &json!({ "file": args.output, "width": picture.width, "height": picture.height }))
}

pub(crate) fn connect(config: ClientConfig) -> Client {
    let (client, driver) = spice_client::connect(spice_client::transport::tokio::Tokio::new(), config);
    tokio::spawn(driver);
    client
}

/// Only what a picture needs: the display, with the compression that was asked for.
fn prepare(config: ClientConfig, args: &Args) -> ClientConfig {
    let mut session = config.session.clone().channels(&[ChannelType::DISPLAY]);
    if let Some(compression) = args.compression {
        session.display.compression = compression.wish();
    }
    let mut config = config;
    config.session = session;
    // The agent would forget another client's clipboard for a picture's sake.
    config.agent = None;
    config
}

/// The screen as it comes together.
struct Screen {
    display: u8,
    canvas: Canvas,
    linked: bool,
}

impl Screen {
    fn new(display: u8) -> Self {
        Self { display, canvas: Canvas::new(CanvasConfig::default(), SharedCaches::default()), linked: false }
    }

    /// Draws until the server calls the visible surface complete, and on until it has stood `still` for so long.
    async fn wait(&mut self, client: &mut Client, still: Option<Duration>) -> Result<(), Error> {
        while !self.is_complete() {
            self.handle(client.next().await)?;
        }
        let Some(still) = still else { return Ok(()) };
        let mut deadline = Instant::now() + still;
        while let Ok(event) = tokio::time::timeout_at(deadline, client.next()).await {
            if self.handle(event)? {
                deadline = Instant::now() + still;
            }
        }
        Ok(())
    }

    /// Takes one event; true when it was drawn.
    fn handle(&mut self, event: Option<Result<Event, ClientError>>) -> Result<bool, Error> {
        let channel = ChannelId::new(ChannelType::DISPLAY, self.display);
        match event.ok_or(Error::DisplayClosed)?? {
            Event::Display(id, message) if id == self.display => return self.draw(&message),
            Event::Main(main::ServerMessage::ChannelsList(list))
                if !self.linked && !list.channels.iter().any(|offered| offered == channel) =>
            {
                return Err(Error::NoDisplay);
            }
            Event::ChannelOpened(id) if id == channel => self.linked = true,
            Event::ChannelClosed { channel: id, error } if id == channel => {
                return Err(error.map_or(Error::DisplayClosed, Error::DisplayFailed));
            }
            _ => {}
        }
        Ok(false)
    }

    fn is_complete(&self) -> bool {
        self.canvas.is_marked() && self.canvas.primary().is_some()
    }

    /// Draws; true when anything changed.
    fn draw(&mut self, message: &ServerMessage) -> Result<bool, Error> {
        if let Applied::Blocked(_) = self.canvas.apply(message)? {
            // With one display there is nobody else who could deliver it.
            return Err(Error::Incomplete("it needs an image that the server never sent".into()));
        }
        while let Some(event) = self.canvas.poll_event() {
            if let canvas::Event::Undrawable { what, why } = event {
                return Err(Error::Incomplete(format!("{what:?} could not be drawn, {why}")));
            }
        }
        Ok(self.canvas.drain_damage().len() > 0)
    }

    /// What has not come yet.
    fn missing(&self) -> &'static str {
        match (self.linked, self.canvas.primary()) {
            (false, _) => "the server does not answer in time, it may not be a SPICE server",
            (true, None) => "the machine shows nothing, perhaps it has not started yet",
            (true, Some(_)) if self.is_complete() => "the screen did not stand still",
            (true, Some(_)) => "the server did not finish it",
        }
    }
}

/// The screen as it is now; nothing on a screen shines through.
pub(crate) fn picture(view: &View<'_>) -> Picture {
    let (width, height) = (view.width(), view.height());
    let mut pixels = vec![0; width as usize * height as usize * 4];
    view.write_bgrx(view.rect(), &mut pixels);
    Picture { width, height, alpha: false, pixels }
}
