//! The agent inside the guest: clipboard, files, resolution.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::rc::Rc;

use bytes::Bytes;
use js_sys::{Array, Promise, Uint8Array};
use spice_client::Handle;
use spice_client::agent::spice_agent_proto::file_xfer::FileXferResult;
use spice_client::agent::{self, ClipboardEvent, DataType, Outcome, Selection, TransferId};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::Blob;

use crate::blob::BlobReader;
use crate::desktop::put;
use crate::page::Page;

/// Files on their way, by the client's number, with the page's.
pub(crate) type Transfers = Rc<RefCell<HashMap<TransferId, u32>>>;

/// Tells the page what happens with the agent.
pub(crate) fn tell(event: &agent::Event, transfers: &Transfers, page: &Page) {
    match event {
        agent::Event::Ready(_) => page.agent(true),
        agent::Event::Gone => page.agent(false),
        agent::Event::Clipboard(ClipboardEvent::Grabbed { selection: Selection::Clipboard, types }) => {
            page.grabbed(types.iter().filter_map(|&kind| name(kind).map(str::to_owned)).collect());
        }
        agent::Event::Clipboard(ClipboardEvent::Released { selection: Selection::Clipboard, .. }) => {
            page.grabbed(Vec::new());
        }
        agent::Event::ClipboardTaken { selection: Selection::Clipboard, .. } => page.taken(),
        agent::Event::FileProgress { transfer, sent, size } => {
            if let Some(id) = transfers.borrow().get(transfer) {
                page.progress(*id, *sent as f64, *size as f64);
            }
        }
        agent::Event::Broken(error) => page.trouble(&format!("the guest's agent failed: {error}")),
        _ => {}
    }
}

/// Asks the guest for a resolution; gives the width and height that it has in the end.
pub(crate) fn set_resolution(handle: &Handle, width: u32, height: u32) -> Promise {
    let answer = handle.set_resolution(width, height);
    promise(answer, |size| Array::of2(&size.width.into(), &size.height.into()).into())
}

/// Offers contents to the guest, by types as MIME names.
pub(crate) fn set_clipboard(handle: &Handle, types: &[String], contents: &Array) -> Promise {
    let mut offer = Vec::new();
    for (name, content) in types.iter().zip(contents.iter()) {
        if let (Some(kind), Ok(content)) = (kind(name), content.dyn_into::<Uint8Array>()) {
            offer.push((kind, Bytes::from(content.to_vec())));
        }
    }
    // Some applications look at one selection, some at the other.
    drop(handle.set_clipboard(Selection::Primary, offer.clone()));
    promise(handle.set_clipboard(Selection::Clipboard, offer), |()| JsValue::UNDEFINED)
}

/// Fetches what the guest offers in a type.
pub(crate) fn request_clipboard(handle: &Handle, name: &str) -> Promise {
    match kind(name) {
        Some(kind) => promise(handle.clipboard_request(Selection::Clipboard, kind), |content| {
            Uint8Array::from(&content[..]).into()
        }),
        None => Promise::reject(&js_sys::Error::new("the guest's clipboard has no such type")),
    }
}

/// Sends a file into the guest; `id` is what the page calls it.
pub(crate) fn send_file(handle: &Handle, transfers: &Transfers, name: &str, blob: Blob, id: u32) -> Promise {
    let sending = handle.send_file(name, blob.size() as u64, BlobReader::new(blob));
    let transfer = sending.transfer();
    transfers.borrow_mut().insert(transfer, id);
    let transfers = Rc::clone(transfers);
    let sending = async move {
        let result = sending.await;
        transfers.borrow_mut().remove(&transfer);
        result
    };
    promise(sending, |()| JsValue::UNDEFINED)
}

/// Calls a transfer of the page off; it ends with an error.
pub(crate) fn cancel_file(handle: &Handle, transfers: &Transfers, id: u32) {
    let transfer = transfers.borrow().iter().find(|(_, its)| **its == id).map(|(transfer, _)| *transfer);
    if let Some(transfer) = transfer {
        drop(handle.cancel_file(transfer));
    }
}

/// A command's answer for the page; errors are sentences, with a property `code`.
pub(crate) fn promise<T: 'static>(
    answer: impl Future<Output = Result<T, agent::Error>> + 'static,
    turn: impl FnOnce(T) -> JsValue + 'static,
) -> Promise {
    future_to_promise(async move {
        answer.await.map(turn).map_err(|error| {
            let thrown = js_sys::Error::new(&error.to_string());
            put(&thrown, "code", &code(&error).into());
            thrown.into()
        })
    })
}

/// A short name for the kind of an error; part of the page's interface, so names stay.
fn code(error: &agent::Error) -> &'static str {
    match error {
        agent::Error::NoAgent | agent::Error::NotReady => "no-agent",
        agent::Error::FilesDisabled => "files-disabled",
        agent::Error::Read(_) | agent::Error::TooShort { .. } | agent::Error::File(Outcome::FailedHere) => {
            "unreadable"
        }
        agent::Error::File(Outcome::CancelledHere) => "cancelled",
        agent::Error::File(Outcome::CancelledByGuest) => "cancelled-by-guest",
        agent::Error::File(Outcome::Failed { result: FileXferResult::NOT_ENOUGH_SPACE, .. }) => "no-space",
        agent::Error::File(Outcome::Disconnected) | agent::Error::SessionOver => "gone",
        agent::Error::NoAnswer { .. } => "silent",
        _ => "failed",
    }
}

const KINDS: [(DataType, &str); 5] = [
    (DataType::UTF8_TEXT, "text/plain"),
    (DataType::IMAGE_PNG, "image/png"),
    (DataType::IMAGE_BMP, "image/bmp"),
    (DataType::IMAGE_TIFF, "image/tiff"),
    (DataType::IMAGE_JPG, "image/jpeg"),
];

fn kind(name: &str) -> Option<DataType> {
    KINDS.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
}

fn name(kind: DataType) -> Option<&'static str> {
    KINDS.iter().find(|(known, _)| *known == kind).map(|(_, name)| *name)
}
