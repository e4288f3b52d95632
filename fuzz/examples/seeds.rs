//! Writes `fuzz/seeds/` anew from the test data of the other crates:
//! `cargo run --manifest-path fuzz/Cargo.toml --example seeds`.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Result;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use spice_fuzz::{link, messages};
use spice_proto::caps::{Caps, CommonCaps};
use spice_proto::frame::FrameWriter;
use spice_proto::link::{AuthMechanism, HeaderKind, LinkReply};
use spice_proto::msg::{Direction, Message, NoMessage, main};
use spice_proto::testing::scene::Scene;
use spice_proto::testing::ticket_key;
use spice_proto::types::{ChannelId, ChannelType, LinkCode};
use spice_proto::wire::Counted;

/// Bytes of a sequence of images that depend on each other.
const LONGEST_SEQUENCE: usize = 20 << 10;

/// More of one target do not teach the fuzzer more.
const MOST_PER_TARGET: usize = 48;

fn main() -> Result<()> {
    bodies()?;
    choices()?;
    links()?;
    dialogues()?;
    for codec in ["bitmap", "quic", "lz", "lz4", "jpeg", "jpeg_alpha"] {
        pictures(codec)?;
    }
    sequences()?;
    recordings()?;
    for (name, text) in ADDRESSES.iter().enumerate() {
        write("uri", &name.to_string(), text.as_bytes())?;
    }
    Ok(())
}

/// A session of a main and a display channel with a few messages, cut in pieces of different sizes, and cut off.
fn recordings() -> Result<()> {
    let mut reply = BytesMut::new();
    let common_caps = (CommonCaps::AUTH_SELECTION | CommonCaps::AUTH_SPICE | CommonCaps::MINI_HEADER).into();
    let (error, pub_key) = (LinkCode::OK, ticket_key().pub_key());
    LinkReply { error, pub_key, common_caps, channel_caps: Caps::new() }.encode(&mut reply);
    reply.extend_from_slice(&[0; 4]);
    let (mut main, mut display) = (reply.clone(), reply);
    let mut writer = FrameWriter::new(HeaderKind::Mini);
    let id = ChannelId::new(ChannelType::DISPLAY, 0);
    let init = main::Init { session_id: 7, ..main::Init::default() };
    writer.write(&main::ServerMessage::Init(init), &mut main);
    let channels = Counted::new([id].into_iter().collect()).expect("one");
    writer.write(&main::ServerMessage::ChannelsList(main::ChannelsList { channels }), &mut main);
    for message in Scene::default().messages(0).iter().take(12) {
        writer.write(message, &mut display);
    }
    display.truncate(6 << 10);
    for (name, piece) in [("whole", 1 << 20), ("pieces", 100)] {
        let mut file = b"SPICEREC\x01\0\0\0\0\0\0\0".to_vec();
        let mut put = |kind: u8, channel: ChannelId, transport: u8, bytes: &[u8]| {
            file.extend_from_slice(&[kind, channel.kind.0, channel.id, 0, transport, 0, 0, 0]);
            file.extend_from_slice(&[transport, 7, 0, 0, 0, 0, 0, 0]);
            file.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            file.extend_from_slice(bytes);
        };
        for (transport, channel, bytes) in [(0, ChannelId::MAIN, &main), (1, id, &display)] {
            put(1, channel, transport, &[]);
            put(3, channel, transport, b"REDQ");
            bytes.chunks(piece).for_each(|bytes| put(2, channel, transport, bytes));
        }
        put(4, ChannelId::MAIN, 0, &[]);
        write("recording", name, &file)?;
        write("recording", &format!("{name}-cut"), &file[..file.len() - 30])?;
    }
    Ok(())
}

