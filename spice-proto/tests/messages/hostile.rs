//! Bodies that a hostile peer would send.

use bytes::{BufMut, Bytes, BytesMut};
use spice_proto::msg::display::{ClientMessage, ImageData, ServerMessage};
use spice_proto::msg::{Message, base, cursor, main, port, smartcard, vmc};
use spice_proto::{DecodeErrorKind, Limits};

use super::{decode, hex};

const BASE: &str = "00000000  00000000 00000000 01000000 01000000  00";

#[track_caller]
fn error<M: Message>(kind: u16, body: &Bytes) -> DecodeErrorKind {
    match decode::<M>(kind, body) {
        Err(error) => error.kind,
        Ok(message) => panic!("{message:?} decodes"),
    }
}

#[track_caller]
fn assert_truncated<M: Message>(kind: u16, body: &Bytes) {
    let kind = error::<M>(kind, body);
    assert!(matches!(kind, DecodeErrorKind::Truncated { .. }), "{kind:?}");
}

/// A copy whose source is the image in `image`, which stands at 57.
fn copy_of(image: &str) -> Bytes {
    hex(&format!(
        "{BASE} 39000000 00000000 00000000 01000000 01000000 0800 00 00 00000000 00000000 00000000 {image}"
    ))
}

/// CVE-2017-12194: the product of a count and an element size wraps around in 32 bits, so that a small array
/// passes for a large one.
#[test]
fn cve_2017_12194_counts_times_sizes_do_not_wrap() {
    // 0x1000_0001 rectangles of 16 bytes are 16 bytes in 32-bit arithmetic, and 16 bytes are there.
    let clip = "01 01000010 00000000 00000000 01000000 01000000";
    assert_truncated::<ServerMessage>(124, &hex(&format!("00000000 {clip}")));
    // 0x8000_0001 channels of 2 bytes; 0x2000_0001 points of 8 bytes.
    assert_truncated::<main::ServerMessage>(104, &hex("01000080 0200"));
    let stroke = format!("{BASE} 23000000 00 01 00000000 0800 0000 01000000 01 01000020 0000000000000000");
    assert_truncated::<ServerMessage>(310, &hex(&stroke));
    // Rows times stride: 0x1_0000 × 0x1_0000 is 0 in 32 bits.
    let descriptor = "0100000000000000 00 00 00000100 00000100";
    let rows = "08 04 00000100 00000100 00000100 00000000";
    assert_truncated::<ServerMessage>(304, &copy_of(&format!("{descriptor} {rows}")));
    // A 65535 × 65535 glyph of 8 bits.
    let text =
        format!("{BASE} 2F000000 {} 00 00 0800 0000 0100 04 {} FFFF FFFF", "00".repeat(16), "00".repeat(16));
    assert_truncated::<ServerMessage>(311, &hex(&text));
}

/// CVE-2018-10873: the end of an element is not compared with the end of the message, so that a nested array reads
/// behind it.
#[test]
fn cve_2018_10873_elements_do_not_leave_the_body() {
    // The last of two path segments wants one point more than there is.
    let segment = "00 01000000 0000000000000000";
    let stroke = |last: &str| hex(&format!("{BASE} 1F000000 00 00 0800 0000 02000000 {segment} {last}"));
    assert!(decode::<ServerMessage>(310, &stroke(segment)).is_ok());
    assert_truncated::<ServerMessage>(310, &stroke("00 02000000 0000000000000000"));
    // Lengths of payloads, counts of palettes, names and lists that are one too large.
    assert_truncated::<ServerMessage>(123, &hex("00000000 00000000 02000000 FF"));
    assert_truncated::<ServerMessage>(105, &hex("0200 01 0000000000000000"));
    assert_truncated::<ServerMessage>(317, &hex("0100 0100 00000000"));
    assert_truncated::<ClientMessage>(105, &hex("02 01"));
    assert_truncated::<smartcard::ClientMessage>(101, &hex("07000000 00000000 05000000 00000000"));
    assert_truncated::<port::ServerMessage>(201, &hex("04000000 09000000 00 616263"));
    assert_truncated::<base::ServerMessage>(5, &hex("02 0200 0000000000000000"));
    assert_truncated::<vmc::ServerMessage>(102, &hex("01 000000"));
    assert_truncated::<cursor::ServerMessage>(103, &hex("0000 0000 01 0000 0000"));
    let palette = "0000000000000000 0200 00000000";
    let lz = format!("0100000000000000 64 00 01000000 01000000  00 00000000 54000000 {palette}");
    assert_truncated::<ServerMessage>(304, &copy_of(&lz));
}

