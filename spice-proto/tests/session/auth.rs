//! Who is let in, and what those learn who are not.

use spice_proto::link::{LinkError, TicketRule};
use spice_proto::session::{Address, Event, Security, SessionConfig, SessionEnd};
use spice_proto::testing::pair::Pair;
use spice_proto::testing::server::{ServerConfig, ServerEvent};
use spice_proto::types::{ChannelType, LinkCode};
use spice_proto::{Instant, ProtocolError};

use super::{client, server};

/// How a session ends that is not let in.
fn refusal(client: SessionConfig, server: ServerConfig) -> (SessionEnd, Vec<ServerEvent>) {
    let mut pair = Pair::new(client, server);
    pair.drive();
    assert_eq!(pair.streams(), 0);
    assert_eq!(pair.server.connections(), 0);
    let events = pair.events();
    let [Event::Ended(end)] = events[..] else { panic!("{events:?}") };
    (end, pair.server_events())
}

fn failed(error: LinkError) -> SessionEnd {
    SessionEnd::Failed(ProtocolError::Link(error))
}

#[test]
fn no_password_is_asked_for() {
    let mut pair = Pair::new(client(), server());
    pair.drive();
    assert_eq!(pair.session.open_channels().count(), 4);
    // A password that nobody asks for does no harm.
    let mut pair = Pair::new(client().password("sesame").unwrap(), server());
    pair.drive();
    assert_eq!(pair.session.open_channels().count(), 4);
}

#[test]
fn the_right_password_opens_every_channel() {
    for password in ["sesame", "x", "pass word", "größer", &"p".repeat(60)] {
        let mut pair = Pair::new(client().password(password).unwrap(), server().password(password).unwrap());
        pair.drive();
        assert_eq!(pair.session.open_channels().count(), 4, "{password}");
    }
}

#[test]
fn a_wrong_password_is_refused() {
    for password in ["Sesame", "sesame ", "sesam", "sesame\u{1}"] {
        let (end, events) =
            refusal(client().password(password).unwrap(), server().password("sesame").unwrap());
        assert_eq!(end, failed(LinkError::PermissionDenied { password: true }), "{password}");
        let refused = LinkError::Refused(LinkCode::PERMISSION_DENIED);
        assert!(events.iter().any(
            |event| matches!(event, ServerEvent::Closed { error: Some(ProtocolError::Link(error)), .. } if *error == refused)
        ));
    }
}

#[test]
fn a_missing_password_is_told_from_a_wrong_one() {
    let (end, _) = refusal(client(), server().password("sesame").unwrap());
    assert_eq!(end, failed(LinkError::PermissionDenied { password: false }));
}

#[test]
fn an_expired_password_opens_nothing() {
    let mut config = server();
    config.ticket = TicketRule::Deny;
    let (end, _) = refusal(client().password("sesame").unwrap(), config);
    assert_eq!(end, failed(LinkError::PermissionDenied { password: true }));
}

#[test]
fn a_server_that_wants_tls_says_so() {
    let mut config = server();
    config.secured = vec![ChannelType::MAIN];
    let (end, events) = refusal(client(), config);
    assert_eq!(end, failed(LinkError::NeedSecured));
    // Nothing secret has been exchanged: no key was made for it.
    assert!(events.iter().all(|event| matches!(event, ServerEvent::Closed { .. })), "{events:?}");
}

#[test]
fn with_a_tls_address_every_channel_uses_it() {
    let mut config = server();
    config.secured = vec![ChannelType::MAIN, ChannelType::DISPLAY, ChannelType::INPUTS, ChannelType::CURSOR];
    let mut client = client();
    client.tls = Some(Address::tcp("server", 5931));
    let mut pair = Pair::new(client, config);
    pair.drive();
    assert_eq!(pair.session.open_channels().count(), 4);
}

#[test]
fn one_channel_that_needs_tls_does_not_end_the_session() {
    let mut config = server();
    config.secured = vec![ChannelType::INPUTS];
    let mut pair = Pair::new(client(), config);
    pair.drive();
    let closed = pair.events().into_iter().find_map(|event| match event {
        Event::ChannelClosed { channel, error } => Some((channel, error)),
        _ => None,
    });
    assert_eq!(closed, Some((super::INPUTS, Some(ProtocolError::Link(LinkError::NeedSecured)))));
    assert_eq!(pair.session.open_channels().count(), 3);
}

#[test]
fn a_client_that_says_nothing_is_sent_away_in_time() {
    let mut server = spice_proto::testing::server::Server::new(server(), [1; 32]);
    let connection = server.accept(Security::Plain, Instant::ZERO).unwrap();
    let deadline = server.poll_timeout().expect("a deadline");
    server.handle_timeout(deadline);
    assert!(!server.wants_input(connection));
    let mut last = None;
    while let Some(output) = server.poll_output() {
        last = Some(output);
    }
    assert!(last.is_some());
    assert_eq!(server.connections(), 0);
    assert_eq!(server.poll_timeout(), None);
}