/// Recorded bodies, alone and as streams with either header.
fn bodies() -> Result<()> {
    let mut streams =
        [HeaderKind::Mini, HeaderKind::Full].map(|kind| (FrameWriter::new(kind), BytesMut::new()));
    for path in sorted(&root().join("spice-proto/tests/data"), "bin")? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let body = fs::read(&path)?;
        let (table, kind) = name.rsplit_once('-').expect("a name is channel, side and number");
        let (channel, side) = table.rsplit_once('-').expect("a name is channel, side and number");
        let kind: u16 = kind.parse().expect("a number");
        let direction = if side == "server" { Direction::ServerToClient } else { Direction::ClientToServer };
        let channel = if channel == "base" { "" } else { channel };
        let table = messages::table_number(channel, direction).expect("a channel");
        write("bodies", &name, &[&[table][..], &kind.to_le_bytes(), &body].concat())?;
        let message = NoMessage::decode(kind, &body.into(), 0).expect("any body");
        if message.kind() < 400 {
            streams.iter_mut().for_each(|(writer, out)| writer.write(&message, out));
        }
    }
    let [(_, mini), (_, full)] = streams;
    write("frames", "mini", &[&[2, 0], &mini[..]].concat())?;
    write("frames", "full", &[&[3, 4, 0, 1, 17, 80], &full[..]].concat())
}

/// Bytes for oracles that make their own structures of them.
fn choices() -> Result<()> {
    for table in 0..22 {
        let bytes: Vec<u8> = std::iter::once(table).chain(noise(u32::from(table)).take(96)).collect();
        write("sample_round_trip", &table.to_string(), &bytes)?;
    }
    for seed in 0..12 {
        let bytes: Vec<u8> = noise(200 + seed).take(40 + 20 * seed as usize).collect();
        for target in ["agent_bodies", "agent_round_trip", "agent_stream", "agent_client", "agent_guest"] {
            write(target, &seed.to_string(), &bytes)?;
        }
        let bytes: Vec<u8> = noise(300 + seed).take(200 + 100 * seed as usize).collect();
        write("client", &seed.to_string(), &bytes)?;
    }
    for format in 0..10 {
        let sizes = [format, 20 + format, 11, format & 7, format];
        let bytes: Vec<u8> = sizes.into_iter().chain(noise(format.into()).take(200)).collect();
        for target in ["quic_round_trip", "lz_round_trip", "lz4_round_trip"] {
            write(target, &format.to_string(), &bytes)?;
        }
        for target in ["jpeg_round_trip", "jpeg_alpha_round_trip"] {
            write(target, &format.to_string(), &[&[85], &bytes[..]].concat())?;
        }
        // The same picture in parts, again and again, on both channels.
        let mut sequence = Vec::new();
        for flags in [0, 1, 2, 5, 6, 3] {
            let picture: Vec<u8> = [5 + format % 4, 20, 9 + flags, flags & 1, 2]
                .into_iter()
                .chain(noise(format.into()).skip(usize::from(flags)).take(60))
                .collect();
            sequence.extend([flags, picture.len() as u8]);
            sequence.extend(picture);
        }
        for target in ["glz_round_trip", "zlib_glz_round_trip"] {
            write(target, &format.to_string(), &sequence)?;
        }
    }
    Ok(())
}

