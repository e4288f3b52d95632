//! What of a channel's bytes goes into a recording.
//!
//! Follows one byte stream in both directions, in pieces of any size, and hands on what may be kept. What cannot be
//! understood is left out from there on.

use spice_proto::caps::CommonCaps;
use spice_proto::link::{AuthMechanism, HeaderKind, PUB_KEY_LEN, TICKET_LEN};
use spice_proto::types::ChannelType;

use super::Direction;

/// Follows one transport.
pub(super) struct Filter {
    channel: ChannelType,
    /// `None` lets everything pass.
    link: Option<Link>,
}

#[derive(Default)]
struct Link {
    client_caps: CommonCaps,
    server_caps: CommonCaps,
    mechanism: Option<AuthMechanism>,
    sent: Flow,
    received: Flow,
}

#[derive(Default)]
struct Flow {
    at: At,
    /// The head of what is coming, while it is incomplete.
    head: Vec<u8>,
}

/// What comes next in one direction.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum At {
    /// The header of the link message or reply.
    #[default]
    LinkHeader,
    /// The link message or reply, so many bytes with its header.
    Link(usize),
    /// The choice of a mechanism.
    Mechanism,
    /// So many bytes of the ticket.
    Ticket(usize),
    /// The link result.
    Outcome,
    /// A data header.
    Header,
    /// So many bytes of a message, to be kept or not.
    Body { left: usize, keep: bool },
    /// Data of which everything is kept.
    Everything,
    /// Nothing that may be kept.
    Nothing,
}

impl Filter {
    pub(super) fn new(channel: ChannelType, secrets: bool) -> Self {
        Self { channel, link: (!secrets).then(Link::default) }
    }

    /// Hands what may be kept of the next bytes to `keep`.
    pub(super) fn pass(&mut self, direction: Direction, bytes: &[u8], keep: &mut impl FnMut(&[u8])) {
        let Some(link) = &mut self.link else { return keep(bytes) };
        let mut rest = bytes;
        while !rest.is_empty() {
            let flow = link.flow(direction);
            match flow.at {
                At::Everything => return keep(rest),
                At::Nothing => return,
                At::Ticket(left) => {
                    let now = take(&mut rest, left);
                    keep(&vec![0; now.len()]);
                    flow.at = match left - now.len() {
                        0 => data(self.channel),
                        left => At::Ticket(left),
                    };
                }
                At::Body { left, keep: kept } => {
                    let now = take(&mut rest, left);
                    if kept {
                        keep(now);
                    }
                    flow.at = match left - now.len() {
                        0 => At::Header,
                        left => At::Body { left, keep: kept },
                    };
                }
                At::LinkHeader | At::Link(_) | At::Mechanism | At::Outcome | At::Header => {
                    let needed = link.head_len(direction);
                    let flow = link.flow(direction);
                    let now = take(&mut rest, needed.saturating_sub(flow.head.len()));
                    flow.head.extend_from_slice(now);
                    if flow.head.len() >= needed {
                        let head = std::mem::take(&mut flow.head);
                        link.head(self.channel, direction, head, keep);
                    }
                }
            }
        }
    }
}

impl Link {
    fn flow(&mut self, direction: Direction) -> &mut Flow {
        match direction {
            Direction::Sent => &mut self.sent,
            Direction::Received => &mut self.received,
        }
    }

    /// Bytes of the head that is being collected.
    fn head_len(&mut self, direction: Direction) -> usize {
        let header = HeaderKind::agreed(self.client_caps, self.server_caps);
        match self.flow(direction).at {
            At::LinkHeader => LINK_HEADER,
            At::Link(len) => len,
            At::Header if header == HeaderKind::Mini => 6,
            At::Header => 18,
            _ => 4,
        }
    }

