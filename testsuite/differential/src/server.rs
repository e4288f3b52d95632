//! The library as a server on a loopback port, with one graphics device.

use std::ffi::c_int;
use std::str::FromStr;

use testsuite::net;

use crate::core;
use crate::device::Handle;
use crate::ffi;
use crate::scene::SurfaceSpec;

/// How the server sends images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Off,
    Quic,
    Lz,
    Glz,
    AutoLz,
    AutoGlz,
    Lz4,
    /// GLZ inside zlib, as over slow links.
    ZlibGlz,
    /// JPEG wherever the server takes losses for harmless, as over slow links; compared within [`Mode::tolerance`].
    Jpeg,
}

impl Mode {
    pub(crate) const ALL: [Self; 9] = [
        Self::Off,
        Self::Quic,
        Self::Lz,
        Self::Glz,
        Self::AutoLz,
        Self::AutoGlz,
        Self::Lz4,
        Self::ZlibGlz,
        Self::Jpeg,
    ];

    /// The name on command lines.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Quic => "quic",
            Self::Lz => "lz",
            Self::Glz => "glz",
            Self::AutoLz => "auto_lz",
            Self::AutoGlz => "auto_glz",
            Self::Lz4 => "lz4",
            Self::ZlibGlz => "zlib_glz",
            Self::Jpeg => "jpeg",
        }
    }

    /// The library's number for the compression.
    fn compression(self) -> c_int {
        match self {
            Self::Off => 1,
            Self::AutoGlz | Self::Jpeg => 2,
            Self::AutoLz => 3,
            Self::Quic => 4,
            Self::Glz | Self::ZlibGlz => 5,
            Self::Lz => 6,
            Self::Lz4 => 7,
        }
    }

    /// By how much a channel may differ, of 255.
    pub(crate) fn tolerance(self) -> u8 {
        if self == Self::Jpeg { JPEG_TOLERANCE } else { 0 }
    }

    /// Whether bits without a meaning may get lost on the way.
    pub(crate) fn loses_padding(self) -> bool {
        self != Self::Off
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|mode| mode.name() == name)
            .ok_or_else(|| format!("no compression {name:?}; there are {}", names()))
    }
}

/// Two steps of a 16-bit picture's channels: such a picture is flat but for single steps, and JPEG blurs each by up to
/// one, besides its own rounding. Pictures of 24 and 32 bits stay below a third of it.
const JPEG_TOLERANCE: u8 = 16;

const ALWAYS: c_int = 2;
const NEVER: c_int = 3;

/// Starts a server whose device has this primary surface. Returns the device and the port.
///
/// The calling thread must go on with [`core::run`].
pub(crate) fn start(mode: Mode, primary: SurfaceSpec) -> Result<(Handle, u16), String> {
    let port = net::free_port()?;
    let interface = Box::leak(Box::new(core::interface()));
    let jpeg = if mode == Mode::Jpeg { ALWAYS } else { NEVER };
    let zlib = if mode == Mode::ZlibGlz { ALWAYS } else { NEVER };
    // SAFETY: plain calls in the library's own order; the interface lives as long as the process.
    let server = unsafe {
        // A client that goes away must not end the process.
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        let server = ffi::spice_server_new();
        ffi::spice_server_set_addr(server, c"127.0.0.1".as_ptr(), 1);
        ffi::spice_server_set_port(server, port.into());
        ffi::spice_server_set_noauth(server);
        ffi::spice_server_set_image_compression(server, mode.compression());
        ffi::spice_server_set_jpeg_compression(server, jpeg);
        ffi::spice_server_set_zlib_glz_compression(server, zlib);
        ffi::spice_server_set_streaming_video(server, 1);
        if ffi::spice_server_init(server, interface) != 0 {
            return Err(format!("the library cannot listen on port {port}"));
        }
        server
    };
    Ok((Handle::attach(server, primary)?, port))
}
