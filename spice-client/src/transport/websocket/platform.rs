//! The browser as a platform.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::io;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use js_sys::{Array, Function, Uint8Array};
use spice_proto::Instant;
use spice_proto::session::Endpoint;
use spice_proto::types::ChannelId;
use wasm_bindgen::prelude::*;
use web_sys::WebSocket;

use crate::transport::Platform;
use crate::transport::websocket::{Connect, Traffic};

/// A browser's WebSockets, timers and randomness. Works in pages and in workers.
///
/// ```no_run
/// use spice_client::ClientConfig;
/// use spice_client::spice_proto::session::Address;
/// use spice_client::transport::websocket::Browser;
///
/// let url = "wss://console.example/spice?host=vm7&port=5900";
/// // The address is what errors show.
/// let config = ClientConfig::new(Address::Other("console.example".into()));
/// let (client, driver) = spice_client::connect(Browser::new(url), config);
/// // wasm_bindgen_futures::spawn_local(driver);
/// ```
#[derive(Clone, Debug)]
pub struct Browser {
    url: String,
    traffic: Traffic,
    /// Of all clones, the first main channel takes it.
    begun: Rc<RefCell<Option<Begun>>>,
    /// Of all clones, the first other channel takes it.
    spare: Rc<RefCell<Option<Begun>>>,
}

/// A WebSocket that is there already. It is closed unless a stream takes it over.
#[derive(Debug)]
pub(super) struct Begun {
    socket: Option<WebSocket>,
    sent: Bytes,
    received: Array,
}

impl Begun {
    fn new(socket: WebSocket, sent: Bytes, received: Array) -> Self {
        Self { socket: Some(socket), sent, received }
    }

    /// The WebSocket, what was sent and what was received; none if it is closing.
    pub(super) fn take(mut self) -> Option<(WebSocket, Bytes, Array)> {
        let socket = self.socket.take().filter(|socket| socket.ready_state() <= WebSocket::OPEN)?;
        Some((socket, mem::take(&mut self.sent), mem::take(&mut self.received)))
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(socket) = &self.socket {
            // It may be closed already, which is as good.
            drop(socket.close());
        }
    }
}

impl Browser {
    /// A platform whose streams all go to the WebSocket at `url`, `ws://` or `wss://`.
    pub fn new(url: &str) -> Self {
        Self { url: url.into(), traffic: Traffic::default(), begun: Rc::default(), spare: Rc::default() }
    }

    /// Lets the main channel go on with a WebSocket to the same URL that was opened before, as while this library was still
    /// being loaded. `sent` are the first bytes of the session, if they have been sent already; `received` holds the
    /// `ArrayBuffer`s that have come. A WebSocket that is closing is left alone, and another one opened; one that no session
    /// takes is closed with this platform.
    #[must_use]
    pub fn begun(self, socket: WebSocket, sent: impl Into<Bytes>, received: Array) -> Self {
        self.begun.replace(Some(Begun::new(socket, sent.into(), received)));
        self
    }

    /// Lets the first channel after the main one, which is a display's if there is any, take a WebSocket to the same URL that was
    /// opened before and on which nothing has passed. As with [`begun`](Self::begun) it may be closing, and is closed with this
    /// platform unless a session takes it.
    #[must_use]
    pub fn spare(self, socket: WebSocket) -> Self {
        self.spare.replace(Some(Begun::new(socket, Bytes::new(), Array::new())));
        self
    }

    /// What the platform's streams have moved.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }
}

impl Platform for Browser {
    type Stream = super::WebSocketStream;
    type Connect = Connect;
    type Sleep = Sleep;

    fn connect(&mut self, _endpoint: &Endpoint, channel: ChannelId) -> Connect {
        let begun = if channel == ChannelId::MAIN { self.begun.take() } else { self.spare.take() };
        Connect::new(&self.url, &self.traffic, begun)
    }

    fn sleep(&mut self, duration: Duration) -> Sleep {
        Sleep::new(duration)
    }

    fn now(&self) -> Instant {
        Instant::new(Duration::from_secs_f64(performance_now().max(0.0) / 1000.0))
    }

    fn entropy(&mut self) -> io::Result<[u8; 32]> {
        let array = Uint8Array::new_with_length(32);
        get_random_values(&array).map_err(|_| io::Error::other("the browser gives no random numbers"))?;
        let mut bytes = [0; 32];
        array.copy_to(&mut bytes);
        Ok(bytes)
    }
}

/// A wait, by the browser's `setTimeout`. Dropping it takes the timer back.
pub struct Sleep {
    state: Rc<RefCell<Timer>>,
    id: Option<JsValue>,
    /// Kept for as long as the browser may call it.
    _due: Closure<dyn FnMut()>,
}

#[derive(Default)]
struct Timer {
    due: bool,
    waker: Option<Waker>,
}

impl Sleep {
    /// Waits for `duration`, in steps of a millisecond, rounded up.
    pub fn new(duration: Duration) -> Self {
        let state = Rc::<RefCell<Timer>>::default();
        let shared = Rc::clone(&state);
        let due = Closure::new(move || {
            let mut timer = shared.borrow_mut();
            timer.due = true;
            if let Some(waker) = timer.waker.take() {
                waker.wake();
            }
        });
        let ms = duration.as_nanos().div_ceil(1_000_000).min(LONGEST_MS);
        let id = set_timeout(due.as_ref().unchecked_ref(), i32::try_from(ms).unwrap_or(i32::MAX));
        Self { state, id: Some(id), _due: due }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut timer = self.state.borrow_mut();
        if timer.due {
            return Poll::Ready(());
        }
        timer.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            clear_timeout(&id);
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("due", &self.state.borrow().due).finish_non_exhaustive()
    }
}

/// Longest time of a browser's timer in milliseconds; longer ones would be due at once.
const LONGEST_MS: u128 = i32::MAX as u128;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    pub(super) fn set_timeout(callback: &Function, ms: i32) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    pub(super) fn clear_timeout(id: &JsValue);
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub(super) fn performance_now() -> f64;
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues, catch)]
    fn get_random_values(array: &Uint8Array) -> Result<JsValue, JsValue>;
}
