//! Video streams: frames decoded and put onto their surface.
//!
//! The canvas shows a frame at the moment it is applied. Keeping frames until their time, dropping late ones and
//! reporting about both is the business of whoever has a clock: hold the frame's message back, and apply it when
//! it is due, in between the other messages. The clip in force is then the one that counts, and a frame of a
//! stream that has ended meanwhile is ignored.

use std::collections::BTreeMap;
use std::fmt;

use spice_codecs::{Header, PixelFormat, PixelsMut, RowOrder, jpeg};
use spice_proto::msg::display::{
    Clip, DisplayBase, ServerMessage, StreamClip, StreamCreate, StreamFlags, VideoCodecType,
};
use spice_proto::types::{Rect, StreamId, SurfaceId};
use spice_proto::wire::Counted;
use thiserror::Error;

use crate::canvas::job::Job;
use crate::canvas::mapping::Filter;
use crate::canvas::outcome::{CanvasError, Event, Operation, Reason};
use crate::canvas::rop::Rop;
use crate::canvas::sample::resize;
use crate::canvas::surface::{View, to_i32};
use crate::canvas::{Canvas, CanvasLimits, copy};

/// Decodes the frames of one video stream; made by the function given to [`Canvas::set_video_decoders`].
pub trait VideoDecoder: Send {
    /// Decodes one frame, as it stands in `StreamData.data`, into `frame`.
    ///
    /// All frames of a stream come here in order, also those that nothing is shown of. `Ok(false)` if this one
    /// gives no picture.
    ///
    /// # Errors
    ///
    /// [`VideoError`] if the frame cannot be decoded; the stream goes on.
    fn decode(&mut self, data: &[u8], frame: &mut VideoFrame) -> Result<bool, VideoError>;
}

/// Why a frame is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VideoError {
    /// The data is damaged.
    #[error("damaged frame")]
    Damaged,
    /// The picture is empty or larger than the canvas admits.
    #[error("frame of {width}x{height} pixels not allowed")]
    Size {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
}

/// Memory for a decoded frame.
#[derive(Debug)]
pub struct VideoFrame {
    pixels: Vec<u8>,
    width: u32,
    height: u32,
    most: (u32, u64),
}

impl VideoFrame {
    fn new(limits: &CanvasLimits) -> Self {
        Self { pixels: Vec::new(), width: 0, height: 0, most: (limits.image_side, limits.image_pixels) }
    }

    /// Gives the frame a size in pixels, and the memory for its rows: bytes b, g, r, 255 for each pixel, without
    /// padding. What the memory holds before is not defined.
    ///
    /// # Errors
    ///
    /// [`VideoError::Size`].
    pub fn resize(&mut self, width: u32, height: u32) -> Result<&mut [u8], VideoError> {
        let (side, pixels) = (width.max(height), u64::from(width) * u64::from(height));
        if pixels == 0 || side > self.most.0 || pixels > self.most.1 {
            return Err(VideoError::Size { width, height });
        }
        resize(&mut self.pixels, width as usize * height as usize * 4);
        (self.width, self.height) = (width, height);
        Ok(&mut self.pixels)
    }
}

/// Makes decoders for codecs.
type Factory = Box<dyn FnMut(VideoCodecType) -> Option<Box<dyn VideoDecoder>> + Send>;

/// The streams of one display channel.
pub(super) struct Streams {
    open: BTreeMap<StreamId, Stream>,
    factory: Option<Factory>,
    jpeg: jpeg::Decoder,
    frame: VideoFrame,
}

struct Stream {
    /// Where frames are shown, with a clip of its own memory.
    base: DisplayBase,
    rows: RowOrder,
    decoder: Decoder,
}

enum Decoder {
    Mjpeg,
    Other(Box<dyn VideoDecoder>),
}

impl Streams {
    pub(super) fn new(limits: &CanvasLimits) -> Self {
        let (open, frame) = (BTreeMap::new(), VideoFrame::new(limits));
        Self { open, factory: None, jpeg: jpeg::Decoder::new(), frame }
    }

    pub(super) fn remove(&mut self, id: StreamId) {
        self.open.remove(&id);
    }

    pub(super) fn clear(&mut self) {
        self.open.clear();
    }

    /// Ends the streams of a surface.
    pub(super) fn detach(&mut self, surface: SurfaceId) {
        self.open.retain(|_, stream| stream.base.surface_id != surface);
    }

    /// Gives back a frame's memory if it is larger than `most` bytes.
    pub(super) fn shrink(&mut self, most: usize) {
        if self.frame.pixels.capacity() > most {
            self.frame.pixels = Vec::new();
        }
        self.jpeg.shrink_to(most);
    }

    fn decoder(&mut self, codec: VideoCodecType) -> Option<Decoder> {
        match codec {
            VideoCodecType::MJPEG => Some(Decoder::Mjpeg),
            other => self.factory.as_mut()?(other).map(Decoder::Other),
        }
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.open.keys()).finish()
    }
}

impl Canvas {
    /// Adds decoders for video codecs besides MJPEG: `make` is asked once for each new stream, and gives `None`
    /// for what it does not know.
    pub fn set_video_decoders(
        &mut self,
        make: impl FnMut(VideoCodecType) -> Option<Box<dyn VideoDecoder>> + Send + 'static,
    ) {
        self.streams.factory = Some(Box::new(make));
    }

