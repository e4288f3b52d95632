//! Message data: layouts byte by byte, and laws that hold for all of them.

use bytes::Bytes;
use proptest::prelude::*;
use spice_agent_proto::AgentCaps;
use spice_agent_proto::caps::{AnnounceCapabilities, Layout};
use spice_agent_proto::clipboard::{
    Clipboard, ClipboardGrab, ClipboardRelease, ClipboardRequest, DataType, Selection,
};
use spice_agent_proto::file_xfer::{
    FileXferData, FileXferResult, FileXferStart, FileXferStatus, Metadata, StatusDetail,
};
use spice_agent_proto::monitors::{Monitor, MonitorsConfig, PhysicalSize};
use spice_agent_proto::msg::{
    AudioVolumeSync, DisplayConfig, DisplayFlags, MaxClipboard, Message, MessageType, Reply, ReplyCode,
};
use spice_agent_proto::server::{AgentButtons, DeviceDisplayInfo, GraphicsDeviceInfo, MouseState};
use spice_agent_proto::testing;
use spice_proto::DecodeErrorKind;
use spice_proto::wire::{Blob, Counted};

use crate::hex;

const FULL: Layout = Layout { selection: true, grab_serial: true };
const PLAIN: Layout = Layout { selection: false, grab_serial: false };

#[track_caller]
fn assert_stands_for(layout: Layout, body: &str, message: Message) {
    let body = hex(body);
    assert_eq!(testing::body(&message, layout), body);
    assert_eq!(Message::decode(message.kind(), &body, layout), Ok(message));
}

#[test]
fn fixed_messages() {
    let buttons = AgentButtons::LEFT | AgentButtons::EXTRA;
    assert_stands_for(
        PLAIN,
        "01000000 02000000 82000000 03",
        Message::MouseState(MouseState { x: 1, y: 2, buttons, display_id: 3 }),
    );
    assert_stands_for(
        PLAIN,
        "02000000 01000000",
        Message::Reply(Reply { kind: MessageType::MONITORS_CONFIG, error: ReplyCode::SUCCESS }),
    );
    assert_stands_for(
        PLAIN,
        "05000000 00000000",
        Message::DisplayConfig(DisplayConfig {
            flags: DisplayFlags::DISABLE_WALLPAPER | DisplayFlags::DISABLE_ANIMATION,
            depth: 0,
        }),
    );
    assert_stands_for(PLAIN, "", Message::ClientDisconnected);
    assert_stands_for(PLAIN, "FFFFFFFF", Message::MaxClipboard(MaxClipboard::UNLIMITED));
    assert_stands_for(
        PLAIN,
        "01 00 02 FFFF 0080",
        Message::AudioVolumeSync(AudioVolumeSync {
            is_playback: 1,
            mute: 0,
            volume: Counted::new([0xFFFF, 0x8000].into_iter().collect()).unwrap(),
        }),
    );
}

#[test]
fn announcements_of_known_peers() {
    let linux = AgentCaps::AGENT - AgentCaps::MONITORS_CONFIG_POSITION;
    assert_eq!(linux.bits(), 0x0003_8DE7);
    assert_eq!(AgentCaps::CLIENT.bits(), 0x0003_5077);
    assert_stands_for(
        PLAIN,
        "01000000 E78D0300",
        Message::AnnounceCapabilities(AnnounceCapabilities::new(true, linux)),
    );
}

#[test]
fn announcements_may_have_any_number_of_words() {
    let caps = |body: &str| match Message::decode(MessageType::ANNOUNCE_CAPABILITIES, &hex(body), PLAIN) {
        Ok(Message::AnnounceCapabilities(announce)) => Some(announce.caps()),
        _ => None,
    };
    assert_eq!(caps("00000000"), Some(AgentCaps::empty()));
    assert_eq!(caps("00000000 01000000 FFFFFFFF 0102"), Some(AgentCaps::MOUSE_STATE));
    assert_eq!(caps("000000"), None);
}

#[test]
fn clipboard_messages_with_selection_and_serial() {
    let selection = Selection::Primary;
    let (kind, data) = (DataType::UTF8_TEXT, Bytes::from_static(b"hi"));
    assert_stands_for(
        FULL,
        "01000000 01000000 6869",
        Message::Clipboard(Clipboard { selection, kind, data }),
    );
    assert_stands_for(
        FULL,
        "01000000 07000000 01000000 02000000",
        Message::ClipboardGrab(ClipboardGrab {
            selection,
            serial: 7,
            types: [DataType::UTF8_TEXT, DataType::IMAGE_PNG].into_iter().collect(),
        }),
    );
    assert_stands_for(
        FULL,
        "01000000 05000000",
        Message::ClipboardRequest(ClipboardRequest { selection, kind: DataType::IMAGE_JPG }),
    );
    assert_stands_for(FULL, "01000000", Message::ClipboardRelease(ClipboardRelease { selection }));
}

