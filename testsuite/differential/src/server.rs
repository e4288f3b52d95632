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
    /// JPEG, as over slow links; not for exact comparisons.
    Jpeg,
    /// Films as streams; not for exact comparisons.
    Mjpeg,
}

impl Mode {
    /// Those that lose nothing.
    pub(crate) const ALL: [Self; 8] =
        [Self::Off, Self::Quic, Self::Lz, Self::Glz, Self::AutoLz, Self::AutoGlz, Self::Lz4, Self::ZlibGlz];

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
            Self::Mjpeg => "mjpeg",
        }
    }

    /// The library's number for the compression.
    pub(crate) fn compression(self) -> c_int {
        match self {
            Self::Off => 1,
            Self::AutoGlz => 2,
            Self::AutoLz => 3,
            Self::Quic | Self::Jpeg | Self::Mjpeg => 4,
            Self::Glz | Self::ZlibGlz => 5,
            Self::Lz => 6,
            Self::Lz4 => 7,
        }
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

const ALWAYS: c_int = 2;
const NEVER: c_int = 3;
const NO_FILMS: c_int = 1;
const ALL_FILMS: c_int = 2;

/// Starts a server with a device for each of these primary surfaces. Returns the devices and the port.
///
/// The calling thread must go on with [`core::run`].
pub(crate) fn start(mode: Mode, primaries: &[SurfaceSpec]) -> Result<(Vec<Handle>, u16), String> {
    let port = net::free_port()?;
    let interface = Box::leak(Box::new(core::interface()));
    let jpeg = if mode == Mode::Jpeg { ALWAYS } else { NEVER };
    let streams = if mode == Mode::Mjpeg { ALL_FILMS } else { NO_FILMS };
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
        ffi::spice_server_set_streaming_video(server, streams);
        if ffi::spice_server_init(server, interface) != 0 {
            return Err(format!("the library cannot listen on port {port}"));
        }
        server
    };
    let devices = (0..).zip(primaries).map(|(id, primary)| Handle::attach(server, id, *primary));
    Ok((devices.collect::<Result<_, _>>()?, port))
}
