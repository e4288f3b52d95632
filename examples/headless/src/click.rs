//! Clicks.

use clap::ValueEnum;
use serde_json::json;
use spice_client::Event;
use spice_client::mouse::{MouseButton, MouseModes};
use spice_proto::msg::main::ServerMessage;
use spice_proto::types::{ChannelId, ChannelType};

use crate::error::Error;
use crate::report::Report;
use crate::session::{Awaited, Options, Session};

/// Clicks at a place of the screen, or turns the wheel there.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,

    /// Column in pixels.
    x: u32,

    /// Row in pixels.
    y: u32,

    /// The button.
    #[arg(long, value_enum, default_value = "left")]
    button: Button,

    /// How often; 0 only leads the pointer there.
    #[arg(long, default_value_t = 1)]
    times: u32,

    /// The monitor, for machines with several.
    #[arg(long, default_value_t = 0)]
    display: u8,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Button {
    Left,
    Middle,
    Right,
    Side,
    Extra,
    /// One notch of the wheel away from the user.
    Up,
    /// One notch of the wheel towards the user.
    Down,
}

pub(crate) async fn run(args: Args, report: Report) -> Result<(), Error> {
    let mut session = Session::connect(&args.options, &[ChannelType::INPUTS])?;
    let inputs = ChannelId::new(ChannelType::INPUTS, 0);
    let (mut open, mut placed) = (false, false);
    let ready = session.find(POINTER, |event| {
        match event {
            Event::ChannelOpened(id) if *id == inputs => open = true,
            Event::Main(ServerMessage::Init(init)) => {
                placed = init.current_mouse_mode.modes == MouseModes::CLIENT
            }
            Event::Main(ServerMessage::MouseMode(mode)) => placed = mode.current_mode == MouseModes::CLIENT,
            _ => {}
        }
        (open && placed).then_some(())
    });
    match ready.await {
        Err(Error::Late { .. }) if open => return Err(Error::NoPlace),
        other => other?,
    }
    let handle = session.handle();
    handle.pointer_position(args.x, args.y, args.display)?;
    let button = match args.button {
        Button::Left => MouseButton::LEFT,
        Button::Middle => MouseButton::MIDDLE,
        Button::Right => MouseButton::RIGHT,
        Button::Side => MouseButton::SIDE,
        Button::Extra => MouseButton::EXTRA,
        Button::Up => MouseButton::UP,
        Button::Down => MouseButton::DOWN,
    };
    for _ in 0..args.times {
        handle.click(button)?;
    }
    session.inputs_taken().await?;
    session.leave().await;
    report.tell("", &json!({ "x": args.x, "y": args.y, "clicks": args.times }))
}

const POINTER: Awaited =
    Awaited { what: "a pointer that can be placed", advice: "check that the machine runs" };
