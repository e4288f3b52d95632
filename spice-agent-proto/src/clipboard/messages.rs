//! The four clipboard messages. Their layouts depend on what both sides announced.

use core::cell::Cell;

use bytes::{Bytes, BytesMut};
use spice_proto::wire::{self, Array, Reader};
use spice_proto::{DecodeError, DecodeErrorKind, codes};

use crate::caps::Layout;
use crate::error::AgentError;
use crate::msg::fixed_len;

/// One of the guest's clipboards. Wire: `selection`, u8, with three reserved bytes behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Selection {
    /// What is copied and pasted by command. Wire: 0; meant when messages do not name a selection.
    #[default]
    Clipboard = 0,
    /// What is marked with the mouse, in X11 guests. Wire: 1.
    Primary = 1,
    /// The one that hardly anybody uses. Wire: 2. The Linux agent never grabs it.
    Secondary = 2,
}

impl Selection {
    /// All selections, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Clipboard, Self::Primary, Self::Secondary];

    fn decode(r: &mut Reader<'_>, layout: Layout) -> Result<Self, DecodeError> {
        if !layout.selection {
            return Ok(Self::Clipboard);
        }
        r.field("selection");
        match r.pod::<[u8; 4]>()? {
            [0, ..] => Ok(Self::Clipboard),
            [1, ..] => Ok(Self::Primary),
            [2, ..] => Ok(Self::Secondary),
            [value, ..] => {
                let rule = "selections are 0, 1 and 2";
                Err(r.error(DecodeErrorKind::BadValue { value: value.into(), rule }))
            }
        }
    }

    fn encode(self, layout: Layout, out: &mut BytesMut) -> Result<(), AgentError> {
        match self {
            _ if layout.selection => out.extend_from_slice(&[self as u8, 0, 0, 0]),
            Self::Clipboard => {}
            _ => return Err(AgentError::Misuse("the layout in force has only the selection Clipboard")),
        }
        Ok(())
    }
}

/// Bytes that name the selection.
const fn prefix_len(layout: Layout) -> usize {
    if layout.selection { 4 } else { 0 }
}

codes! {
    /// What kind of content it is. Wire: `type`, u32.
    pub struct DataType: u32 {
        /// Nothing: how agents say that they cannot answer.
        NONE = 0,
        /// Text in UTF-8 without a NUL at the end.
        UTF8_TEXT = 1,
        /// A picture as PNG; everybody who knows pictures knows this.
        IMAGE_PNG = 2,
        /// A picture as BMP, with its file header.
        IMAGE_BMP = 3,
        /// A picture as TIFF.
        IMAGE_TIFF = 4,
        /// A picture as JPEG.
        IMAGE_JPG = 5,
        /// Files in the client's shared folder, see [`FileList`](super::FileList).
        FILE_LIST = 6,
    }
}

/// The content that was asked for; empty, or of another type, when it is not to be had.
///
/// Wire: agent message 4, both directions.
#[derive(Clone, Debug, PartialEq)]
pub struct Clipboard {
    /// The selection.
    pub selection: Selection,
    /// What kind of content it is.
    pub kind: DataType,
    /// The content.
    pub data: Bytes,
}

impl Clipboard {
    pub(crate) fn decode(body: &Bytes, layout: Layout) -> Result<Self, DecodeError> {
        let budget = Cell::new(0);
        let mut r = Reader::new("Clipboard", body, &budget, 0);
        let selection = Selection::decode(&mut r, layout)?;
        r.field("type");
        let kind = r.pod()?;
        Ok(Self { selection, kind, data: r.take_bytes(r.remaining())? })
    }

    pub(crate) fn encode(&self, layout: Layout, head: &mut BytesMut) -> Result<Bytes, AgentError> {
        self.selection.encode(layout, head)?;
        wire::encode(&self.kind, head);
        Ok(self.data.clone())
    }
}

/// The sender owns the selection from now on, and can supply it in the types listed.
///
/// Wire: agent message 7, both directions.
#[derive(Clone, Debug, PartialEq)]
pub struct ClipboardGrab {
    /// The selection.
    pub selection: Selection,
    /// The sender's count of grabs, by which crossing grabs are told; 0 when the layout has none.
    pub serial: u32,
    /// The types.
    pub types: Array<DataType>,
}

impl ClipboardGrab {
    pub(crate) fn decode(body: &Bytes, layout: Layout) -> Result<Self, DecodeError> {
        let budget = Cell::new(0);
        let mut r = Reader::new("ClipboardGrab", body, &budget, 0);
        let selection = Selection::decode(&mut r, layout)?;
        r.field("serial");
        let serial = if layout.grab_serial { r.pod()? } else { 0 };
        Ok(Self { selection, serial, types: r.take_bytes(r.remaining()).map(Array::from_bytes)? })
    }

    pub(crate) fn encode(&self, layout: Layout, out: &mut BytesMut) -> Result<(), AgentError> {
        self.selection.encode(layout, out)?;
        if layout.grab_serial {
            wire::encode(&self.serial, out);
        }
        out.extend_from_slice(self.types.as_bytes());
        Ok(())
    }
}

/// Asks the owner of the selection for its content. There is exactly one answer, a [`Clipboard`].
///
/// Wire: agent message 8, both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClipboardRequest {
    /// The selection.
    pub selection: Selection,
    /// The type that is wanted.
    pub kind: DataType,
}

impl ClipboardRequest {
    pub(crate) fn decode(body: &Bytes, layout: Layout) -> Result<Self, DecodeError> {
        fixed_len("ClipboardRequest", body, prefix_len(layout) + 4)?;
        let budget = Cell::new(0);
        let mut r = Reader::new("ClipboardRequest", body, &budget, 0);
        let selection = Selection::decode(&mut r, layout)?;
        r.field("type");
        Ok(Self { selection, kind: r.pod()? })
    }

    pub(crate) fn encode(&self, layout: Layout, out: &mut BytesMut) -> Result<(), AgentError> {
        self.selection.encode(layout, out)?;
        wire::encode(&self.kind, out);
        Ok(())
    }
}

/// The sender has nothing to offer any more.
///
/// Wire: agent message 9, both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClipboardRelease {
    /// The selection.
    pub selection: Selection,
}

impl ClipboardRelease {
    pub(crate) fn decode(body: &Bytes, layout: Layout) -> Result<Self, DecodeError> {
        fixed_len("ClipboardRelease", body, prefix_len(layout))?;
        let budget = Cell::new(0);
        let mut r = Reader::new("ClipboardRelease", body, &budget, 0);
        Ok(Self { selection: Selection::decode(&mut r, layout)? })
    }

    pub(crate) fn encode(&self, layout: Layout, out: &mut BytesMut) -> Result<(), AgentError> {
        self.selection.encode(layout, out)
    }
}