    /// Number of video streams that are open and can be decoded.
    pub fn streams(&self) -> usize {
        self.streams.open.len()
    }

    /// Decodes a frame that comes too late to be shown, for streams whose later frames build on it. Other messages do
    /// nothing.
    pub fn skip_frame(&mut self, message: &ServerMessage) {
        let (id, data) = match message {
            ServerMessage::StreamData(m) => (m.id, &m.data),
            ServerMessage::StreamDataSized(m) => (m.id, &m.data),
            _ => return,
        };
        if let Some(Stream { decoder: Decoder::Other(decoder), .. }) = self.streams.open.get_mut(&id) {
            // A frame that fails is missed by the next one that is shown.
            let _ = decoder.decode(data, &mut self.streams.frame);
            self.streams.shrink(self.config.limits.scratch_bytes);
        }
    }

    pub(super) fn stream_create(&mut self, m: &StreamCreate) -> Result<(), CanvasError> {
        let decoder = match self.surfaces.get(m.surface_id) {
            Some(_) => self.streams.decoder(m.codec_type),
            None => None,
        };
        // An id in use is replaced.
        self.streams.remove(m.id);
        let Some(decoder) = decoder else {
            self.tell(Event::StreamUndecodable { id: m.id });
            return Ok(());
        };
        let (value, bound) = (self.streams.open.len() as u64 + 1, self.config.limits.streams as u64);
        if value > bound {
            return Err(CanvasError::Limit { limit: "streams", value, bound });
        }
        let base = DisplayBase { surface_id: m.surface_id, area: m.dest, clip: self.own_clip(&m.clip) };
        let rows = RowOrder::from_top_down(m.flags.contains(StreamFlags::TOP_DOWN));
        self.streams.open.insert(m.id, Stream { base, rows, decoder });
        Ok(())
    }

    pub(super) fn stream_clip(&mut self, m: &StreamClip) {
        let clip = self.own_clip(&m.clip);
        if let Some(stream) = self.streams.open.get_mut(&m.id) {
            stream.base.clip = clip;
        }
    }

    /// Decodes a frame and shows it in `dest`, or in the stream's own place.
    pub(super) fn stream_frame(&mut self, id: StreamId, dest: Option<Rect>, data: &[u8]) {
        let Some(mut stream) = self.streams.open.remove(&id) else { return };
        let mut base = stream.base.clone();
        base.area = dest.unwrap_or(base.area);
        let visible = self.find_region(&base).map(|()| !self.region.is_empty());
        let shown = match visible {
            Ok(visible) => self.decode_frame(&mut stream, data, visible),
            Err(reason) => Err(reason),
        };
        let shown = shown.and_then(|has_picture| match visible {
            Ok(true) if has_picture => self.put_frame(&base, stream.rows),
            _ => Ok(()),
        });
        if let Err(reason) = shown {
            self.undrawable(Operation::Stream, reason);
        }
        self.streams.open.insert(id, stream);
        self.streams.shrink(self.config.limits.scratch_bytes);
    }

    /// Decodes into the frame's memory; says whether there is a picture.
    fn decode_frame(&mut self, stream: &mut Stream, data: &[u8], visible: bool) -> Result<bool, Reason> {
        let Streams { jpeg, frame, .. } = &mut self.streams;
        match &mut stream.decoder {
            Decoder::Other(decoder) => Ok(decoder.decode(data, frame)?),
            Decoder::Mjpeg if !visible || data.is_empty() => Ok(false),
            Decoder::Mjpeg => {
                let Header { width, height, .. } = jpeg::header(data)?;
                let pixels = frame.resize(width, height)?;
                let dst = PixelsMut::packed(pixels, width, height, PixelFormat::Bgra)?;
                jpeg.decode_frame(data, RowOrder::TopDown, dst)?;
                Ok(true)
            }
        }
    }

    /// Shows the decoded frame in the region.
    fn put_frame(&mut self, base: &DisplayBase, rows: RowOrder) -> Result<(), Reason> {
        let id = base.surface_id;
        let frame = &self.streams.frame;
        let view = View::packed(&frame.pixels, frame.width, frame.height, PixelFormat::Bgra);
        let view = View { bottom_up: rows == RowOrder::BottomUp, ..view };
        let whole = Rect::at(0, 0, to_i32(frame.width), to_i32(frame.height));
        let Some(mut surface) = self.surfaces.take(id) else { return Err(Reason::NoSurface(id)) };
        let mut job = Job {
            surface: &mut surface,
            region: &mut self.region,
            area: base.area,
            mask: None,
            rows: &mut self.rows,
            views: [Some(view), None, None],
        };
        let result =
            job.source(&whole, Filter::Nearest).map(|source| copy::copy(&mut job, &source, Rop::COPY));
        self.surfaces.put_back(id, surface);
        self.add_damage(id);
        result
    }

    /// A clip that does not keep the message alive that it came with.
    fn own_clip(&self, clip: &Clip) -> Clip {
        let Clip::Rects(rects) = clip else { return Clip::None };
        // One more than is allowed is as refused as all of them.
        let most = self.config.limits.clip_rects.saturating_add(1);
        Clip::Rects(Counted::new(rects.iter().take(most).collect()).unwrap_or_default())
    }
}

impl From<VideoError> for Reason {
    fn from(error: VideoError) -> Self {
        Reason::Video(error)
    }
}
