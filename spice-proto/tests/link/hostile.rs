//! Peers that break the rules of the link messages.

use bytes::{BufMut, BytesMut};
use proptest::prelude::*;
use spice_proto::error::{DecodeError, DecodeErrorKind};
use spice_proto::link::{LinkQuestion, LinkStage};
use spice_proto::{Instant, LinkError};

use super::bytes::{HELLO, error_reply, reply};
use super::{client, expects, feed, sent, server, ticket};

/// What a server makes of these bytes, and the code it answers with.
fn serve(bytes: &[u8]) -> (Result<(), LinkError>, Option<u32>) {
    let mut server = server();
    let result = server.handle_input(Instant::ZERO, &mut BytesMut::from(bytes));
    let answer = server.poll_transmit().map(|reply| {
        assert_eq!(reply.len(), 194);
        u32::from(reply[16])
    });
    (result, answer)
}

fn patched(bytes: &[u8], at: usize, word: u32) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
    bytes
}

fn is_malformed(result: Result<(), LinkError>) -> bool {
    matches!(result, Err(LinkError::Malformed(_)))
}

#[test]
fn strangers_are_recognised_by_four_bytes() {
    for (first, word) in [
        (*b"HTTP", "web server"),
        (*b"RFB ", "VNC"),
        (*b"SSH-", "SSH"),
        ([0x15, 3, 1, 0], "TLS"),
        (*b"220 ", "does not speak SPICE"),
    ] {
        let error = feed(&mut client(ticket(b"")), &first).expect_err("not SPICE");
        assert_eq!(error, LinkError::NotSpice(first));
        assert!(error.to_string().contains(word), "{error}");
    }
    assert_eq!(feed(&mut client(ticket(b"")), b"HTT"), Ok(()));
    assert_eq!(serve(b"GET "), (Err(LinkError::NotSpice(*b"GET ")), Some(2)));
}

#[test]
fn only_the_major_version_counts() {
    let mismatch = |major| Err(LinkError::VersionMismatch { major, minor: 2 });
    for major in [1, 3, u32::MAX] {
        assert_eq!(feed(&mut client(ticket(b"")), &patched(&reply(), 4, major)), mismatch(major));
        assert_eq!(serve(&patched(&HELLO, 4, major)), (mismatch(major), Some(4)));
    }
    // Version 0 is not answered.
    assert_eq!(serve(&patched(&HELLO, 4, 0)), (mismatch(0), None));
    assert_eq!(feed(&mut client(ticket(b"")), &patched(&reply(), 8, 99)), Ok(()));
    assert_eq!(serve(&patched(&HELLO, 8, 99)), (Ok(()), None));
}

#[test]
fn sizes_below_the_fixed_part() {
    for size in [0, 1, 17] {
        let (result, code) = serve(&patched(&HELLO, 12, size));
        assert!(is_malformed(result) && code == Some(3), "{size}: {result:?}");
    }
    for size in [0, 18, 177] {
        assert!(is_malformed(feed(&mut client(ticket(b"")), &patched(&reply(), 12, size))), "{size}");
    }
}

// Counts and offsets of capability words that lead out of the message: the class of CVE-2016-9578.
#[test]
fn cve_2016_9578() {
    let kind = |result: Result<(), LinkError>| match result {
        Err(LinkError::Malformed(DecodeError { kind, .. })) => kind,
        other => panic!("{other:?}"),
    };
    for count in [1025, 0x4000_0000, 0x8000_0001, u32::MAX] {
        for at in [22, 26] {
            let (result, code) = serve(&patched(&HELLO, at, count));
            assert!(matches!(kind(result), DecodeErrorKind::BadValue { .. }), "{result:?}");
            assert_eq!(code, Some(3));
        }
        for at in [182, 186] {
            let result = feed(&mut client(ticket(b"")), &patched(&reply(), at, count));
            assert!(matches!(kind(result), DecodeErrorKind::BadValue { .. }), "{result:?}");
        }
    }
    for count in [2, 3, 1024] {
        let (result, code) = serve(&patched(&HELLO, 22, count));
        assert!(matches!(kind(result), DecodeErrorKind::Truncated { .. }), "{result:?}");
        assert_eq!(code, Some(3));
        let result = feed(&mut client(ticket(b"")), &patched(&reply(), 186, count));
        assert!(matches!(kind(result), DecodeErrorKind::Truncated { .. }), "{result:?}");
    }
    for offset in [0, 17, 19, 26, 27, 4096, 0x7fff_ffff, u32::MAX - 3, u32::MAX] {
        let (result, code) = serve(&patched(&HELLO, 30, offset));
        assert!(is_malformed(result) && code == Some(3), "{offset}: {result:?}");
    }
    for offset in [0, 177, 179, 186, 0xffff_fffc, u32::MAX] {
        assert!(is_malformed(feed(&mut client(ticket(b"")), &patched(&reply(), 190, offset))), "{offset}");
    }
}

