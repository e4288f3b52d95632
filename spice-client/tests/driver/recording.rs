//! Sessions recorded by the driver, and replayed.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use futures::{AsyncReadExt, StreamExt};
use spice_client::record::{MAX_PAYLOAD, Recorder, Recording, RecordingError, Replay, ReplayError, What};
use spice_client::spice_proto::msg::base::{self, WaitForChannel};
use spice_client::spice_proto::msg::display::{
    self, ServerMessage, StreamActivateReport, StreamData, StreamReport,
};
use spice_client::spice_proto::msg::{Message, main};
use spice_client::spice_proto::types::{ChannelId, StreamId};
use spice_client::spice_proto::wire::{Blob, Counted, Rest};
use spice_client::{Event, connect};

use super::platform::{Memory, config};
use super::server::{DISPLAY, Peer};

/// A file in memory.
#[derive(Clone, Default)]
struct Memo(Arc<Mutex<Vec<u8>>>);

impl Write for Memo {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A session with some messages on two channels: its file, and the events that it gave.
async fn session() -> (Vec<u8>, Vec<Event>) {
    let file = Memo::default();
    let recorder = Recorder::new(file.clone());
    let (platform, mut accepted) = Memory::new(1 << 20);
    let mut config = config().record(recorder.clone());
    // What the agent says is to be seen as it comes.
    config.agent = None;
    let (mut client, driver) = connect(platform, config);
    tokio::spawn(driver);
    let server = tokio::spawn(async move {
        let (mut main, mut display) = Peer::session(&mut accepted).await;
        main.send(&main::ServerMessage::AgentData(Rest(b"CLIPBOARD".to_vec().into()))).await;
        for number in 0..50 {
            display.send_long(number, 5000).await;
        }
        display.send(&ServerMessage::Mark).await;
        main.send(&main::ServerMessage::MigrateEnd).await;
        (main, display)
    });
    let mut events = Vec::new();
    let mut last = 0;
    while last < 2 {
        let event = client.next().await.expect("more").expect("no error");
        last += u8::from(matches!(
            event,
            Event::Display(0, ServerMessage::Mark) | Event::Main(main::ServerMessage::MigrateEnd)
        ));
        events.push(event);
    }
    drop(server.await.expect("served"));
    while client.next().await.is_some() {}
    let bytes = file.0.lock().unwrap().clone();
    assert_eq!(recorder.finish().unwrap(), bytes.len() as u64);
    (bytes, events)
}

fn events(file: &[u8]) -> Result<Vec<Event>, ReplayError> {
    Replay::new(Recording::new(file)?)
        .map(|item| item.map(|(_, event)| Event::try_from(event).expect("an event of the client")))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_replay_gives_the_events_of_the_session() {
    let (file, lived) = session().await;
    let replayed = events(&file).unwrap();
    // Between channels the order may differ, within one it may not.
    for pick in [|e: &Event| matches!(e, Event::Display(..)), |e: &Event| matches!(e, Event::Main(_))] {
        let of = |all: &[Event]| -> Vec<Event> {
            let secret = |e: &Event| matches!(e, Event::Main(main::ServerMessage::AgentData(_)));
            all.iter().filter(|e| pick(e) && !secret(e)).cloned().collect()
        };
        assert!(of(&lived).len() >= 3);
        assert_eq!(of(&replayed), of(&lived));
    }
    assert!(lived.iter().any(|e| matches!(e, Event::Main(main::ServerMessage::AgentData(_)))));
    assert!(!file.windows(9).any(|w| w == b"CLIPBOARD"), "left out");
    assert!(matches!(replayed.last(), Some(Event::Ended(_))));
}

#[tokio::test(start_paused = true)]
async fn a_recording_that_is_cut_off_gives_what_it_has() {
    let (file, _) = session().await;
    let whole = events(&file).unwrap().len();
    for len in (0..file.len()).step_by(997).chain(file.len() - 40..file.len()) {
        let mut count = 0;
        let Ok(recording) = Recording::new(&file[..len]) else {
            assert!(len < 16);
            continue;
        };
        for item in Replay::new(recording) {
            match item {
                Ok(_) => count += 1,
                Err(error) => {
                    assert!(matches!(error, ReplayError::Recording(RecordingError::Truncated { .. })));
                }
            }
        }
        assert!(count <= whole);
    }
}

#[tokio::test(start_paused = true)]
async fn times_and_streams_of_a_recording_are_in_order() {
    let (file, _) = session().await;
    let mut recording = Recording::new(&file[..]).unwrap();
    let (mut last, mut seen) = (Default::default(), Vec::new());
    while let Some(record) = recording.next_record().unwrap() {
        assert!(record.at >= last);
        last = record.at;
        match record.what {
            What::Opened => seen.push(record.channel),
            What::Received(bytes) | What::Sent(bytes) => assert!(!bytes.is_empty()),
            What::Closed => {}
        }
    }
    assert_eq!(seen, [ChannelId::MAIN, DISPLAY]);
}

/// Links a main and a display channel on paper, then hands `records` of the display to a replay.
fn on_paper(records: impl Iterator<Item = Vec<u8>>, file: &[u8]) -> Result<usize, ReplayError> {
    // The real session up to the display's first message, then what is made up.
    let mut recording = Recording::new(file).unwrap();
    let mut made = file[..16].to_vec();
    let mut display_bytes = 0;
    while let Some(record) = recording.next_record().unwrap() {
        let (kind, bytes) = match record.what {
            What::Opened => (1, &[][..]),
            What::Received(bytes) => (2, bytes),
            What::Sent(bytes) => (3, bytes),
            What::Closed => (4, &[][..]),
        };
        if record.channel == DISPLAY && kind == 2 {
            display_bytes += bytes.len();
            // The reply and the result; messages come in reads of their own.
            if display_bytes > 16 + 178 + 8 + 4 {
                break;
            }
        }
        put(&mut made, kind, record.channel, record.transport, bytes);
    }
    for bytes in records {
        put(&mut made, 2, DISPLAY, 1, &bytes);
    }
    events(&made).map(|events| events.len())
}

fn put(file: &mut Vec<u8>, kind: u8, channel: ChannelId, transport: u32, bytes: &[u8]) {
    file.extend_from_slice(&[kind, channel.kind.0, channel.id, 0]);
    file.extend_from_slice(&transport.to_le_bytes());
    file.extend_from_slice(&0u64.to_le_bytes());
    file.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    file.extend_from_slice(bytes);
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_waits_for_ever_keeps_a_bounded_amount() {
    let (file, _) = session().await;
    let mut barrier = bytes::BytesMut::new();
    let wait = WaitForChannel { channel: ChannelId::MAIN, message_serial: u64::MAX };
    let wait_list = Counted::new([wait][..].into()).expect("fits");
    let message = base::ServerMessage::WaitForChannels(base::WaitForChannels { wait_list });
    let mut body = bytes::BytesMut::new();
    message.encode_body(&mut body);
    barrier.extend_from_slice(&message.kind().to_le_bytes());
    barrier.extend_from_slice(&(body.len() as u32).to_le_bytes());
    barrier.extend_from_slice(&body);
    let flood = std::iter::once(barrier.to_vec()).chain(std::iter::repeat_n(vec![0; MAX_PAYLOAD], 200));
    match on_paper(flood, &file) {
        Err(ReplayError::Stuck { channel, bytes }) => {
            assert_eq!(channel, DISPLAY);
            assert!(bytes <= (160 << 20) + 2 * MAX_PAYLOAD, "{bytes} bytes");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_driver_reports_on_streams() {
    let (platform, mut accepted) = Memory::new(1 << 20);
    let (mut client, driver) = connect(platform, config());
    tokio::spawn(driver);
    tokio::spawn(async move { while client.next().await.is_some() {} });
    let (_main, mut display) = Peer::session(&mut accepted).await;
    let id = StreamId(49);
    let request = StreamActivateReport { stream_id: id, unique_id: 3, max_window_size: 2, timeout_ms: 1000 };
    display.send(&ServerMessage::StreamActivateReport(request)).await;
    for multi_media_time in [5000, 5040] {
        let data = Blob::new(vec![1; 9].into()).expect("fits");
        display.send(&ServerMessage::StreamData(StreamData { id, multi_media_time, data })).await;
    }
    // INIT comes first.
    let report = loop {
        let mut header = [0; 6];
        display.pipe.read_exact(&mut header).await.expect("a message");
        let kind = u16::from_le_bytes([header[0], header[1]]);
        let mut body = vec![0; u32::from_le_bytes(header[2..].try_into().unwrap()) as usize];
        display.pipe.read_exact(&mut body).await.expect("a body");
        if let Ok(display::ClientMessage::StreamReport(report)) =
            display::ClientMessage::decode(kind, &body.into(), 64)
        {
            break report;
        }
    };
    let StreamReport { stream_id, unique_id, num_frames, num_drops, last_frame_delay, audio_delay, .. } =
        report;
    assert_eq!((stream_id, unique_id, num_frames, num_drops), (id, 3, 2, 0));
    assert_eq!((report.start_frame_mm_time, report.end_frame_mm_time), (5000, 5040));
    assert_eq!((last_frame_delay, audio_delay), (5040, u32::MAX), "the clock is at 0");
}
