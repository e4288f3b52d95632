//! Every kind of channel that a server offers: opened when it is wanted, named when it is not.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt;
use spice_client::transport::tokio::Tokio;
use spice_client::{Client, ClientConfig, Event};
use spice_proto::msg::port;
use spice_proto::session::LeftClosed;
use spice_proto::types::{ChannelId, ChannelType};
use testsuite::qemu::{Access, Qemu};

#[test]
fn all_kinds_open() {
    let mut qemu = Qemu::start(Access::EveryChannel).unwrap();
    let expected: BTreeSet<u8> = OTHERS.iter().map(|kind| kind.0).collect();
    with_client(&qemu, OTHERS, async |client| {
        let (mut opened, mut names) = (BTreeSet::new(), BTreeSet::new());
        while opened != expected || names.len() < 2 {
            match client.next().await.unwrap().unwrap() {
                Event::ChannelOpened(id) if id != ChannelId::MAIN => drop(opened.insert(id.kind.0)),
                Event::ChannelClosed { channel, error } => panic!("{channel} closed: {error:?}"),
                Event::ChannelsLeftClosed(left) => panic!("left closed: {left:?}"),
                Event::Port(_, port::ServerMessage::Init(init))
                | Event::Webdav(_, port::ServerMessage::Init(init)) => {
                    names.insert(init.name.to_vec());
                }
                _ => {}
            }
        }
        let names: Vec<_> = names.iter().map(|name| name.strip_suffix(b"\0").unwrap_or(name)).collect();
        assert_eq!(names, [&b"org.example.port.0"[..], b"org.spice-space.webdav.0"]);
    });
    qemu.check_running().unwrap();
}

#[test]
fn what_is_not_wanted_is_named() {
    let mut qemu = Qemu::start(Access::EveryChannel).unwrap();
    with_client(&qemu, &[ChannelType::DISPLAY], async |client| {
        loop {
            if let Event::ChannelsLeftClosed(left) = client.next().await.unwrap().unwrap() {
                let kinds: BTreeSet<u8> = left.iter().map(|(id, _)| id.kind.0).collect();
                let rest = OTHERS.iter().filter(|kind| **kind != ChannelType::DISPLAY).map(|kind| kind.0);
                assert_eq!(kinds, rest.collect());
                assert!(left.iter().all(|(_, why)| *why == LeftClosed::NotWanted));
                break;
            }
        }
    });
    qemu.check_running().unwrap();
}

/// Runs `look` with a client that opens `kinds`, and leaves in good order.
fn with_client(qemu: &Qemu, kinds: &[ChannelType], look: impl AsyncFnOnce(&mut Client)) {
    let mut config: ClientConfig = qemu.address().parse().unwrap();
    config.session.channels = kinds.to_vec();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (mut client, driver) = spice_client::connect(Tokio::new(), config);
        let driver = tokio::spawn(driver);
        tokio::time::timeout(LIMIT, look(&mut client)).await.expect("the events in time");
        client.handle().disconnect().unwrap();
        drop(client);
        tokio::time::timeout(LIMIT, driver).await.expect("an end in time").unwrap();
    });
}

/// All kinds of channels that there are besides main.
const OTHERS: &[ChannelType] = &[
    ChannelType::DISPLAY,
    ChannelType::INPUTS,
    ChannelType::CURSOR,
    ChannelType::PLAYBACK,
    ChannelType::RECORD,
    ChannelType::SMARTCARD,
    ChannelType::USBREDIR,
    ChannelType::PORT,
    ChannelType::WEBDAV,
];

const LIMIT: Duration = Duration::from_secs(30);