#[test]
fn pointers_lead_into_the_body() {
    let copy = |at: u32| {
        let mut body = BytesMut::from(&copy_of("0100000000000000 67 00 01000000 01000000")[..]);
        body[21..25].copy_from_slice(&at.to_le_bytes());
        body.freeze()
    };
    assert!(decode::<ServerMessage>(304, &copy(57)).is_ok());
    let len = copy(0).len();
    for offset in [75, 76, 0x7fff_ffff, u32::MAX] {
        assert_eq!(
            error::<ServerMessage>(304, &copy(offset)),
            DecodeErrorKind::PointerOutside { offset, len }
        );
    }
    assert_truncated::<ServerMessage>(304, &copy(74));
    // No source at all is legal for a copy, no path is not for a stroke.
    assert!(decode::<ServerMessage>(304, &copy(0)).is_ok());
    let stroke = hex(&format!("{BASE} 00000000 00 00 0800 0000"));
    assert_eq!(error::<ServerMessage>(310, &stroke), DecodeErrorKind::NullPointer);
    let lz = "0100000000000000 64 00 01000000 01000000  00 00000000 00000000";
    assert_eq!(error::<ServerMessage>(304, &copy_of(lz)), DecodeErrorKind::NullPointer);
}

/// A pointer may lead back to the structure it stands in. Types do not contain themselves, so such a chain ends
/// after as many steps as the types are deep.
#[test]
fn pointers_that_lead_back_end() {
    for at in 1..75u8 {
        let mut body = BytesMut::from(&copy_of("0100000000000000 67 00 01000000 01000000")[..]);
        body[21] = at;
        let _ = decode::<ServerMessage>(304, &body.freeze());
    }
    // A bitmap that is its own palette.
    let body =
        copy_of("0100000000000000 00 00 01000000 01000000 05 00 01000000 01000000 01000000 39000000 00");
    let Ok(ServerMessage::DrawCopy(copy)) = decode(304, &body) else { panic!("does not decode") };
    let image = copy.src_bitmap.unwrap();
    assert!(matches!(&image.data, ImageData::Bitmap(b) if b.palette.is_some()));
}

#[test]
fn pointers_are_bounded() {
    let rop3 = hex(&format!(
        "{BASE} 45000000 {} 02 45000000 00000000 00000000 F0 00 00 00000000 00000000 45000000 \
         0100000000000000 67 00 01000000 01000000",
        "00".repeat(16)
    ));
    assert!(ServerMessage::decode(309, &rop3, 3).is_ok());
    for bound in 0..3 {
        let error = ServerMessage::decode(309, &rop3, bound).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::TooManyPointers { bound });
        assert_eq!(error.message, "DrawRop3");
    }
    assert!(Limits::default().pointers >= 3);
}

/// However many elements a count promises, a short body is refused at once and nothing is reserved for them.
#[test]
fn counts_of_variable_elements_end_with_the_body() {
    let path = format!("{BASE} 1F000000 00 00 0800 0000 FFFFFFFF 00 00000000");
    assert_truncated::<ServerMessage>(310, &hex(&path));
    let text =
        format!("{BASE} 2F000000 {} 00 00 0800 0000 FFFF 01 {} 0000 0000", "00".repeat(16), "00".repeat(16));
    assert_truncated::<ServerMessage>(311, &hex(&text));
    // Empty elements take bytes too, so the work stays proportional to the body.
    let mut body = BytesMut::from(&hex(&format!("{BASE} 1F000000 00 00 0800 0000"))[..]);
    body.put_u32_le(u32::MAX);
    body.resize(body.len() + (1 << 20), 0);
    assert_truncated::<ServerMessage>(310, &body.freeze());
}

#[test]
fn tags_that_decide_a_layout_are_known() {
    let unknown = |kind, body: &str| match error::<ServerMessage>(kind, &hex(body)) {
        DecodeErrorKind::UnknownTag { tag } => tag,
        other => panic!("{other:?}"),
    };
    assert_eq!(unknown(124, "00000000 02"), 2);
    assert_eq!(unknown(302, &format!("{BASE} 03")), 3);
    for tag in [2u8, 99, 110, 255] {
        let image = format!("0100000000000000 {tag:02X} 00 01000000 01000000 00000000");
        assert_eq!(
            error::<ServerMessage>(304, &copy_of(&image)),
            DecodeErrorKind::UnknownTag { tag: tag.into() }
        );
    }
}

#[test]
fn values_that_decide_a_length_fit_each_other() {
    let bad =
        |kind, body: &Bytes| matches!(error::<ServerMessage>(kind, body), DecodeErrorKind::BadValue { .. });
    assert!(bad(304, &copy_of("0100000000000000 6C 00 01000000 01000000 00 06000000 05000000 0000000000")));
    for flags in ["00", "03", "05", "08", "F8"] {
        let text = format!("{BASE} 2F000000 {} 00 00 0800 0000 0000 {flags}", "00".repeat(16));
        assert!(bad(311, &hex(&text)), "{flags}");
    }
}

#[test]
fn errors_say_where() {
    let error = decode::<ServerMessage>(304, &copy_of("0100000000000000 67 00 01000000 010000")).unwrap_err();
    assert_eq!(error.to_string(), "DrawCopy: field descriptor at byte 71: needs 4 bytes, 3 are left");
}
