//! A session and a server against each other, on a virtual clock.

mod auth;
mod barriers;
mod channels;
mod death;
mod flow;
mod limits;
mod scene;
mod server;

use spice_proto::msg::display;
use spice_proto::session::{Address, Event, SessionConfig};
use spice_proto::testing::pair::Pair;
use spice_proto::testing::server::{Received, ServerConfig, ServerEvent, Show};
use spice_proto::types::{ChannelId, ChannelType};

const DISPLAY: ChannelId = ChannelId::new(ChannelType::DISPLAY, 0);
const DISPLAY_1: ChannelId = ChannelId::new(ChannelType::DISPLAY, 1);
const INPUTS: ChannelId = ChannelId::new(ChannelType::INPUTS, 0);
const CURSOR: ChannelId = ChannelId::new(ChannelType::CURSOR, 0);

fn client() -> SessionConfig {
    SessionConfig::new(Address::tcp("server", 5930))
}

/// A server that shows nothing by itself.
fn server() -> ServerConfig {
    ServerConfig::default().show(Show::Nothing)
}

/// A pair with these channels besides main open, and all events taken.
fn opened(server: ServerConfig, channels: &[ChannelId]) -> Pair {
    let mut pair = Pair::new(client(), server.channels(channels));
    pair.drive();
    assert_eq!(pair.session.open_channels().count(), channels.len() + 1);
    pair.events();
    pair.server_events();
    pair
}

/// What the server received on a channel.
fn received(pair: &mut Pair, wanted: ChannelId) -> Vec<Received> {
    let events = pair.server_events().into_iter();
    let on_channel = events.filter_map(|event| match event {
        ServerEvent::Received { channel, message } if channel == wanted => Some(message),
        _ => None,
    });
    on_channel.collect()
}

/// Sends on a display channel.
fn draw(pair: &mut Pair, id: u8, message: &display::ServerMessage) {
    pair.server.peer::<display::Display>(id).expect("an open display").send(message);
}

/// A drawing message that names itself by a surface.
fn stroke(name: u32) -> display::ServerMessage {
    let surface_id = spice_proto::types::SurfaceId(name);
    display::ServerMessage::SurfaceDestroy(display::SurfaceDestroy { surface_id })
}

/// The names of the strokes that arrived, with their channels, in order.
fn strokes(pair: &mut Pair) -> Vec<(u8, u32)> {
    let events = pair.events().into_iter();
    let strokes = events.filter_map(|event| match event {
        Event::Display(id, display::ServerMessage::SurfaceDestroy(message)) => {
            Some((id, message.surface_id.0))
        }
        _ => None,
    });
    strokes.collect()
}
