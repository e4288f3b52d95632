//! A recording sent to any SPICE client, to compare clients with each other.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use serde_json::json;
use spice_client::record::What;
use spice_proto::types::{ChannelId, ChannelType};

use super::open;
use crate::error::Error;
use crate::report::Report;

/// Serves one client to the end of the recording. Every connection gets the bytes of its channel at once and is closed
/// behind the last of them; the main channel's comes last, since clients end with it.
pub(super) fn run(file: &Path, address: &str, report: Report) -> Result<(), Error> {
    let fail = |source| Error::Serve { address: address.into(), source };
    let listener = TcpListener::bind(address).map_err(fail)?;
    let local = listener.local_addr().map_err(fail)?;
    report.tell(&format!("waiting for a client on {local}"), &json!({ "listening": local.to_string() }))?;
    let displays = recorded(file)?.into_iter().filter(|channel| channel.kind == ChannelType::DISPLAY).count();
    let (over, ended) = mpsc::channel();
    let path = file.to_path_buf();
    // Clients connect as many of the other channels as they like, when they like.
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let Ok(channel) = asked(&mut stream) else { continue };
            let (path, over) = (path.clone(), over.clone());
            thread::spawn(move || over.send((channel, send(&path, channel, &stream), stream)));
        }
    });
    let (mut main, mut left) = (None, displays);
    while left > 0 || main.is_none() {
        let Ok((channel, sent, stream)) = ended.recv() else { break };
        sent?;
        if channel.kind == ChannelType::MAIN {
            main = Some(stream);
        } else if channel.kind == ChannelType::DISPLAY {
            left = left.saturating_sub(1);
        }
    }
    if let Some(main) = main {
        let _ = main.shutdown(Shutdown::Write);
        drain(&main);
    }
    Ok(())
}

/// The channels of a recording with anything to send, in the order in which they were opened.
fn recorded(file: &Path) -> Result<Vec<ChannelId>, Error> {
    let mut recording = open(file)?;
    let mut channels = Vec::new();
    while let Some(record) = recording.next_record()? {
        if matches!(record.what, What::Received(_)) && !channels.contains(&record.channel) {
            channels.push(record.channel);
        }
    }
    Ok(channels)
}

/// The channel that a client links to.
fn asked(stream: &mut TcpStream) -> io::Result<ChannelId> {
    let mut message = [0; 22];
    stream.read_exact(&mut message)?;
    // Behind the 16 bytes of the header: the connection id, then type and id of the channel.
    Ok(ChannelId::new(ChannelType(message[20]), message[21]))
}

/// Sends what was recorded of a channel; all but the main channel are then closed, and done when the client has read
/// everything and closes too.
fn send(file: &Path, channel: ChannelId, mut stream: &TcpStream) -> Result<(), Error> {
    let Ok(reading) = stream.try_clone() else { return Ok(()) };
    // What the client says is read and forgotten, or it could not go on.
    let listening = thread::spawn(move || drain(&reading));
    let mut recording = open(file)?;
    let mut first = None;
    while let Some(record) = recording.next_record()? {
        let What::Received(bytes) = record.what else { continue };
        // After a migration a channel has a second byte stream, which is not for this connection.
        if record.channel == channel && *first.get_or_insert(record.transport) == record.transport {
            // A client may have had enough.
            if stream.write_all(bytes).is_err() {
                break;
            }
        }
    }
    if channel.kind != ChannelType::MAIN {
        let _ = stream.shutdown(Shutdown::Write);
        let _ = listening.join();
    }
    Ok(())
}

/// Reads to the end.
fn drain(mut stream: &TcpStream) {
    let _ = io::copy(&mut stream, &mut io::sink());
}
