//! LZ4 blocks against a plain decoder and against another implementation's encoder.

use lz4_flex::block::{compress, compress_with_dict};
use proptest::prelude::*;
use spice_codecs::{CodecError, ErrorKind, PixelFormat, PixelsMut, lz4};

/// Bytes before the first block: rows top-down, one byte per pixel.
const HEADER: [u8; 2] = [1, 10];

/// Decodes blocks as a picture of one row.
fn decode(blocks: &[Vec<u8>], len: usize) -> Result<Vec<u8>, CodecError> {
    let mut payload = HEADER.to_vec();
    for block in blocks {
        payload.extend((block.len() as u32).to_be_bytes());
        payload.extend(block);
    }
    let mut memory = vec![0xee; len];
    let dst = PixelsMut::packed(&mut memory, len as u32, 1, PixelFormat::A8).unwrap();
    lz4::Decoder::new().decode(&payload, dst)?;
    Ok(memory)
}

/// One block as the format describes it, byte by byte; nothing for a damaged one.
fn plain(block: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut bytes = block.iter().copied();
    let long = |nibble: u8, bytes: &mut dyn Iterator<Item = u8>| {
        let mut len = usize::from(nibble);
        let mut more = if nibble == 15 { 255 } else { 0 };
        while more == 255 {
            more = bytes.next()?;
            len += usize::from(more);
        }
        Some(len)
    };
    loop {
        let token = bytes.next()?;
        for _ in 0..long(token >> 4, &mut bytes)? {
            out.push(bytes.next()?);
        }
        if bytes.len() == 0 {
            return Some(());
        }
        let distance = usize::from(u16::from_le_bytes([bytes.next()?, bytes.next()?]));
        for _ in 0..long(token & 15, &mut bytes)? + 4 {
            let from = out.len().checked_sub(distance).filter(|_| distance > 0)?;
            out.push(out[from]);
        }
    }
}

/// A sequence: literals, distance, length of the match.
type Sequence = (Vec<u8>, u16, usize);

fn sequence() -> impl Strategy<Value = Sequence> {
    let literals = prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..20),
        1 => prop::collection::vec(any::<u8>(), 250..600),
    ];
    let distance = prop_oneof![6 => 1..24u16, 3 => 1..200u16, 1 => any::<u16>()];
    let len = prop_oneof![6 => 4..24usize, 3 => 19..300usize, 1 => 270..3000usize];
    (literals, distance, len)
}

/// The block of some sequences; the last one has literals only.
fn block(sequences: &[Sequence], last: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let extend = |len: usize, out: &mut Vec<u8>| {
        if let Some(more) = len.checked_sub(15) {
            out.extend(std::iter::repeat_n(255, more / 255));
            out.push((more % 255) as u8);
        }
    };
    for (literals, distance, len) in sequences {
        let (count, len) = (literals.len(), len - 4);
        out.push((count.min(15) << 4 | len.min(15)) as u8);
        extend(count, &mut out);
        out.extend(literals);
        out.extend(distance.to_le_bytes());
        extend(len, &mut out);
    }
    out.push((last.len().min(15) << 4) as u8);
    extend(last.len(), &mut out);
    out.extend(last);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Blocks of sequences that are mostly right, whole, cut, or with another byte, chained.
    #[test]
    fn blocks_decode_as_the_plain_decoder_says(
        blocks in prop::collection::vec(
            (prop::collection::vec(sequence(), 0..12), prop::collection::vec(any::<u8>(), 0..40)),
            1..4,
        ),
        fault in prop::option::weighted(0.3, (any::<prop::sample::Index>(), any::<Option<u8>>())),
        missing in prop::option::weighted(0.2, -3..40isize),
    ) {
        let mut blocks: Vec<_> = blocks.iter().map(|(sequences, last)| block(sequences, last)).collect();
        if let (Some((index, byte)), Some(last)) = (fault, blocks.last_mut()) {
            let at = index.index(last.len());
            match byte {
                Some(byte) => last[at] = byte,
                None => last.truncate(at),
            }
        }
        let mut expected = Vec::new();
        let mut whole = true;
        for block in &blocks {
            let before = expected.len();
            // A block that yields nothing is refused.
            whole = whole && plain(block, &mut expected).is_some() && expected.len() > before;
        }
        let len = expected.len().saturating_add_signed(missing.unwrap_or(0)).max(1);
        match decode(&blocks, len) {
            Ok(out) => {
                prop_assert!(whole, "a damaged block was taken");
                prop_assert!(out == expected, "another picture");
            }
            Err(error) => {
                prop_assert!(!whole || len != expected.len(), "{error}");
                prop_assert!(error.at <= 2 + blocks.iter().map(|block| block.len() + 4).sum::<usize>());
            }
        }
    }

    /// What another implementation encodes, block after block with what went before as its dictionary.
    #[test]
    fn chained_blocks_of_another_encoder_decode(
        parts in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 1..60), 1..400usize, any::<bool>()),
            1..6,
        ),
    ) {
        let mut whole: Vec<u8> = Vec::new();
        let mut blocks = Vec::new();
        for (unit, repeats, again) in &parts {
            let mut part: Vec<u8> = unit.iter().copied().cycle().take(unit.len() * repeats).collect();
            if *again {
                part.extend_from_slice(&whole[whole.len() / 3..]);
            }
            let dictionary = &whole[whole.len().saturating_sub(1 << 16)..];
            blocks.push(if whole.is_empty() { compress(&part) } else { compress_with_dict(&part, dictionary) });
            whole.extend(part);
        }
        prop_assert!(decode(&blocks, whole.len()).unwrap() == whole);
    }
}

#[test]
fn faults_say_where_and_which_bound() {
    let fault = |block: &[u8], len| {
        decode(&[block.to_vec()], len).map_err(|error| (error.at, error.kind)).unwrap_err()
    };
    // Header and block size take six bytes. The second sequence begins seven bytes behind.
    let front = [0x40, 1, 2, 3, 4, 4, 0];
    let with = |rest: &[u8]| [&front[..], rest].concat();
    // No block ends with a match.
    assert_eq!(fault(&with(&[]), 8), (6, ErrorKind::Truncated));
    assert_eq!(fault(&with(&[0x20, 9]), 10), (13, ErrorKind::Truncated));
    assert_eq!(fault(&with(&[0x20, 9, 9]), 9), (13, ErrorKind::Length { len: 2, left: 1 }));
    assert_eq!(
        fault(&with(&[0x20, 9, 9, 11, 0, 0]), 14),
        (13, ErrorKind::Reference { distance: 11, done: 10 })
    );
    assert_eq!(
        fault(&with(&[0x20, 9, 9, 0, 0, 0]), 14),
        (13, ErrorKind::Reference { distance: 0, done: 10 })
    );
    assert_eq!(fault(&with(&[0x20, 9, 9, 1, 0, 0]), 12), (13, ErrorKind::Length { len: 4, left: 2 }));
    // A length without end stops at the size of the picture.
    let endless = with(&[&[0xf0][..], &[255; 100_000]].concat());
    assert!(matches!(fault(&endless, 20), (13, ErrorKind::Length { len: ..1000, left: 12 })));
}
