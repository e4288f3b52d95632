//! The clock, frames and turns of the browser's event loop.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::MessageChannel;

/// Milliseconds since the worker began.
pub(crate) fn now_ms() -> f64 {
    performance_now()
}

/// Calls `callback` before the browser shows its next frame.
pub(crate) fn on_next_frame(callback: &Closure<dyn FnMut()>) {
    request_animation_frame(callback.as_ref().unchecked_ref());
}

/// Calls `callback` after so many milliseconds; the number takes it back with [`not_later`].
pub(crate) fn later(callback: &Closure<dyn FnMut()>, ms: f64) -> i32 {
    set_timeout(callback.as_ref().unchecked_ref(), ms)
}

/// Takes a call of [`later`] back.
pub(crate) fn not_later(timer: i32) {
    clear_timeout(timer);
}

/// Lets the browser deliver its other events, by a message to oneself: timers would wait for 4 ms.
pub(crate) struct Turn {
    channel: MessageChannel,
    state: Rc<RefCell<State>>,
    _arrived: Closure<dyn FnMut()>,
}

#[derive(Default)]
struct State {
    arrived: bool,
    waker: Option<Waker>,
}

impl Turn {
    pub(crate) fn new() -> Result<Self, JsValue> {
        let channel = MessageChannel::new()?;
        let state = Rc::<RefCell<State>>::default();
        let shared = Rc::clone(&state);
        let arrived = Closure::<dyn FnMut()>::new(move || {
            let mut state = shared.borrow_mut();
            state.arrived = true;
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        });
        channel.port1().set_onmessage(Some(arrived.as_ref().unchecked_ref()));
        Ok(Self { channel, state, _arrived: arrived })
    }

    /// Ready after the events that wait now.
    pub(crate) fn pass(&self) -> impl Future<Output = ()> + '_ {
        self.state.borrow_mut().arrived = false;
        let sent = self.channel.port2().post_message(&JsValue::NULL).is_ok();
        Passing { turn: self, sent }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.channel.port1().set_onmessage(None);
        self.channel.port1().close();
    }
}

struct Passing<'a> {
    turn: &'a Turn,
    sent: bool,
}

impl Future for Passing<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.turn.state.borrow_mut();
        if state.arrived || !self.sent {
            return Poll::Ready(());
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
    #[wasm_bindgen(js_name = requestAnimationFrame)]
    fn request_animation_frame(callback: &Function) -> i32;
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, ms: f64) -> i32;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: i32);
}