/// Records: well-formed messages, base messages, lists with sub-messages, noise.
fn dialogues() -> Result<()> {
    let record = |flags: u8, content: &[u8]| [&[flags, content.len() as u8], content].concat();
    for kind in 0..10u8 {
        let bytes: Vec<u8> = noise(kind.into()).take(180).collect();
        let mut script = vec![];
        for (index, content) in bytes.chunks(30).enumerate() {
            script.extend(record(index as u8 & 1, content));
        }
        script.extend(record(2, &[&[8, 0], &LIST[..]].concat()));
        for target in ["channel", "peer"] {
            let head = [kind, kind & 3, 4, 9, 120, 3, 40];
            write(target, &kind.to_string(), &[&head[..], &script].concat())?;
        }
        let welcome = [0x01, kind.max(1), 0x10 + kind.max(1)];
        let mut session = record(4 << 2, &welcome);
        for (index, content) in bytes.chunks(30).enumerate() {
            // More on the other channels than on the main one, which ends the session when it fails.
            session.extend(record((index as u8 % 3 + 1) | ((index as u8 & 1) << 2), content));
        }
        session.extend(record(5 << 2, &[]));
        session.extend(record(6 << 2, &bytes[..20]));
        session.extend(record(4 << 2 | 1, &[]));
        session.extend(record(1, &bytes[..30]));
        write("session", &kind.to_string(), &session)?;
        // Main, display, inputs and cursor, then messages on each.
        let mut server: Vec<u8> = (0..4).flat_map(|channel| record(7 << 2, &[channel])).collect();
        for (index, content) in bytes.chunks(20).enumerate() {
            server.extend(record(index as u8 & 3 | ((index as u8 + kind) & 7) << 2, content));
        }
        write("server", &kind.to_string(), &server)?;
        // Two surfaces, then each display message once, in an order of its own, on the visible one mostly.
        let mut drawing = record(3, &[0x80, 47, 30 + kind, kind]);
        drawing.extend(record(3, &[1, 20, 20, kind + 1]));
        for step in 0..34u8 {
            let fitting = noise(u32::from(kind) << 8 | u32::from(step)).take(48);
            let row = step.wrapping_mul(5).wrapping_add(kind) % 34;
            let content: Vec<u8> = fitting.chain([row]).chain(noise(u32::from(row)).take(60)).collect();
            drawing.extend(record(step % 3, &content));
        }
        write("canvas", &kind.to_string(), &drawing)?;
    }
    Ok(())
}

fn links() -> Result<()> {
    let ticket = link::client_bytes(AuthMechanism::SPICE);
    let sasl = link::client_bytes(AuthMechanism::SASL);
    for (options, name) in [(0, "any"), (1, "password"), (2, "deny"), (3, "either")] {
        write("link_server", name, &[&[options, 3, 15, 15, 0], &ticket[..]].concat())?;
    }
    for (options, name) in [(3, "sasl_or_ticket"), (4, "sasl"), (36, "sasl_in_tls")] {
        write("link_server", name, &[&[options, 1, 40], &sasl[..]].concat())?;
    }
    write("link_client", "ticket", b"\x10\x02\x01\x01\0\0\0\0data")?;
    write("link_client", "denied", b"\x10\0\x07\0\0\0")?;
    write("link_client", "sasl", b"\x39\0\x02\0\0\0d\0\x01\0\0\0\0\x04\xff\xff\xff\xff\x01a")?;
    let mut refusal = BytesMut::new();
    LinkReply::encode_error(LinkCode::NEED_SECURED, &mut refusal);
    write("link_client", "need_secured", &[&[0, 1, 15], &refusal[..]].concat())
}

/// Pictures of one codec, as the oracles want them.
fn pictures(codec: &str) -> Result<()> {
    let file = if codec.starts_with("jpeg") { "other" } else { codec };
    let vectors: Vec<_> = vectors(file)?.into_iter().filter(|v| v.text("codec") == codec).collect();
    let step = vectors.len().div_ceil(MOST_PER_TARGET).max(1);
    for (index, vector) in vectors.iter().step_by(step).enumerate() {
        let to = [0, 5, 6, 3][index % 4];
        let (width, height) = (vector.number("width").to_le_bytes(), vector.number("height").to_le_bytes());
        let head = match codec {
            "bitmap" => {
                let stride = vector.number("stride").to_le_bytes();
                let (format, rows) = (vector.number("type") as u8, vector.number("top_down") as u8);
                [&[to, format, rows, 255][..], &width, &height, &stride].concat()
            }
            "lz" => vec![to, 255],
            "lz4" => [&[to][..], &width, &height].concat(),
            "jpeg_alpha" => {
                let (rows, size) = (vector.number("flags") as u8, vector.number("jpeg_size").to_le_bytes());
                [&[to, rows][..], &size].concat()
            }
            _ => vec![to],
        };
        write(codec, &vector.name, &[head, vector.encoded.clone()].concat())?;
    }
    Ok(())
}

