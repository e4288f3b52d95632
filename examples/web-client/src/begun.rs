//! What the worker's script has begun before this library was there.

use js_sys::{Array, Uint8Array};
use spice_client::transport::websocket::Browser;
use wasm_bindgen::prelude::*;
use web_sys::WebSocket;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** WebSockets that are open, or coming up, before the library is there. */
export interface Begun {
    /** The main channel's. */
    socket: WebSocket;
    /** The session's first bytes, if they have been sent over it. */
    sent?: Uint8Array;
    /** The `ArrayBuffer`s that have come. */
    received: ArrayBuffer[];
    /** One for the channel after it, on which nothing has passed. */
    spare?: WebSocket;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// See the TypeScript interface.
    #[wasm_bindgen(typescript_type = "Begun")]
    pub type Begun;

    #[wasm_bindgen(method, getter)]
    fn socket(this: &Begun) -> WebSocket;
    #[wasm_bindgen(method, getter)]
    fn sent(this: &Begun) -> Option<Uint8Array>;
    #[wasm_bindgen(method, getter)]
    fn received(this: &Begun) -> Array;
    #[wasm_bindgen(method, getter)]
    fn spare(this: &Begun) -> Option<WebSocket>;
}

impl Begun {
    /// Lets a session go on with it.
    pub(crate) fn hand_over(&self, browser: Browser) -> Browser {
        let sent = self.sent().map(|sent| sent.to_vec()).unwrap_or_default();
        let browser = browser.begun(self.socket(), sent, self.received());
        match self.spare() {
            Some(spare) => browser.spare(spare),
            None => browser,
        }
    }
}
