//! Frames of videos that the driver keeps until they are due.

use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc;
use spice_client::console::{Console, Notification};
use spice_client::spice_proto::msg::display::{
    ServerMessage, StreamData, SurfaceCreate, SurfaceFlags, SurfaceFormat, VideoCodecType,
};
use spice_client::spice_proto::types::{ChannelId, Rect, StreamId, SurfaceId};
use spice_client::spice_proto::wire::Blob;
use spice_client::transport::memory::Pipe;
use spice_client::video::ScheduleLimits;
use spice_client::{Client, ClientConfig, Event, connect};

use super::platform::{Memory, config};
use super::server::Peer;
use crate::streams::create;

const ID: StreamId = StreamId(49);

fn frame(stamp: u32, data: &[u8]) -> ServerMessage {
    let data = Blob::new(data.to_vec().into()).expect("fits");
    ServerMessage::StreamData(StreamData { id: ID, multi_media_time: stamp, data })
}

fn scheduled() -> ClientConfig {
    let mut config = config();
    config.schedule = Some(ScheduleLimits::default());
    config
}

/// A session in which a stream of that codec has begun. The clock is at 0.
async fn session(
    config: ClientConfig,
    codec: VideoCodecType,
) -> (Client, Peer, Peer, mpsc::UnboundedReceiver<(ChannelId, Pipe)>) {
    let (platform, mut accepted) = Memory::new(1 << 20);
    let (mut client, driver) = connect(platform, config);
    tokio::spawn(driver);
    let begun = async {
        let (main, mut display) = Peer::session(&mut accepted).await;
        display.send(&create(ID, codec)).await;
        (main, display)
    };
    let seen = async {
        loop {
            if let Event::Display(0, ServerMessage::StreamCreate(_)) = next(&mut client).await {
                return;
            }
        }
    };
    let ((main, display), ()) = futures::join!(begun, seen);
    (client, main, display, accepted)
}

async fn next(client: &mut Client) -> Event {
    client.next().await.expect("the session goes on").expect("no error")
}