#[test]
fn clipboard_messages_without_selection_and_serial() {
    let selection = Selection::Clipboard;
    let (kind, data) = (DataType::UTF8_TEXT, Bytes::from_static(b"hi"));
    assert_stands_for(PLAIN, "01000000 6869", Message::Clipboard(Clipboard { selection, kind, data }));
    let types = [kind].into_iter().collect();
    assert_stands_for(
        PLAIN,
        "01000000",
        Message::ClipboardGrab(ClipboardGrab { selection, serial: 0, types }),
    );
    assert_stands_for(PLAIN, "01000000", Message::ClipboardRequest(ClipboardRequest { selection, kind }));
    assert_stands_for(PLAIN, "", Message::ClipboardRelease(ClipboardRelease { selection }));
}

#[test]
fn other_selections_cannot_be_said_without_the_prefix() {
    let release = Message::ClipboardRelease(ClipboardRelease { selection: Selection::Primary });
    assert!(release.encode(PLAIN, &mut bytes::BytesMut::new()).is_err());
}

#[test]
fn selections_above_2_are_rejected() {
    for kind in [4, 7, 8, 9].map(MessageType) {
        let len = if kind == MessageType::CLIPBOARD_RELEASE { 4 } else { 8 };
        let body = hex("03000000 01000000").slice(..len);
        let error = Message::decode(kind, &body, FULL).unwrap_err();
        assert_eq!((error.field, error.at), ("selection", 4), "{kind:?}");
    }
}

#[test]
fn file_transfer_messages() {
    let metadata = Metadata { name: "a b.txt".into(), size: 5 << 32 };
    let start = FileXferStart::new(9, &metadata);
    let body = testing::body(&Message::FileXferStart(start.clone()), PLAIN);
    assert_eq!(&body[4..], b"[vdagent-file-xfer]\nname=a b.txt\nsize=21474836480\n\0");
    assert_eq!(start.parse(), Ok(metadata));
    assert_stands_for(
        PLAIN,
        "09000000 0200000000000000 AABB",
        Message::FileXferData(FileXferData::new(9, Bytes::from_static(&[0xAA, 0xBB]))),
    );
    for (result, detail, body) in [
        (FileXferResult::CANCELLED, StatusDetail::None, "09000000 01000000"),
        (FileXferResult::ERROR, StatusDetail::Io { code: 31 }, "09000000 02000000 00 1F000000"),
        (
            FileXferResult::NOT_ENOUGH_SPACE,
            StatusDetail::FreeSpace(4096),
            "09000000 04000000 0010000000000000",
        ),
        (FileXferResult::DISABLED, StatusDetail::None, "09000000 07000000"),
    ] {
        let status = FileXferStatus::with_detail(9, result, detail);
        assert_eq!(status.detail(), detail);
        assert_stands_for(PLAIN, body, Message::FileXferStatus(status));
    }
}

#[test]
fn details_that_are_cut_or_misplaced_mean_nothing() {
    for (result, body) in
        [(2, "00 1F0000"), (2, "01 1F000000"), (4, "00100000000000"), (3, "0010000000000000")]
    {
        let detail = spice_proto::wire::Rest(hex(body));
        let status = FileXferStatus { id: 1, result: FileXferResult(result), detail };
        assert_eq!(status.detail(), StatusDetail::None, "{body}");
    }
}

#[test]
fn monitors_have_height_before_width() {
    let monitors = [Monitor::new(1920, 1080), Monitor::new(640, 480).at(1920, -1)];
    let config = MonitorsConfig::new(&monitors, true).unwrap();
    assert_stands_for(
        PLAIN,
        "02000000 01000000
         38040000 80070000 20000000 00000000 00000000
         E0010000 80020000 20000000 80070000 FFFFFFFF",
        Message::MonitorsConfig(config),
    );
    let config = MonitorsConfig::new(&monitors[..1], false)
        .and_then(|config| config.with_physical_sizes(&[PhysicalSize { height_mm: 300, width_mm: 500 }]))
        .unwrap();
    assert_stands_for(
        PLAIN,
        "01000000 02000000  38040000 80070000 20000000 00000000 00000000  2C01 F401",
        Message::MonitorsConfig(config),
    );
}

#[test]
fn monitors_that_are_off_are_left_out_unless_the_agent_takes_them() {
    let sizes = [1, 2, 3].map(|n| PhysicalSize { height_mm: n, width_mm: n });
    let monitors = [Monitor::new(2, 2), Monitor::DISABLED, Monitor::new(4, 4)];
    let config = MonitorsConfig::new(&monitors, false).unwrap().with_physical_sizes(&sizes).unwrap();
    assert_eq!(config.for_agent(AgentCaps::SPARSE_MONITORS_CONFIG), config);
    let dense = config.for_agent(AgentCaps::empty());
    assert_eq!(dense.monitors().iter().collect::<Vec<_>>(), [monitors[0], monitors[2]]);
    assert_eq!(dense.physical_sizes().unwrap().iter().collect::<Vec<_>>(), [sizes[0], sizes[2]]);
}