/// GLZ images in the order of their ids, and ids of the second channel before those of the first.
fn sequences() -> Result<()> {
    let mut sequences = BTreeMap::<String, Vec<Vector>>::new();
    for vector in vectors("glz")? {
        sequences.entry(vector.text("sequence").to_owned()).or_default().push(vector);
    }
    for (name, mut images) in sequences {
        let mut total = 0;
        images.retain(|image| {
            total += image.encoded.len();
            total <= LONGEST_SEQUENCE
        });
        let record = |(index, image): (usize, &Vector)| {
            let len = image.number_of(image.encoded.len());
            [&[index as u8 & 1][..], &len, &image.encoded].concat()
        };
        let packed: Vec<u8> = images.iter().enumerate().flat_map(record).collect();
        if packed.is_empty() {
            continue;
        }
        write("glz", &name, &packed)?;
        write("zlib_glz", &name, &packed)?;
        if images.len() > 1 {
            images.swap(0, 1);
        }
        write(
            "glz",
            &format!("{name}_swapped"),
            &images.iter().enumerate().flat_map(record).collect::<Vec<_>>(),
        )?;
    }
    Ok(())
}

struct Vector {
    name: String,
    fields: HashMap<String, String>,
    encoded: Vec<u8>,
}

impl Vector {
    fn text(&self, key: &str) -> &str {
        self.fields.get(key).map_or("", String::as_str)
    }

    fn number(&self, key: &str) -> u16 {
        self.text(key).parse().unwrap_or_else(|_| panic!("{}: no 16-bit {key}", self.name))
    }

    fn number_of(&self, len: usize) -> [u8; 2] {
        u16::try_from(len).unwrap_or_else(|_| panic!("{} is long", self.name)).to_le_bytes()
    }
}

/// The vectors of a file whose streams are not long.
fn vectors(file: &str) -> Result<Vec<Vector>> {
    let folder = root().join("spice-codecs/tests/data");
    let bytes = fs::read(folder.join(file).with_extension("bin"))?;
    let text = fs::read_to_string(folder.join(file).with_extension("txt"))?;
    let vectors = text.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let name = words.next()?.to_owned();
        let fields: HashMap<_, _> = words
            .filter_map(|word| word.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let (start, len) = fields.get("encoded")?.split_once('+')?;
        let start: usize = start.parse().ok()?;
        let encoded = bytes.get(start..start.checked_add(len.parse().ok()?)?)?.to_vec();
        Some(Vector { name, fields, encoded })
    });
    Ok(vectors
        .filter(|vector| vector.encoded.len() <= 4096 || vector.fields.contains_key("sequence"))
        .collect())
}

fn noise(seed: u32) -> impl Iterator<Item = u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
}

fn write(target: &str, name: &str, bytes: &[u8]) -> Result<()> {
    let folder = root().join("fuzz/seeds").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes)
}

fn sorted(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut paths: Vec<_> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|e| e == extension));
    paths.sort();
    Ok(paths)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// A list of two sub-messages: WAIT_FOR_CHANNELS for display 1 up to message 500, INVAL_LIST of one picture.
const LIST: [u8; 44] = [
    2, 0, 10, 0, 0, 0, 27, 0, 0, 0, 5, 0, 11, 0, 0, 0, 1, 2, 1, 0xf4, 1, 0, 0, 0, 0, 0, 0, 105, 0, 11, 0, 0,
    0, 1, 0, 1, 7, 0, 0, 0, 1, 0, 0, 0,
];

/// One of each form.
const ADDRESSES: [&str; 8] = [
    "spice://127.0.0.1:5930",
    "spice://user@[::1]:5930/",
    "spice://host?port=5930&tls-port=5931&password=p%40q",
    "spice://host;port=5930",
    "spice+tls://host:5931",
    "spice+unix:///run/vm.sock",
    "spice://h%6fst:1?password=%e2%82%ac",
    "SPICE://a:65535?password=a@b",
];