/// What an event is, with the time of a frame.
fn what(event: &Event) -> (&'static str, u64) {
    match event {
        Event::Display(0, ServerMessage::StreamData(frame)) => ("shown", frame.multi_media_time.into()),
        Event::LateFrame(0, ServerMessage::StreamData(frame)) => ("late", frame.multi_media_time.into()),
        Event::FramesDropped { display: 0, frames } => ("dropped", *frames),
        Event::Display(0, ServerMessage::Mark) => ("mark", 0),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn frames_keep_their_distances_and_other_messages_pass_them() {
    let (mut client, _main, mut display, _accepted) = session(scheduled(), VideoCodecType::MJPEG).await;
    let start = tokio::time::Instant::now();
    display.send(&frame(400, &[1])).await;
    assert_eq!(what(&next(&mut client).await), ("shown", 400));
    tokio::time::sleep(Duration::from_millis(100)).await;
    for stamp in [440, 480, 520] {
        display.send(&frame(stamp, &[1])).await;
    }
    display.send(&ServerMessage::Mark).await;
    let mut seen = Vec::new();
    let mut times = Vec::new();
    for _ in 0..4 {
        seen.push(what(&next(&mut client).await));
        times.push(start.elapsed());
    }
    // The slowest came at once.
    assert_eq!(seen, [("mark", 0), ("shown", 440), ("shown", 480), ("shown", 520)]);
    assert!(times[2] >= Duration::from_millis(139) && times[3] >= Duration::from_millis(179), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_busy_application_gets_the_newest_frame_and_word_of_the_others() {
    let (mut client, _main, mut display, _accepted) = session(scheduled(), VideoCodecType::MJPEG).await;
    for step in 0..10 {
        display.send(&frame(400 + 40 * step, &[1])).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(what(&next(&mut client).await));
    }
    assert_eq!(seen, [("shown", 400), ("shown", 760), ("dropped", 8)]);
    // It goes on.
    display.send(&frame(5000, &[1])).await;
    assert_eq!(what(&next(&mut client).await), ("shown", 5000));
}

#[tokio::test(start_paused = true)]
async fn frames_that_others_build_on_are_not_dropped() {
    let (mut client, _main, mut display, _accepted) = session(scheduled(), VideoCodecType::VP8).await;
    for step in 0..4 {
        display.send(&frame(400 + 40 * step, &[1])).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    for expected in [("shown", 400), ("late", 440), ("late", 480), ("shown", 520)] {
        assert_eq!(what(&next(&mut client).await), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_schedule_frames_come_as_they_arrive() {
    for schedule in [None, Some(ScheduleLimits::NOTHING)] {
        let mut config = config();
        config.schedule = schedule;
        let (mut client, _main, mut display, _accepted) = session(config, VideoCodecType::MJPEG).await;
        let stamps = [400, 440, 300, 480];
        for stamp in stamps {
            display.send(&frame(stamp, &[1])).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        for stamp in stamps {
            assert_eq!(what(&next(&mut client).await), ("shown", u64::from(stamp)));
        }
    }
}

/// The last frame of a display is what its picture stays at.
#[tokio::test(start_paused = true)]
async fn what_waits_comes_before_the_end_of_its_channel_or_session() {
    for ends_alone in [true, false] {
        let (mut client, main, mut display, _accepted) = session(scheduled(), VideoCodecType::MJPEG).await;
        for stamp in [400, 440, 480, 520] {
            display.send(&frame(stamp, &[1])).await;
        }
        assert_eq!(what(&next(&mut client).await), ("shown", 400));
        if ends_alone {
            drop(display);
        } else {
            drop((main, display));
        }
        let mut seen = Vec::new();
        loop {
            match client.next().await {
                Some(Ok(Event::ChannelClosed { .. })) | Some(Err(_)) | None => break,
                Some(Ok(event)) => seen.push(what(&event)),
            }
        }
        assert_eq!(seen, [("shown", 520), ("dropped", 2)], "{ends_alone}");
    }
}

/// What a console tells of three frames of which it gets the first in time.
async fn told(config: ClientConfig) -> (usize, u64) {
    let jpeg = include_bytes!("../../src/canvas/tests/half.jpg");
    let (platform, mut accepted) = Memory::new(1 << 20);
    let (connecting, driver) = Console::connect_with(platform, config);
    tokio::spawn(driver);
    let begun = async {
        let (main, mut display) = Peer::session(&mut accepted).await;
        let (surface_id, format, flags) = (SurfaceId(0), SurfaceFormat::XRGB, SurfaceFlags::PRIMARY);
        let surface = SurfaceCreate { surface_id, width: 64, height: 64, format, flags };
        display.send(&ServerMessage::SurfaceCreate(surface)).await;
        display.send(&ServerMessage::Mark).await;
        (main, display)
    };
    let ((_main, mut display), console) = futures::join!(begun, connecting);
    let mut console = console.expect("a picture");
    display.send(&create(ID, VideoCodecType::MJPEG)).await;
    for stamp in [400, 440, 480] {
        display.send(&frame(stamp, jpeg)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (mut frames, mut dropped) = (0, 0);
    while let Ok(notification) = tokio::time::timeout(Duration::from_secs(1), console.next()).await {
        match notification.expect("the session goes on").expect("no error") {
            Notification::FrameReceived { damage, .. } if damage == [Rect::at(0, 0, 8, 8)] => frames += 1,
            Notification::Other(Event::FramesDropped { frames, .. }) => dropped += frames,
            Notification::Canvas { event, .. } => println!("{event:?}"),
            _ => {}
        }
    }
    (frames, dropped)
}

#[tokio::test(start_paused = true)]
async fn a_console_shows_frames_when_they_are_due_unless_it_is_told_not_to() {
    assert_eq!(told(config()).await, (2, 1));
    let mut raw = config();
    raw.schedule = Some(ScheduleLimits::NOTHING);
    assert_eq!(told(raw).await, (3, 0));
}