    /// Deals with a head that has come completely.
    fn head(
        &mut self,
        channel: ChannelType,
        direction: Direction,
        mut head: Vec<u8>,
        keep: &mut impl FnMut(&[u8]),
    ) {
        let chooses = self.chooses();
        let mechanism = self.mechanism;
        let at = self.flow(direction).at;
        let at = match at {
            At::LinkHeader => {
                let len = word(&head, LINK_HEADER - 4) as usize;
                self.flow(direction).head = head;
                // Nothing behind a link message that no server would take is worth keeping.
                if len <= LONGEST_LINK { At::Link(LINK_HEADER + len) } else { At::Nothing }
            }
            At::Link(_) => {
                keep(&head);
                head.drain(..LINK_HEADER);
                match direction {
                    Direction::Sent => {
                        self.client_caps = common_caps(&head, LINK_MESS_COUNT);
                        At::Mechanism
                    }
                    Direction::Received => {
                        self.server_caps = common_caps(&head, LINK_REPLY_COUNT);
                        At::Outcome
                    }
                }
            }
            At::Mechanism if !chooses => {
                // What has been taken for a choice is the ticket's first bytes.
                keep(&[0; 4]);
                At::Ticket(TICKET_LEN - 4)
            }
            At::Mechanism => {
                keep(&head);
                self.mechanism = Some(AuthMechanism(word(&head, 0)));
                if self.mechanism == Some(AuthMechanism::SPICE) {
                    At::Ticket(TICKET_LEN)
                } else {
                    At::Nothing
                }
            }
            At::Outcome if chooses && mechanism != Some(AuthMechanism::SPICE) => At::Nothing,
            At::Outcome => {
                keep(&head);
                data(channel)
            }
            _ => {
                let kept = self.is_kept(channel, direction, &head);
                if kept {
                    keep(&head);
                }
                let size_at = if head.len() == 6 { 2 } else { 10 };
                match word(&head, size_at) as usize {
                    0 => At::Header,
                    left => At::Body { left, keep: kept },
                }
            }
        };
        self.flow(direction).at = at;
    }

    /// Whether the client says by which mechanism it authenticates.
    fn chooses(&self) -> bool {
        (self.client_caps & self.server_caps).contains(CommonCaps::AUTH_SELECTION)
    }

    /// Whether the message with this data header goes into the recording.
    fn is_kept(&self, channel: ChannelType, direction: Direction, header: &[u8]) -> bool {
        let kind_at = if header.len() == 6 { 0 } else { 8 };
        let kind = word(header, kind_at) & 0xffff;
        // Sub-messages could be anything; servers use them on display channels alone.
        if header.len() > 6 && word(header, 14) != 0 {
            return false;
        }
        match (channel, direction) {
            (ChannelType::MAIN, Direction::Received) => !matches!(kind, 2 | 8 | main::SERVER_AGENT_DATA),
            (ChannelType::MAIN, Direction::Sent) => !matches!(kind, 5 | main::CLIENT_AGENT_DATA),
            (ChannelType::INPUTS, Direction::Received) => kind != 8,
            (ChannelType::INPUTS, Direction::Sent) => kind < 101 || (111..=114).contains(&kind),
            _ => false,
        }
    }
}

/// Numbers of the messages that carry what the guest agent says.
mod main {
    pub(super) const SERVER_AGENT_DATA: u32 = 109;
    pub(super) const CLIENT_AGENT_DATA: u32 = 107;
}

/// What the data stage of a channel is worth.
fn data(channel: ChannelType) -> At {
    match channel {
        ChannelType::DISPLAY | ChannelType::CURSOR | ChannelType::PLAYBACK => At::Everything,
        ChannelType::MAIN | ChannelType::INPUTS => At::Header,
        _ => At::Nothing,
    }
}

/// The first word of common capabilities in a link message or reply whose counts stand at `count`.
fn common_caps(body: &[u8], count: usize) -> CommonCaps {
    let words = word(body, count);
    let offset = word(body, count + 8) as usize;
    CommonCaps::from_bits_retain(if words == 0 { 0 } else { word(body, offset) })
}

/// The little-endian word at `at`; 0 where there is none.
fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u32::from_le_bytes(*b))
}

/// Takes up to `most` bytes off the front.
fn take<'a>(bytes: &mut &'a [u8], most: usize) -> &'a [u8] {
    let (now, rest) = bytes.split_at(most.min(bytes.len()));
    *bytes = rest;
    now
}

/// Bytes of the header in front of link messages and replies.
const LINK_HEADER: usize = 16;
/// Longest link message or reply that is followed; the bound of server 0.15.1.
const LONGEST_LINK: usize = 4096;
/// Where the counts of capability words stand: behind connection id and channel.
const LINK_MESS_COUNT: usize = 6;
/// Where the counts of capability words stand: behind the error code and the key.
const LINK_REPLY_COUNT: usize = 4 + PUB_KEY_LEN;
