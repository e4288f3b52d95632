//! What a machine says of itself.

use std::time::Duration;

use serde_json::{Value, json};
use spice_client::Event;
use spice_client::agent::AgentCaps;
use spice_proto::caps::{DisplayCaps, InputsCaps, MainCaps};
use spice_proto::msg::main::{Init, ServerMessage, Uuid};
use spice_proto::types::{ChannelId, ChannelType};
use tokio::time::timeout;

use crate::error::Error;
use crate::report::Report;
use crate::session::{Awaited, Options, Session};

/// Tells a machine's name, id, channels, capabilities and agent.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,
}

/// What has been learned so far.
#[derive(Debug, Default)]
struct Known {
    init: Option<Init>,
    /// Whether there is an agent now.
    connected: bool,
    name: Option<String>,
    uuid: Option<String>,
    channels: Option<Vec<ChannelId>>,
    open: Vec<ChannelId>,
    agent: Option<AgentCaps>,
}

pub(crate) async fn run(args: Args, report: Report) -> Result<(), Error> {
    let channels = [ChannelType::DISPLAY, ChannelType::INPUTS];
    let mut session = Session::connect(&args.options, &channels)?;
    let mut known = Known::default();
    session
        .find(CHANNELS, |event| {
            known.look(event);
            known.is_linked().then_some(())
        })
        .await?;
    // The agent answers soon or not at all; without one there is nothing to wait for.
    if known.connected {
        let answer = session.handle().wait_for_agent();
        if let Ok(caps) = timeout(AGENT, session.watch(answer, |event| known.look(event))).await {
            known.agent = Some(caps?);
        }
    }
    let (sender, capabilities) = tokio::sync::oneshot::channel();
    session.handle().run(move |session, _| {
        let main = session.main().map(|channel| names(MainCaps::from(channel.server_caps())));
        let display = session.display(0).map(|channel| names(DisplayCaps::from(channel.server_caps())));
        let inputs = session.inputs().map(|channel| names(InputsCaps::from(channel.server_caps())));
        let _ = sender.send(json!({ "main": main, "display": display, "inputs": inputs }));
    })?;
    let capabilities = capabilities.await.unwrap_or_default();
    session.leave().await;
    let value = known.value(capabilities);
    report.tell(&text(&value), &value)
}

impl Known {
    fn look(&mut self, event: &Event) {
        match event {
            Event::Main(ServerMessage::Init(init)) => {
                self.init = Some(*init);
                self.connected = init.agent_connected != 0;
            }
            Event::Main(ServerMessage::AgentConnected | ServerMessage::AgentConnectedTokens(_)) => {
                self.connected = true;
            }
            Event::Main(ServerMessage::AgentDisconnected(_)) => self.connected = false,
            Event::Main(ServerMessage::Name(name)) => self.name = name.text().map(str::to_owned),
            Event::Main(ServerMessage::Uuid(uuid)) => self.uuid = Some(uuid_text(uuid)),
            Event::Main(ServerMessage::ChannelsList(list)) => {
                self.channels = Some(list.channels.iter().collect())
            }
            Event::ChannelOpened(id) => self.open.push(*id),
            _ => {}
        }
    }

    /// Whether everything is there that comes without asking.
    fn is_linked(&self) -> bool {
        let wanted = |id: &&ChannelId| matches!(id.kind, ChannelType::DISPLAY | ChannelType::INPUTS);
        self.channels.as_ref().is_some_and(|all| all.iter().filter(wanted).all(|id| self.open.contains(id)))
    }

    fn value(&self, capabilities: Value) -> Value {
        let channels = self.channels.iter().flatten().map(ToString::to_string);
        let modes = self.init.map(|init| {
            let modes = init.supported_mouse_modes.modes;
            modes.iter_names().map(|(name, _)| name.to_lowercase()).collect::<Vec<_>>()
        });
        json!({
            "name": self.name,
            "uuid": self.uuid,
            "channels": channels.collect::<Vec<_>>(),
            "mouse_modes": modes,
            "capabilities": capabilities,
            "agent": self.connected,
            "agent_capabilities": self.agent.map(names),
        })
    }
}

/// The names of the capabilities that are set.
pub(crate) fn names<F: bitflags::Flags>(caps: F) -> Vec<String> {
    caps.iter_names().map(|(name, _)| name.to_lowercase()).collect()
}

/// The value for people: a line for each part that is known.
fn text(value: &Value) -> String {
    lines(value).join("\n")
}

fn lines(value: &Value) -> Vec<String> {
    let Value::Object(parts) = value else { return Vec::new() };
    let line = |(name, part): (&String, &Value)| match part {
        Value::Null => Vec::new(),
        Value::String(text) => vec![format!("{name}: {text}")],
        Value::Array(items) => {
            let items: Vec<_> = items.iter().filter_map(Value::as_str).collect();
            vec![format!("{name}: {}", items.join(" "))]
        }
        Value::Object(_) => lines(part).into_iter().map(|line| format!("{name} {line}")).collect(),
        other => vec![format!("{name}: {other}")],
    };
    parts.iter().flat_map(line).collect()
}

/// The usual form of an id.
pub(crate) fn uuid_text(uuid: &Uuid) -> String {
    let hex: String = uuid.uuid.iter().map(|byte| format!("{byte:02x}")).collect();
    // Every byte has made two characters.
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hex[part].to_owned()).join("-")
}

/// How long an agent may take to say what it can do.
const AGENT: Duration = Duration::from_secs(5);

const CHANNELS: Awaited =
    Awaited { what: "the machine's list of channels", advice: "check that the machine runs" };
