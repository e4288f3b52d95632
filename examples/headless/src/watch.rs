//! Events as they come, a line each.

use std::time::Duration;

use serde_json::{Value, json};
use spice_client::Event;
use spice_client::agent::{self, ClipboardEvent};
use spice_proto::msg::{cursor, display, inputs, main};
use tokio::time::timeout;

use crate::error::Error;
use crate::report::Report;
use crate::session::{Options, Session};
use spice_proto::types::ChannelType;

/// Shows what happens, a line for each event, until it is interrupted or the session ends. The contents of clipboards
/// are not shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,

    /// Ends after so many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    duration: Option<f32>,

    /// Shows drawing messages too.
    #[arg(long)]
    drawing: bool,
}

pub(crate) async fn run(args: Args, report: Report) -> Result<(), Error> {
    let channels = [ChannelType::DISPLAY, ChannelType::INPUTS, ChannelType::CURSOR];
    let mut session = Session::connect(&args.options, &channels)?;
    let watching = async {
        loop {
            let event = session.next().await?;
            if let Some((name, what)) = describe(&event, args.drawing) {
                report.tell(&format!("{name} {what}"), &json!({ "event": name, "what": what }))?;
            }
        }
    };
    let limit = args.duration.and_then(|seconds| Duration::try_from_secs_f32(seconds).ok());
    let result = timeout(limit.unwrap_or(Duration::MAX), watching).await;
    session.leave().await;
    // Being done with watching is no error.
    result.unwrap_or(Ok(()))
}

/// Name and content of an event; `None` for what is not to be shown.
fn describe(event: &Event, drawing: bool) -> Option<(&'static str, Value)> {
    Some(match event {
        Event::ChannelOpened(id) => ("channel-opened", json!(id.to_string())),
        Event::ChannelClosed { channel, error } => {
            let why = error.map(|error| error.to_string());
            ("channel-closed", json!({ "channel": channel.to_string(), "error": why }))
        }
        Event::ChannelsLeftClosed(left) => {
            let left: Vec<_> = left.iter().map(|(id, why)| format!("{id}: {why}")).collect();
            ("channels-left-closed", json!(left))
        }
        Event::Notice(id, notice) => {
            ("notice", json!({ "channel": id.to_string(), "text": String::from_utf8_lossy(&notice.message) }))
        }
        Event::Main(message) => ("main", main_message(message)?),
        Event::Agent(event) => ("agent", agent_event(event)),
        Event::Display(id, display::ServerMessage::SurfaceCreate(surface)) => (
            "surface",
            json!({ "display": id, "surface": surface.surface_id.0, "width": surface.width, "height": surface.height }),
        ),
        Event::Display(id, display::ServerMessage::MonitorsConfig(monitors)) => {
            let heads = monitors
                .heads
                .iter()
                .map(|head| format!("{}x{}+{}+{}", head.width, head.height, head.x, head.y));
            ("monitors", json!({ "display": id, "monitors": heads.collect::<Vec<_>>() }))
        }
        Event::Display(id, display::ServerMessage::Mark) => ("complete", json!({ "display": id })),
        Event::Display(id, message) if drawing => {
            let text = format!("{message:?}");
            let kind = text.split(['(', ' ']).next().unwrap_or_default();
            ("draw", json!({ "display": id, "message": kind }))
        }
        Event::Display(..) => return None,
        Event::Inputs(inputs::ServerMessage::Init(locks) | inputs::ServerMessage::KeyModifiers(locks)) => {
            ("locks", json!(format!("{:?}", locks.modifiers)))
        }
        Event::Cursor(id, cursor::ServerMessage::Move(at)) => {
            ("pointer", json!({ "display": id, "at": format!("{at:?}") }))
        }
        Event::Cursor(..) if !drawing => return None,
        other => {
            let text = format!("{other:?}");
            ("other", json!(text.split(['{', ' ']).next().unwrap_or_default()))
        }
    })
}

fn main_message(message: &main::ServerMessage) -> Option<Value> {
    Some(match message {
        main::ServerMessage::Init(init) => {
            json!({ "session": init.session_id, "agent": init.agent_connected != 0 })
        }
        main::ServerMessage::ChannelsList(list) => {
            json!({ "channels": list.channels.iter().map(|id| id.to_string()).collect::<Vec<_>>() })
        }
        main::ServerMessage::MouseMode(mode) => json!({ "mouse-mode": format!("{:?}", mode.current_mode) }),
        main::ServerMessage::Name(name) => json!({ "name": name.text() }),
        main::ServerMessage::Uuid(uuid) => json!({ "uuid": crate::info::uuid_text(uuid) }),
        main::ServerMessage::MultiMediaTime(_) => return None,
        other => json!(format!("{other:?}")),
    })
}

fn agent_event(event: &agent::Event) -> Value {
    match event {
        agent::Event::Ready(caps) => json!({ "ready": format!("{caps:?}") }),
        agent::Event::Clipboard(ClipboardEvent::Grabbed { selection, types }) => {
            json!({ "offers": format!("{selection:?}"), "types": format!("{types:?}") })
        }
        agent::Event::Clipboard(ClipboardEvent::Content { selection, data, .. }) => {
            json!({ "content": format!("{selection:?}"), "bytes": data.len() })
        }
        other => json!(format!("{other:?}")),
    }
}