#[test]
fn any_offset_goes_with_no_words() {
    let mut bytes = patched(&patched(&HELLO, 22, 0), 26, 0);
    bytes = patched(&patched(&bytes, 30, u32::MAX), 12, 18);
    bytes.truncate(34);
    assert_eq!(serve(&bytes), (Ok(()), None));
}

#[test]
fn words_may_stand_behind_a_gap() {
    let mut bytes = patched(&patched(&HELLO, 12, 30), 30, 22);
    bytes.splice(34..34, [0xee; 4]);
    let mut server = server();
    server.handle_input(Instant::ZERO, &mut BytesMut::from(&bytes[..])).expect("a good link message");
    let Some(LinkQuestion::Offer(mess)) = server.poll_question() else { panic!("no question") };
    assert_eq!((mess.common_caps.words(), mess.channel_caps.words()), (&[9][..], &[15][..]));
}

#[test]
fn the_code_of_an_error_reply_counts_and_nothing_else() {
    let mut bytes = patched(&error_reply(9), 182, u32::MAX);
    bytes = patched(&bytes, 190, u32::MAX);
    assert_eq!(feed(&mut client(ticket(b"")), &bytes), Err(LinkError::ChannelNotAvailable));
}

#[test]
fn a_link_reply_in_place_of_the_result() {
    for (code, error) in [
        (3, LinkError::MechanismRefused),
        (4, LinkError::SaslRequired),
        (7, LinkError::PermissionDenied { password: true }),
        (1234, LinkError::UnknownCode(spice_proto::types::LinkCode(1234))),
    ] {
        let mut client = client(ticket(b"sesame"));
        feed(&mut client, &reply()).expect("a good reply");
        let bytes = error_reply(code);
        // It may come in pieces, and until it is whole nothing is known.
        let mut input = BytesMut::from(&bytes[..193]);
        assert_eq!(client.handle_input(Instant::ZERO, &mut input), Ok(()));
        assert_eq!(client.stage(), Some(LinkStage::Result));
        input.put_u8(bytes[193]);
        assert_eq!(client.handle_input(Instant::ZERO, &mut input), Err(error));
    }
    let mut client = client(ticket(b"sesame"));
    feed(&mut client, &reply()).expect("a good reply");
    assert!(is_malformed(feed(&mut client, &reply())));
}

#[test]
fn mechanisms_that_were_not_offered() {
    for word in [0, 2, 3, u32::MAX] {
        let mut server = server();
        server.handle_input(Instant::ZERO, &mut BytesMut::from(&HELLO[..])).expect("a good link message");
        assert!(server.poll_question().is_some());
        server.offer(expects(b"sesame")).expect("the open question");
        server.poll_transmit();
        let mut input = BytesMut::from(&word.to_le_bytes()[..]);
        let result = server.handle_input(Instant::ZERO, &mut input);
        assert_eq!(result, Err(LinkError::NotOffered(word)));
        assert_eq!(server.poll_transmit().as_deref(), Some(&error_reply(3)[..]));
    }
}

#[test]
fn a_server_without_a_mechanism_in_common() {
    for (word, text) in [(0x0d, "SASL"), (0x09, "no authentication mechanism")] {
        let mut client = client(ticket(b"sesame"));
        sent(&mut client);
        let error = feed(&mut client, &patched(&reply(), 194, word)).expect_err("no mechanism in common");
        assert!(matches!(error, LinkError::UnsupportedMechanism { .. }));
        assert!(error.to_string().contains(text), "{error}");
        assert!(sent(&mut client).is_empty());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400), from in 0usize..250) {
        let _ = feed(&mut client(ticket(b"")), &bytes);
        let _ = serve(&bytes);
        // Good up to a point, then anything.
        let mut stream = [reply(), vec![0; 4]].concat();
        stream.truncate(from);
        stream.extend(&bytes);
        let _ = feed(&mut client(ticket(b"")), &stream);
        let mut stream = HELLO.to_vec();
        stream.truncate(from);
        stream.extend(&bytes);
        let _ = serve(&stream);
    }
}
