//! The protocol's image codecs on files: PNG to the image of a drawing message, and back.
//!
//! The file holds the image as it stands in a message: descriptor, fields of its type, payload. So it says itself
//! what it is.

mod decode;
mod encode;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use serde_json::json;
use spice_codecs::{CodecError, ErrorKind};
use spice_proto::msg::display::ImageType;

use crate::error::Error;
use crate::picture::{self, Picture};
use crate::report::Report;

/// Turns a PNG into an image of a drawing message.
#[derive(Debug, clap::Args)]
pub(crate) struct EncodeArgs {
    /// The form of the image.
    #[arg(long, value_enum)]
    codec: CodecName,

    /// Quality of the JPEG forms, 1 to 100.
    #[arg(long, default_value_t = 85, value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,

    /// The PNG file to read.
    input: PathBuf,

    /// The file to write: descriptor and payload.
    output: PathBuf,
}

/// Turns an image of a drawing message into a PNG.
#[derive(Debug, clap::Args)]
pub(crate) struct DecodeArgs {
    /// The form that the image must have; without it, whichever its descriptor names.
    #[arg(long, value_enum)]
    codec: Option<CodecName>,

    /// The file to read: descriptor and payload.
    input: PathBuf,

    /// The PNG file to write.
    output: PathBuf,
}

/// A form of images that the tool makes and reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CodecName {
    Quic,
    Lz,
    Glz,
    ZlibGlz,
    Lz4,
    Jpeg,
    JpegAlpha,
}

impl CodecName {
    /// The type of an image, and how the command line calls it.
    fn image_type(self) -> (ImageType, &'static str) {
        match self {
            Self::Quic => (ImageType::QUIC, "quic"),
            Self::Lz => (ImageType::LZ_RGB, "lz"),
            Self::Glz => (ImageType::GLZ_RGB, "glz"),
            Self::ZlibGlz => (ImageType::ZLIB_GLZ_RGB, "zlib-glz"),
            Self::Lz4 => (ImageType::LZ4, "lz4"),
            Self::Jpeg => (ImageType::JPEG, "jpeg"),
            Self::JpegAlpha => (ImageType::JPEG_ALPHA, "jpeg-alpha"),
        }
    }
}

pub(crate) fn encode(args: &EncodeArgs, report: Report) -> Result<(), Error> {
    let picture = picture::read(&args.input)?;
    let started = Instant::now();
    let image = encode::image(args.codec, args.quality, &picture)?;
    let took = started.elapsed();
    let mut file = bytes::BytesMut::new();
    spice_proto::wire::encode(&image, &mut file);
    std::fs::write(&args.output, &file)
        .map_err(|source| Error::Write { path: args.output.clone(), source })?;
    tell(report, &picture, file.len(), took)
}

pub(crate) fn decode(args: &DecodeArgs, report: Report) -> Result<(), Error> {
    let file =
        std::fs::read(&args.input).map_err(|source| Error::Read { path: args.input.clone(), source })?;
    let len = file.len();
    let path = || args.input.clone();
    if file.starts_with(b"\x89PNG") {
        return Err(Error::StillPng(path()));
    }
    if file.starts_with(b"SPICEREC") {
        return Err(Error::StillRecording(path()));
    }
    let image = decode::parse(file).map_err(|source| Error::NoImage { path: path(), source })?;
    let mut again = bytes::BytesMut::new();
    spice_proto::wire::encode(&image, &mut again);
    if let Some(excess @ 1..) = len.checked_sub(again.len()) {
        return Err(Error::BehindImage { path: path(), excess });
    }
    let found = image.data.kind();
    let mut names = CodecName::value_variants().iter().map(|name| name.image_type());
    let Some((_, name)) = names.find(|(kind, _)| *kind == found) else {
        return Err(Error::NotAlone { path: path(), found });
    };
    if let Some((_, asked)) = args.codec.map(CodecName::image_type).filter(|(kind, _)| *kind != found) {
        return Err(Error::OtherCodec { path: path(), found: name, asked });
    }
    let started = Instant::now();
    let picture = match decode::picture(&image) {
        Ok(Some(picture)) => picture,
        Ok(None) => return Err(Error::NotAlone { path: path(), found }),
        Err(CodecError { kind: ErrorKind::MissingImage(id), .. }) => {
            return Err(Error::MissingImage { path: path(), id });
        }
        Err(source) => return Err(Error::Damaged { path: path(), source }),
    };
    let took = started.elapsed();
    picture::write(&args.output, &picture)
        .map_err(|source| Error::Write { path: args.output.clone(), source })?;
    tell(report, &picture, len, took)
}

fn tell(report: Report, picture: &Picture, len: usize, took: Duration) -> Result<(), Error> {
    let (width, height) = (picture.width, picture.height);
    let raw = f64::from(width) * f64::from(height) * 4.0;
    let (ratio, ms) = (raw / len.max(1) as f64, took.as_secs_f64() * 1000.0);
    let speed = raw / ms.max(1e-6) / 1000.0;
    report.tell(
        &format!("{width}x{height} pixels, {len} bytes, ratio {ratio:.2}, {ms:.2} ms, {speed:.0} MB/s"),
        &json!({ "width": width, "height": height, "bytes": len, "ratio": ratio, "ms": ms }),
    )
}
