//! The display channel: announces the client's caches, then hands on drawing commands in order.

use crate::caps::DisplayCaps;
use crate::channel::{Channel, Context, Logic};
use crate::error::ProtocolError;
use crate::msg::base::WaitForChannel;
use crate::msg::display::{
    ClientMessage, ImageCompression, Init, PreferredCompression, PreferredVideoCodecType, ServerMessage,
    StreamReport, VideoCodecType,
};
use crate::time::Instant;
use crate::wire::{Array, Counted};

/// What the client tells a display channel at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DisplayConfig {
    /// What the client can draw and decode; a server sends only what stands here, with the exceptions that
    /// [`DisplayCaps`] names.
    pub caps: DisplayCaps,
    /// Size of the image cache that all display channels share, in pixels. The default is 80 MiB of 32-bit
    /// pixels, the size that servers are used to.
    pub pixmap_cache: i64,
    /// Size of the GLZ window that all display channels share, in pixels. 0 keeps a server from referring to
    /// earlier images.
    pub glz_window: i32,
    /// The compression to ask for, if the server takes such wishes.
    pub compression: Option<ImageCompression>,
}

impl Default for DisplayConfig {
    fn default() -> Self {
        Self {
            caps: DisplayCaps::MONITORS_CONFIG,
            pixmap_cache: (80 << 20) / 4,
            glz_window: 0,
            compression: Some(ImageCompression::LZ),
        }
    }
}

/// The client's side of a display channel.
#[derive(Debug)]
pub struct Display {
    config: DisplayConfig,
}

impl Display {
    /// A display channel that will announce `config`.
    pub fn new(config: DisplayConfig) -> Self {
        Self { config }
    }
}

impl Logic for Display {
    type In = ServerMessage;
    type Event = ServerMessage;

    fn on_open(&mut self, cx: &mut Context<'_, ServerMessage>) {
        // All display channels name the same cache and window, which makes the server share them.
        cx.send(&ClientMessage::Init(Init {
            pixmap_cache_id: SHARED,
            pixmap_cache_size: self.config.pixmap_cache,
            glz_dictionary_id: SHARED,
            glz_dictionary_window_size: self.config.glz_window,
        }));
        let wish = self.config.compression.filter(|_| takes_wishes(cx));
        if let Some(image_compression) = wish {
            cx.send(&ClientMessage::PreferredCompression(PreferredCompression { image_compression }));
        }
    }

    fn on_message(
        &mut self,
        msg: ServerMessage,
        cx: &mut Context<'_, ServerMessage>,
    ) -> Result<(), ProtocolError> {
        cx.emit(msg);
        Ok(())
    }

    fn waits_for(msg: &ServerMessage) -> Option<&Array<WaitForChannel>> {
        match msg {
            ServerMessage::InvalAllPixmaps(wait) => Some(&wait.wait_list),
            _ => None,
        }
    }
}

impl Channel<Display> {
    /// Asks for another compression of images from now on.
    ///
    /// # Errors
    /// As [`Channel::command`]; [`ProtocolError::Misuse`] when the server does not take such wishes.
    pub fn prefer_compression(&mut self, now: Instant, wish: ImageCompression) -> Result<(), ProtocolError> {
        self.command(now, |_, cx| {
            if !takes_wishes(cx) {
                return Err(ProtocolError::Misuse("the server takes no wishes for image compression"));
            }
            cx.send(&ClientMessage::PreferredCompression(PreferredCompression { image_compression: wish }));
            Ok(())
        })?
    }

    /// Says which video codecs the client likes, best first, for streams that begin from now on.
    ///
    /// # Errors
    /// As [`Channel::command`]; [`ProtocolError::Misuse`] when the server does not take such wishes, or for an empty or
    /// endless list.
    pub fn prefer_video_codecs(
        &mut self,
        now: Instant,
        wish: &[VideoCodecType],
    ) -> Result<(), ProtocolError> {
        let codecs = Counted::new(wish.into())
            .ok()
            .filter(|_| !wish.is_empty())
            .ok_or(ProtocolError::Misuse("a wish for video codecs names 1 to 255 of them"))?;
        self.command(now, |_, cx| {
            if !DisplayCaps::from(cx.server_caps()).contains(DisplayCaps::PREF_VIDEO_CODEC_TYPE) {
                return Err(ProtocolError::Misuse("the server takes no wishes for video codecs"));
            }
            cx.send(&ClientMessage::PreferredVideoCodecType(PreferredVideoCodecType { codecs }));
            Ok(())
        })?
    }

    /// Tells how a video stream fares.
    ///
    /// # Errors
    /// As [`Channel::command`]; [`ProtocolError::Misuse`] when the server does not take reports.
    pub fn report_stream(&mut self, now: Instant, report: StreamReport) -> Result<(), ProtocolError> {
        self.command(now, |_, cx| {
            if !DisplayCaps::from(cx.server_caps()).contains(DisplayCaps::STREAM_REPORT) {
                return Err(ProtocolError::Misuse("the server takes no reports on streams"));
            }
            cx.send(&ClientMessage::StreamReport(report));
            Ok(())
        })?
    }
}

/// Whether the server takes wishes for image compression.
fn takes_wishes(cx: &Context<'_, ServerMessage>) -> bool {
    DisplayCaps::from(cx.server_caps()).contains(DisplayCaps::PREF_COMPRESSION)
}

/// Number of the image cache and of the GLZ dictionary, the same on every display channel.
const SHARED: u8 = 1;
