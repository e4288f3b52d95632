//! Tickets and keys.

use bytes::BytesMut;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use rsa::pkcs8::DecodePublicKey;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, Oaep, RsaPublicKey};
use sha1::Sha1;
use spice_proto::link::{Entropy, LinkServer, Password, PasswordError, ServerAuth, TicketKey, TicketRule};
use spice_proto::testing::ticket_key;
use spice_proto::types::LinkCode;
use spice_proto::{Instant, LinkError};

use super::{check, offer, password, server};

/// A server that awaits the ticket under the fixed key.
fn at_ticket(rule: TicketRule) -> LinkServer {
    let mut server = server();
    let mut input = BytesMut::from(&super::bytes::HELLO[..]);
    server.handle_input(Instant::ZERO, &mut input).expect("a good link message");
    assert!(server.poll_question().is_some());
    server.offer(offer(ServerAuth::Ticket(check(rule)))).expect("the open question");
    server
        .handle_input(Instant::ZERO, &mut BytesMut::from(&[1, 0, 0, 0][..]))
        .expect("the ticket was offered");
    server.poll_transmit();
    server
}

fn give(rule: TicketRule, ticket: &[u8]) -> Result<(), LinkError> {
    at_ticket(rule).handle_input(Instant::ZERO, &mut BytesMut::from(ticket))
}

fn public() -> RsaPublicKey {
    RsaPublicKey::from_public_key_der(&ticket_key().pub_key()).expect("a well-formed key")
}

/// A ticket with any content.
fn seal(plain: &[u8]) -> Vec<u8> {
    let mut random = ChaCha20Rng::from_seed([9; 32]);
    public().encrypt(&mut random, Oaep::new::<Sha1>(), plain).expect("short enough")
}

const DENIED: Result<(), LinkError> = Err(LinkError::Refused(LinkCode::PERMISSION_DENIED));

#[test]
fn what_a_ticket_may_hold() {
    let sesame = || TicketRule::Password(password(b"sesame"));
    // With and without its NUL, and with anything behind the NUL.
    for plain in [&b"sesame\0"[..], b"sesame", b"sesame\0junk", b"sesame\0\0\0"] {
        assert_eq!(give(sesame(), &seal(plain)), Ok(()), "{plain:?}");
    }
    for plain in [&b"\0sesame"[..], b"", b"\0", b"sesam\0e", b"sesame1\0", &[b'x'; 86], b"sesame "] {
        assert_eq!(give(sesame(), &seal(plain)), DENIED, "{plain:?}");
    }
    let empty = || TicketRule::Password(Password::empty());
    assert_eq!(give(empty(), &seal(b"\0")), DENIED);
    assert_eq!(give(empty(), &seal(b"")), DENIED);
    assert_eq!(give(TicketRule::Deny, &seal(b"sesame\0")), DENIED);
}

/// CVE-2013-4282: what a ticket decrypts to is longer than the buffer for a password.
#[test]
fn cve_2013_4282_a_ticket_full_of_password_is_a_wrong_one() {
    // The longest content that a ticket has room for, with and without a NUL, and lengths around that of a password.
    let full =
        |len: usize, nul: bool| [vec![b'x'; len - usize::from(nul)], vec![0; usize::from(nul)]].concat();
    for (len, nul) in [86, 85, 64, 63, 62, 61].into_iter().flat_map(|len| [(len, false), (len, true)]) {
        let longest = TicketRule::Password(password(&[b'x'; Password::MAX_LEN]));
        let opens = len - usize::from(nul) == Password::MAX_LEN;
        assert_eq!(
            give(longest, &seal(&full(len, nul))),
            if opens { Ok(()) } else { DENIED },
            "{len}, {nul}"
        );
        assert_eq!(give(TicketRule::Password(password(b"x")), &seal(&full(len, nul))), DENIED);
    }
}

#[test]
fn passwords_of_59_60_and_61_bytes() {
    for len in [59, 60] {
        let word = vec![b'x'; len];
        let rule = || TicketRule::Password(password(&word));
        assert_eq!(give(rule(), &seal(&word)), Ok(()));
        assert_eq!(give(rule(), &seal(&vec![b'x'; len + 1])), DENIED);
        assert_eq!(give(rule(), &seal(&vec![b'x'; len - 1])), DENIED);
    }
    let error = Password::new(&[b'x'; 61]).expect_err("too long");
    assert_eq!(error, PasswordError::TooLong { len: 61 });
    assert!(error.to_string().contains("59"), "{error}");
    assert_eq!(Password::new(b"ses\0ame").expect_err("a NUL"), PasswordError::Nul { at: 3 });
}

#[test]
fn a_ticket_that_does_not_decrypt_is_a_wrong_password() {
    let modulus = public().n().to_bytes_be();
    let mut below = modulus.clone();
    below[127] -= 1;
    let mut broken = seal(b"sesame\0");
    broken[40] ^= 1;
    for ticket in [vec![0; 128], [vec![0; 127], vec![1]].concat(), vec![0xff; 128], modulus, below, broken] {
        for rule in [TicketRule::Any, TicketRule::Password(password(b"sesame")), TicketRule::Deny] {
            let mut server = at_ticket(rule);
            assert_eq!(server.handle_input(Instant::ZERO, &mut BytesMut::from(&ticket[..])), DENIED);
            assert_eq!(server.poll_transmit().as_deref(), Some(&[7, 0, 0, 0][..]));
        }
    }
}

#[test]
fn sealing_takes_its_randomness_from_the_caller() {
    let key = ticket_key().pub_key();
    let seal = |seed| password(b"sesame").seal(&key, Entropy::new([seed; 32])).expect("a good key");
    assert_eq!(seal(1), seal(1));
    assert_ne!(seal(1), seal(2));
    assert_eq!(give(TicketRule::Password(password(b"sesame")), &seal(1)), Ok(()));
}

#[test]
fn only_the_protocols_form_of_key_is_taken() {
    let good = ticket_key().pub_key();
    let seal = |key| password(b"").seal(&key, Entropy::new([1; 32]));
    assert!(seal(good).is_ok());
    assert_eq!(seal([0; 162]), Err(LinkError::BadKey));
    // The prefix, the top bit of the modulus, its lowest bit, the exponent.
    for (at, value) in [(0, 0x31), (28, 1), (29, 0x7f), (156, 0), (157, 3), (161, 3)] {
        let mut key = good;
        key[at] = value;
        assert_eq!(seal(key), Err(LinkError::BadKey), "byte {at}");
    }
}

#[test]
fn keys_are_of_1024_bits() {
    assert_eq!(public().n().bits(), 1024);
    assert_eq!(public().e(), &BigUint::from(65537u32));
    assert!(TicketKey::from_pkcs8_der(b"").is_err());
    let made = TicketKey::generate(Entropy::new([1; 32])).expect("a key");
    let again = TicketKey::generate(Entropy::new([1; 32])).expect("a key");
    assert_eq!(made.pub_key(), again.pub_key());
    assert!(RsaPublicKey::from_public_key_der(&made.pub_key()).is_ok());
}

#[test]
fn a_key_that_the_client_cannot_use_is_its_own_error() {
    let mut client = super::client(super::ticket(b"sesame"));
    let mut reply = super::bytes::reply();
    reply[20..182].fill(0);
    assert_eq!(super::feed(&mut client, &reply), Err(LinkError::BadKey));
}
