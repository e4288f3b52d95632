//! Events as they come, a line each.

use serde_json::{Value, json};
use spice_client::Event;
use spice_client::agent::{self, ClipboardEvent};
use spice_proto::msg::{Message as _, cursor, display, inputs, main};
use spice_proto::types::ChannelType;
use tokio::time::timeout;

use crate::error::Error;
use crate::info::{names, uuid_text};
use crate::report::{Report, plain};
use crate::seconds::Seconds;
use crate::session::{Options, Session};

/// Shows what happens, a line for each event, until it is interrupted or the session ends. The contents of clipboards
/// are not shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,

    /// Ends after so many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    duration: Option<Seconds>,

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
                report.tell(&format!("{name} {}", plain(&what)), &json!({ "event": name, "what": what }))?;
            }
        }
    };
    let result = match args.duration {
        // Being done with watching is no error.
        Some(limit) => timeout(limit.duration(), watching).await.unwrap_or(Ok(())),
        None => watching.await,
    };
    session.leave().await;
    result
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
        Event::Display(id, display::ServerMessage::SurfaceCreate(surface))
            if drawing || surface.flags.contains(display::SurfaceFlags::PRIMARY) =>
        {
            (
                "surface",
                json!({ "display": id, "surface": surface.surface_id.0, "width": surface.width, "height": surface.height }),
            )
        }
        Event::Display(id, display::ServerMessage::MonitorsConfig(monitors)) => {
            let heads = monitors
                .heads
                .iter()
                .map(|head| format!("{}x{}+{}+{}", head.width, head.height, head.x, head.y));
            ("monitors", json!({ "display": id, "monitors": heads.collect::<Vec<_>>() }))
        }
        Event::Display(id, display::ServerMessage::Mark) => ("complete", json!({ "display": id })),
        Event::Display(id, message) if drawing => {
            ("draw", json!({ "display": id, "message": message.name() }))
        }
        Event::Display(..) => return None,
        Event::Inputs(inputs::ServerMessage::Init(locks) | inputs::ServerMessage::KeyModifiers(locks)) => {
            ("locks", json!(names(locks.modifiers)))
        }
        Event::Cursor(id, cursor::ServerMessage::Move(at)) => {
            ("pointer", json!({ "display": id, "x": at.position.x, "y": at.position.y }))
        }
        Event::Cursor(..) if !drawing => return None,
        other => ("other", json!(name(other))),
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
        main::ServerMessage::MouseMode(mode) => json!({ "mouse-mode": names(mode.current_mode) }),
        main::ServerMessage::AgentConnected | main::ServerMessage::AgentConnectedTokens(_) => {
            json!({ "agent": true })
        }
        main::ServerMessage::AgentDisconnected(_) => json!({ "agent": false }),
        main::ServerMessage::Name(name) => json!({ "name": name.text() }),
        main::ServerMessage::Uuid(uuid) => json!({ "uuid": uuid_text(uuid) }),
        main::ServerMessage::MultiMediaTime(_) => return None,
        other => json!(other.name()),
    })
}

fn agent_event(event: &agent::Event) -> Value {
    match event {
        agent::Event::Ready(caps) => json!({ "ready": names(*caps) }),
        agent::Event::Gone => json!({ "gone": true }),
        agent::Event::Clipboard(event) => clipboard_event(event),
        agent::Event::ClipboardTaken { selection, kind } => {
            json!({ "taken": name(selection), "type": name(kind) })
        }
        agent::Event::FileProgress { transfer, sent, size } => {
            json!({ "file": transfer.0, "sent": sent, "size": size })
        }
        agent::Event::FileEnded { transfer, outcome } => {
            json!({ "file": transfer.0, "ended": outcome.to_string() })
        }
        agent::Event::Reply(reply) => json!({ "reply": name(&reply.kind), "result": name(&reply.error) }),
        agent::Event::Skipped(error) | agent::Event::Broken(error) => json!({ "error": error.to_string() }),
        other => json!(name(other)),
    }
}

/// Who offers or wants what; never the content.
fn clipboard_event(event: &ClipboardEvent) -> Value {
    match event {
        ClipboardEvent::Grabbed { selection, types } => {
            json!({ "offers": name(selection), "types": types.iter().map(name).collect::<Vec<_>>() })
        }
        ClipboardEvent::Released { selection, .. } => json!({ "withdraws": name(selection) }),
        ClipboardEvent::Requested { selection, kind } => {
            json!({ "wants": name(selection), "type": name(kind) })
        }
        ClipboardEvent::Content { selection, data, .. } => {
            json!({ "content": name(selection), "bytes": data.len() })
        }
        ClipboardEvent::Failed { selection, why, .. } => {
            json!({ "failed": name(selection), "error": why.to_string() })
        }
        other => json!(name(other)),
    }
}

/// The name of a value, without what it holds.
fn name(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}").to_lowercase();
    let end = text.find(['{', '(', ' ']).unwrap_or(text.len());
    text[..end].rsplit("::").next().unwrap_or_default().to_owned()
}