/// CVE-2017-7506: the number of monitors, and what the size of the message leaves of them, are not compared.
#[test]
fn cve_2017_7506_monitors_that_are_not_in_the_message() {
    let body = |count: u32, flags: u32, len: usize| {
        let bytes = [&count.to_le_bytes()[..], &flags.to_le_bytes(), &vec![0; len]].concat();
        Message::decode(MessageType::MONITORS_CONFIG, &bytes.into(), PLAIN)
            .map(|_| ())
            .map_err(|error| error.field)
    };
    // 20 bytes a monitor, 4 more with its physical size (flag 2). 214748365 times 20 is 4 in 32 bits.
    for count in [257, 214_748_365, 1 << 31, u32::MAX] {
        for flags in [0, 2, u32::MAX] {
            assert_eq!(body(count, flags, 4000), Err("num_of_monitors"));
        }
    }
    assert_eq!([body(2, 0, 40), body(2, 2, 48)], [Ok(()); 2]);
    assert_eq!([body(2, 0, 39), body(256, 0, 0), body(256, 0, 5119)], [Err("monitors"); 3]);
    assert_eq!([body(2, 2, 47), body(2, 2, 40), body(256, 2, 5120)], [Err("physical_sizes"); 3]);
    // Shorter than what comes before the monitors.
    for len in 0..8 {
        assert!(Message::decode(MessageType::MONITORS_CONFIG, &vec![0; len].into(), PLAIN).is_err());
    }
}

#[test]
fn monitors_are_at_most_256() {
    assert!(MonitorsConfig::new(&[Monitor::DISABLED; 256], false).is_ok());
    assert!(MonitorsConfig::new(&[Monitor::DISABLED; 257], false).is_err());
    let mut body = vec![0; 8 + 257 * 20];
    body[..2].copy_from_slice(&[1, 1]);
    let error = Message::decode(MessageType::MONITORS_CONFIG, &body.into(), PLAIN).unwrap_err();
    assert_eq!((error.field, error.at), ("num_of_monitors", 4));
}

#[test]
fn graphics_devices_of_a_machine_with_two_heads() {
    let display = |n| DeviceDisplayInfo {
        channel_id: 0,
        monitor_id: n,
        device_display_id: n,
        device_address: Blob::new(Bytes::from_static(b"pci/0000/01.0\0")).unwrap(),
    };
    assert_eq!(display(0).address(), Some("pci/0000/01.0"));
    assert_stands_for(
        PLAIN,
        "02000000
         00000000 00000000 00000000 0E000000 7063692F303030302F30312E30 00
         00000000 01000000 01000000 0E000000 7063692F303030302F30312E30 00",
        Message::GraphicsDeviceInfo(GraphicsDeviceInfo { displays: vec![display(0), display(1)] }),
    );
}

#[test]
fn counts_beyond_the_data_are_errors_and_cost_nothing() {
    for (kind, body) in [
        (MessageType::MONITORS_CONFIG, "FF000000 00000000 00000000"),
        (MessageType::GRAPHICS_DEVICE_INFO, "FFFFFFFF 00000000 00000000 00000000 FFFFFFFF 00"),
        (MessageType::AUDIO_VOLUME_SYNC, "00 00 FF 0000"),
    ] {
        let body = hex(body);
        let info = allocation_counter::measure(|| {
            let error = Message::decode(kind, &body, PLAIN).unwrap_err();
            assert!(matches!(error.kind, DecodeErrorKind::Truncated { .. }), "{error}");
        });
        assert_eq!(info.bytes_max, 0, "{kind:?}");
    }
}

#[test]
fn messages_of_a_fixed_length_have_no_other() {
    for (kind, len) in [(1, 13), (3, 8), (5, 8), (8, 8), (9, 4), (13, 0), (14, 4)] {
        for body_len in 0..len + 3 {
            let body = Bytes::from(vec![0; body_len]);
            let decoded = Message::decode(MessageType(kind), &body, FULL);
            assert_eq!(decoded.is_ok(), body_len == len, "type {kind}, {body_len} bytes: {decoded:?}");
        }
    }
}

#[test]
fn unknown_messages_pass_through() {
    assert_stands_for(FULL, "010203", Message::Unknown { kind: MessageType(17), body: hex("010203") });
}

proptest! {
    #[test]
    fn every_message_round_trips(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        testing::round_trips(&bytes);
    }

    #[test]
    fn any_body_gives_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        testing::any_body(&bytes);
    }

    #[test]
    fn any_body_of_small_numbers_gives_a_value_or_an_error(
        bytes in prop::collection::vec(prop_oneof![5 => Just(0u8), 2 => 0u8..10], 0..200),
    ) {
        testing::any_body(&bytes);
    }
}
