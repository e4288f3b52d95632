//! What users are told about files that are not what they should be.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{CodecName, DecodeArgs, EncodeArgs, decode, encode};
use crate::picture::{self, Picture};
use crate::report::Report;

/// A folder of its own, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("headless-codec-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let folder = Self(path);
        let pixels = (0..16 * 8 * 4u32).map(|i| if i % 4 == 3 { 255 } else { (i / 3 * 7) as u8 }).collect();
        picture::write(&folder.at("in.png"), &Picture { width: 16, height: 8, alpha: false, pixels })
            .unwrap();
        folder
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Encodes `in.png`.
    fn encode(&self, codec: CodecName, output: &str) {
        let (input, output) = (self.at("in.png"), self.at(output));
        encode(&EncodeArgs { codec, quality: 85, input, output }, Report::new(false)).unwrap();
    }

    /// What a user reads who decodes a file, the folder left out.
    fn complaint(&self, codec: Option<CodecName>, input: &str) -> String {
        let result = decode(
            &DecodeArgs { codec, input: self.at(input), output: self.at("out.png") },
            Report::new(false),
        );
        assert!(!self.at("out.png").exists(), "a picture in spite of an error");
        result.unwrap_err().to_string().replace(&format!("{}/", self.0.display()), "")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn another_codec_than_the_one_asked_for_is_named() {
    let folder = Folder::new("other");
    folder.encode(CodecName::ZlibGlz, "a.img");
    assert_eq!(
        folder.complaint(Some(CodecName::Quic), "a.img"),
        "a.img holds a zlib-glz image, not quic: say --codec zlib-glz, or leave --codec out"
    );
    // Which is true.
    for codec in [Some(CodecName::ZlibGlz), None] {
        decode(
            &DecodeArgs { codec, input: folder.at("a.img"), output: folder.at("out.png") },
            Report::new(false),
        )
        .unwrap();
    }
}

#[test]
fn a_file_that_was_cut_anywhere_is_refused_with_advice() {
    let folder = Folder::new("cut");
    for &codec in CodecName::value_variants() {
        folder.encode(codec, "whole.img");
        let whole = std::fs::read(folder.at("whole.img")).unwrap();
        for len in 0..whole.len() {
            // A JPEG file may end early; what is missing is gray then.
            if matches!(codec, CodecName::Jpeg | CodecName::JpegAlpha) && len > 40 {
                break;
            }
            std::fs::write(folder.at("cut.img"), &whole[..len]).unwrap();
            let complaint = folder.complaint(Some(codec), "cut.img");
            assert!(complaint.starts_with("cut.img is "), "{codec:?} {len}: {complaint}");
            assert!(complaint.contains("cut short"), "{codec:?} {len}: {complaint}");
            assert!(
                complaint.ends_with("Copy it completely, or encode the picture again"),
                "{codec:?} {len}: {complaint}"
            );
        }
    }
}

#[test]
fn a_damaged_payload_says_where() {
    let folder = Folder::new("damaged");
    folder.encode(CodecName::Lz, "a.img");
    let mut file = std::fs::read(folder.at("a.img")).unwrap();
    let last = file.len() - 1;
    // Descriptor of 18 bytes and a length of four, then the mark of LZ.
    file[22] ^= 0xff;
    std::fs::write(folder.at("a.img"), &file[..=last]).unwrap();
    assert_eq!(
        folder.complaint(None, "a.img"),
        "a.img is damaged or was cut short: lz: bad magic 0xdf205a4c at byte 0. Copy it completely, or encode the \
         picture again"
    );
}

#[test]
fn other_files_are_told_apart() {
    let folder = Folder::new("files");
    assert_eq!(
        folder.complaint(None, "in.png"),
        "in.png is a PNG file, not an encoded image: encode it first (headless encode --codec quic in.png FILE)"
    );
    std::fs::write(folder.at("text"), "Dear reader, this is no picture at all.\n").unwrap();
    let complaint = folder.complaint(Some(CodecName::Lz), "text");
    assert!(complaint.starts_with("text "), "{complaint}");
    assert!(complaint.contains("headless encode"), "{complaint}");
    let complaint = folder.complaint(None, "nothing");
    assert!(complaint.starts_with("nothing cannot be read: "), "{complaint}");
}

#[test]
fn an_image_that_needs_its_session_says_how_to_see_it() {
    let folder = Folder::new("alone");
    folder.encode(CodecName::Glz, "a.img");
    let mut file = std::fs::read(folder.at("a.img")).unwrap();
    // Type 103, FROM_CACHE: no data of its own.
    file[8] = 103;
    std::fs::write(folder.at("cache.img"), &file[..18]).unwrap();
    let complaint = folder.complaint(None, "cache.img");
    assert!(complaint.starts_with("cache.img holds an image of type "), "{complaint}");
    assert!(complaint.ends_with("replay a recording of its session (headless replay)"), "{complaint}");
}

#[test]
fn only_png_files_are_encoded() {
    let folder = Folder::new("png");
    std::fs::write(folder.at("a.png"), b"\xff\xd8\xff\xe0 no PNG").unwrap();
    let args = EncodeArgs {
        codec: CodecName::Lz,
        quality: 85,
        input: folder.at("a.png"),
        output: folder.at("a.img"),
    };
    let complaint = encode(&args, Report::new(false)).unwrap_err().to_string();
    assert!(complaint.contains("a.png is not a PNG file that can be read: "), "{complaint}");
    assert!(complaint.ends_with("Give a PNG file, complete and undamaged"), "{complaint}");
}

#[test]
fn bytes_behind_the_image_are_not_passed_over() {
    let folder = Folder::new("behind");
    for codec in CodecName::value_variants() {
        folder.encode(*codec, "a.img");
        let mut file = std::fs::read(folder.at("a.img")).unwrap();
        file.extend([0; 3]);
        std::fs::write(folder.at("a.img"), &file).unwrap();
        let complaint = folder.complaint(None, "a.img");
        assert!(complaint.starts_with("a.img goes on for 3 bytes behind its image"), "{complaint}");
    }
}
