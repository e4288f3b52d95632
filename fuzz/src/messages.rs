//! Message bodies, through the tables of `spice_proto::msg`.

use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use spice_proto::Limits;
use spice_proto::msg::{Direction, Message, TableVisitor, for_each_table};
use spice_proto::testing::{MessageVisitor, Sample, Source};
use spice_proto::wire::{self, Wire};

use crate::memory::bounded;

/// Any body of any message decodes or not, and what decodes encodes to a body that decodes to the same.
///
/// Input: one byte chooses the table, two are the message number, the rest is the body.
pub fn bodies(data: &[u8]) {
    if let Some((&[table, low, high], body)) = data.split_first_chunk() {
        let kind = u16::from_le_bytes([low, high]);
        visit_table(table, &mut Body { kind, body: Bytes::copy_from_slice(body) });
    }
}

/// A message generated from any bytes decodes to one that encodes to the same body, and its body cut anywhere gives a
/// value or an error.
///
/// Input: one byte chooses the table, the rest makes choices.
pub fn sample_round_trip(data: &[u8]) {
    if let Some((&table, choices)) = data.split_first() {
        visit_table(table, &mut RoundTrip { choices });
    }
}

/// Makes a message of table `M`: its number and its body. `None` for a table without messages.
pub fn sampled<M: Message>(source: &mut Source<'_>) -> Option<(u16, Bytes)> {
    let mut rows = Count(0);
    M::visit(&mut rows);
    let mut pick = Pick { left: source.below(rows.0), source, picked: None };
    M::visit(&mut pick);
    pick.picked
}

/// The number by which [`bodies`] and [`sample_round_trip`] know the table of a channel's messages.
///
/// `channel` is empty for the messages that all channels share.
pub fn table_number(channel: &str, direction: Direction) -> Option<u8> {
    let mut finder = Finder { channel, direction, next: 0, found: None };
    for_each_table(&mut finder);
    finder.found
}

fn visit_table(table: u8, run: &mut impl TableRun) {
    let tables = usize::from(table_count());
    let wanted = usize::from(table) % tables;
    for_each_table(&mut Selected { left: Some(wanted), run });
}

fn table_count() -> u8 {
    let mut finder = Finder { channel: "none", direction: Direction::ServerToClient, next: 0, found: None };
    for_each_table(&mut finder);
    finder.next
}

struct Finder<'a> {
    channel: &'a str,
    direction: Direction,
    next: u8,
    found: Option<u8>,
}

impl TableVisitor for Finder<'_> {
    fn table<M: Message>(&mut self, channel: &'static str, direction: Direction) {
        if channel.eq_ignore_ascii_case(self.channel) && direction == self.direction {
            self.found = Some(self.next);
        }
        self.next += 1;
    }
}

trait TableRun {
    fn run<M: Message>(&mut self);
}

struct Selected<'a, R> {
    left: Option<usize>,
    run: &'a mut R,
}

impl<R: TableRun> TableVisitor for Selected<'_, R> {
    fn table<M: Message>(&mut self, _: &'static str, _: Direction) {
        if self.left == Some(0) {
            self.run.run::<M>();
        }
        self.left = self.left.and_then(|left| left.checked_sub(1));
    }
}

struct Body {
    kind: u16,
    body: Bytes,
}

impl TableRun for Body {
    fn run<M: Message>(&mut self) {
        // Payloads are slices of the body; only structures with a list of pointers need room of their own.
        let bound = 4096 + 16 * self.body.len();
        let result = bounded("decoding a body", bound, || decoded::<M>(self.kind, &self.body));
        if let Ok(message) = result {
            assert_eq!(message.kind(), self.kind);
            let again = decoded::<M>(self.kind, &encoded(&message));
            assert_eq!(again.as_ref(), Ok(&message), "{} changes on its way", message.name());
        }
    }
}

struct RoundTrip<'a> {
    choices: &'a [u8],
}

impl TableRun for RoundTrip<'_> {
    fn run<M: Message>(&mut self) {
        let Some((kind, body)) = sampled::<M>(&mut Source::new(self.choices)) else { return };
        let message = decoded::<M>(kind, &body).expect("what was encoded decodes");
        assert_eq!(encoded(&message), body, "{} encodes to another body", message.name());
        for len in 0..body.len() {
            // Either answer is right: a cut may fall into bytes that merely fill up.
            let _ = decoded::<M>(kind, &body.slice(..len));
        }
    }
}

fn decoded<M: Message>(kind: u16, body: &Bytes) -> Result<M, spice_proto::DecodeError> {
    M::decode(kind, body, Limits::default().pointers)
}

fn encoded<M: Message>(message: &M) -> Bytes {
    let mut out = BytesMut::new();
    message.encode_body(&mut out);
    out.freeze()
}

struct Count(usize);

impl MessageVisitor for Count {
    fn payload<T: Wire + Sample + Clone + PartialEq + Debug>(&mut self, _: u16, _: &'static str) {
        self.0 += 1;
    }

    fn empty(&mut self, _: u16, _: &'static str) {
        self.0 += 1;
    }
}

struct Pick<'a, 'b> {
    left: usize,
    source: &'a mut Source<'b>,
    picked: Option<(u16, Bytes)>,
}

impl Pick<'_, '_> {
    fn row(&mut self, kind: u16, body: impl FnOnce(&mut Source<'_>) -> Bytes) {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None if self.picked.is_none() => self.picked = Some((kind, body(self.source))),
            None => {}
        }
    }
}

impl MessageVisitor for Pick<'_, '_> {
    fn payload<T: Wire + Sample + Clone + PartialEq + Debug>(&mut self, kind: u16, _: &'static str) {
        self.row(kind, |source| {
            let mut body = BytesMut::new();
            wire::encode(&T::sample(source), &mut body);
            body.freeze()
        });
    }

    fn empty(&mut self, kind: u16, _: &'static str) {
        self.row(kind, |_| Bytes::new());
    }
}
