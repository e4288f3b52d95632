//! Commands that depend on what the server has announced.

use spice_proto::caps::{DisplayCaps, InputsCaps};
use spice_proto::channel::display::{Display, DisplayConfig};
use spice_proto::channel::inputs::{Inputs, Scancode};
use spice_proto::link::HeaderKind;
use spice_proto::msg::display::{ImageCompression, StreamReport};
use spice_proto::types::ChannelType;
use spice_proto::{Instant, ProtocolError};

use super::Fed;

const NOW: Instant = Instant::ZERO;

fn display(caps: DisplayCaps) -> Fed<Display> {
    let logic = Display::new(DisplayConfig::default());
    Fed::linked(ChannelType::DISPLAY, logic, HeaderKind::Mini, caps)
}

fn is_misuse<T>(result: Result<T, ProtocolError>) -> bool {
    matches!(result, Err(ProtocolError::Misuse(_)))
}

#[test]
fn raw_scan_codes_need_the_servers_capability() {
    let mut fed = Fed::linked(ChannelType::INPUTS, Inputs::default(), HeaderKind::Mini, InputsCaps::empty());
    assert!(is_misuse(fed.channel.scancodes(NOW, &[0x1e, 0x9e])));
    assert_eq!(fed.channel.poll_transmit(), None);
    // The refusal leaves the channel as it was.
    assert_eq!(fed.channel.key_down(NOW, Scancode::plain(0x1e)), Ok(()));
    let mut fed =
        Fed::linked(ChannelType::INPUTS, Inputs::default(), HeaderKind::Mini, InputsCaps::KEY_SCANCODE);
    assert_eq!(fed.channel.scancodes(NOW, &[0x1e, 0x9e]), Ok(()));
    assert_eq!(fed.channel.poll_transmit().unwrap()[..], [104, 0, 2, 0, 0, 0, 0x1e, 0x9e]);
}

#[test]
fn stream_reports_need_the_servers_capability() {
    let mut fed = display(DisplayCaps::empty());
    assert!(is_misuse(fed.channel.report_stream(NOW, StreamReport::default())));
    assert_eq!(fed.channel.poll_transmit(), None);
    let mut fed = display(DisplayCaps::STREAM_REPORT);
    assert_eq!(fed.channel.report_stream(NOW, StreamReport::default()), Ok(()));
}

#[test]
fn wishes_for_compression_need_the_servers_capability() {
    let mut fed = display(DisplayCaps::empty());
    assert!(is_misuse(fed.channel.prefer_compression(NOW, ImageCompression::QUIC)));
    let mut fed = display(DisplayCaps::PREF_COMPRESSION);
    assert_eq!(fed.channel.prefer_compression(NOW, ImageCompression::QUIC), Ok(()));
    assert_eq!(fed.channel.poll_transmit().unwrap()[..], [103, 0, 1, 0, 0, 0, 4]);
}
