//! The compression to ask a server for.

use clap::ValueEnum;
use spice_proto::msg::display::ImageCompression;

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Compression {
    /// As the server is set.
    Server,
    Off,
    Quic,
    Lz,
    Glz,
    Lz4,
    /// QUIC or LZ, by content.
    AutoLz,
    /// QUIC or GLZ, by content.
    AutoGlz,
}

impl Compression {
    /// What to ask for; `None` leaves the server alone.
    pub(crate) fn wish(self) -> Option<ImageCompression> {
        Some(match self {
            Self::Server => return None,
            Self::Off => ImageCompression::OFF,
            Self::Quic => ImageCompression::QUIC,
            Self::Lz => ImageCompression::LZ,
            Self::Glz => ImageCompression::GLZ,
            Self::Lz4 => ImageCompression::LZ4,
            Self::AutoLz => ImageCompression::AUTO_LZ,
            Self::AutoGlz => ImageCompression::AUTO_GLZ,
        })
    }
}
