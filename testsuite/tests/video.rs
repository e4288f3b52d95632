//! A moving picture on a real desktop, which the server turns into a video stream.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use spice_client::canvas::{AheadLimits, CanvasConfig, Decoders, Displays, Prepared, SharedCaches};
use spice_client::record::{Recorder, Recording, Replay, What};
use spice_proto::msg::Message;
use spice_proto::msg::display::{ClientMessage, ServerMessage};
use spice_proto::session::Event;
use spice_proto::types::ChannelType;
use testsuite::live::Viewer;
use testsuite::temp::TempDir;
use testsuite::wait_for;
use testsuite::xspice::{Options, Xspice};

/// Frames come, wait for their time and are shown; reports go back; and the recording of all this gives the same
/// messages again.
#[test]
fn a_film_becomes_a_stream() {
    let folder = TempDir::new("film").unwrap();
    let path = folder.file("session.rec");
    let recorder = Recorder::new(File::create(&path).unwrap());
    let options = Options { video: true, ..Options::new("auto_glz", false) };
    let mut xspice = Xspice::start(options).unwrap();
    let viewer = Viewer::connect_with(xspice.port(), |config| config.record(recorder.clone())).unwrap();
    xspice.play().unwrap();
    let shown = wait_for("a video stream", Duration::from_secs(60), || {
        viewer.check()?;
        xspice.check_running()?;
        let seen = viewer.seen();
        Ok((seen.streams > 0 && seen.shown >= 40).then_some(seen))
    });
    println!("{:?}", viewer.seen());
    let shown = shown.unwrap();
    assert_eq!(shown.undrawn, Vec::<String>::new());
    assert!(shown.report_requests > 0, "the server saw that we report");
    assert!(viewer.picture().unwrap().colours() > 500, "the film is on the screen");
    drop(viewer);
    recorder.finish().unwrap();

    let reports = sent(&path).into_iter().filter(|m| matches!(m, ClientMessage::StreamReport(_))).count();
    println!("{reports} reports on {} frames, {} shown", shown.frames, shown.shown);
    assert!(reports as u64 >= shown.frames / 6, "one report for five frames");
    let recording = Recording::new(BufReader::new(File::open(&path).unwrap())).unwrap();
    let frames = Replay::new(recording).map(Result::unwrap).filter(|(_, event)| is_frame(event)).count();
    assert!(frames as u64 >= shown.frames, "{frames} frames recorded, {} seen", shown.frames);

    let drawn = draw(&path, None);
    assert!(drawn.windows(4).any(|px| px[..3] != drawn[..3]), "something is on the screen");
    for threads in [1, 2] {
        let config = CanvasConfig::default();
        let decoders = Decoders::new(threads, &config.limits, AheadLimits::new(64 << 20, 0)).unwrap();
        assert!(
            draw(&path, Some(&decoders)) == drawn,
            "{threads} threads that decode ahead change the picture"
        );
    }
}

/// What a recording leaves on the screen, drawn message by message, or behind pictures that are decoded ahead.
fn draw(path: &Path, decoders: Option<&Decoders>) -> Vec<u8> {
    let recording = Recording::new(BufReader::new(File::open(path).unwrap())).unwrap();
    let mut displays = Displays::new(CanvasConfig::default(), SharedCaches::default());
    let mut ahead: VecDeque<(u8, Prepared)> = VecDeque::new();
    for (_, event) in Replay::new(recording).map(Result::unwrap) {
        let Event::Display(id, message) = event else { continue };
        let Some(decoders) = decoders else {
            displays.apply(id, &message).unwrap();
            continue;
        };
        ahead.push_back((id, decoders.prepare(message)));
        if ahead.len() > 40
            && let Some((id, prepared)) = ahead.pop_front()
        {
            displays.apply_prepared(id, &prepared).unwrap();
        }
    }
    for (id, prepared) in ahead {
        displays.apply_prepared(id, &prepared).unwrap();
    }
    let view = displays.canvas(0).unwrap().primary().unwrap();
    let mut pixels = vec![0; (view.width() * view.height() * 4) as usize];
    view.write_rgba(view.rect(), &mut pixels);
    pixels
}

fn is_frame(event: &Event) -> bool {
    matches!(event, Event::Display(_, ServerMessage::StreamData(_) | ServerMessage::StreamDataSized(_)))
}

/// What the client said on its display channel behind the link.
fn sent(path: &Path) -> Vec<ClientMessage> {
    let file = fs::read(path).unwrap();
    let mut recording = Recording::new(&file[..]).unwrap();
    let mut bytes = Vec::new();
    while let Some(record) = recording.next_record().unwrap() {
        if let (ChannelType::DISPLAY, What::Sent(part)) = (record.channel.kind, record.what) {
            bytes.extend_from_slice(part);
        }
    }
    // The link message with its header, the choice of a mechanism, the ticket.
    let link = 16 + u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    let mut rest = &bytes[link + 4 + 128..];
    let mut messages = Vec::new();
    while let Some((header, tail)) = rest.split_at_checked(6) {
        let kind = u16::from_le_bytes([header[0], header[1]]);
        let len = u32::from_le_bytes(header[2..].try_into().unwrap()) as usize;
        let body = tail[..len].to_vec().into();
        // Answers to acknowledgements and pings stand below 101.
        if kind > 100 {
            messages.push(ClientMessage::decode(kind, &body, 64).unwrap());
        }
        rest = &tail[len..];
    }
    messages
}
