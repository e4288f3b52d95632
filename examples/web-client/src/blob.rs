//! A file of the browser as a byte stream: a piece at a time is brought into memory.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::io::AsyncRead;
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

use crate::session::text;

/// Reads a `File` or another `Blob` from its beginning.
pub(crate) struct BlobReader {
    blob: Blob,
    at: f64,
    coming: Option<JsFuture>,
    piece: Option<Uint8Array>,
    read: u32,
}

impl BlobReader {
    pub(crate) fn new(blob: Blob) -> Self {
        Self { blob, at: 0.0, coming: None, piece: None, read: 0 }
    }
}

impl AsyncRead for BlobReader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        loop {
            if let Some(piece) = &this.piece {
                let rest = piece.length() - this.read;
                let count = rest.min(u32::try_from(buf.len()).unwrap_or(u32::MAX));
                if count > 0 || buf.is_empty() {
                    piece.subarray(this.read, this.read + count).copy_to(&mut buf[..count as usize]);
                    this.read += count;
                    return Poll::Ready(Ok(count as usize));
                }
                this.piece = None;
            }
            if let Some(coming) = &mut this.coming {
                let buffer = ready!(Pin::new(coming).poll(cx));
                this.coming = None;
                let buffer = buffer.map_err(|error| io::Error::other(text(&error)))?;
                let buffer: ArrayBuffer =
                    buffer.dyn_into().map_err(|_| io::Error::other("the browser gave no bytes"))?;
                let piece = Uint8Array::new(&buffer);
                if piece.length() == 0 {
                    return Poll::Ready(Ok(0));
                }
                this.at += f64::from(piece.length());
                (this.piece, this.read) = (Some(piece), 0);
                continue;
            }
            if this.at >= this.blob.size() {
                return Poll::Ready(Ok(0));
            }
            let piece = this.blob.slice_with_f64_and_f64(this.at, this.at + PIECE);
            let piece = piece.map_err(|error| io::Error::other(text(&error)))?;
            this.coming = Some(JsFuture::from(piece.array_buffer()));
        }
    }
}

/// Bytes in memory at once.
const PIECE: f64 = 262_144.0;
