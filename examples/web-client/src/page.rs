//! What a desktop tells the page.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What a desktop tells whoever made it. */
export interface Page {
    /** The server has let the client in. */
    opened(): void;
    /** The first picture of this connection is complete. */
    complete(): void;
    /** The screen has this size in pixels from now on. */
    resized(width: number, height: number): void;
    /** Rectangles left, top, width, height, ... of the screen have new pixels; after setFrames(1) or (2). */
    frame(rects: Int32Array, pixels: Uint8Array | undefined): void;
    /** The pointer's shape: straight RGBA; `inverts` has a byte for each pixel, 1 where it inverts the screen. */
    shape(width: number, height: number, hotX: number, hotY: number, rgba: Uint8Array, inverts?: Uint8Array): void;
    /** The pointer is hidden. */
    shapeless(): void;
    /** The server has moved the pointer. */
    pointer(x: number, y: number): void;
    /** Whether the page leads the pointer by its position (true), or by its movements. */
    absolute(absolute: boolean): void;
    /** The lights of the keyboard: 1 scroll lock, 2 num lock, 4 caps lock. */
    locks(bits: number): void;
    /** The machine's name. */
    name(name: string): void;
    /** A text of the server for the user: 0 info, 1 warning, 2 error. */
    notice(severity: number, text: string): void;
    /** Whether the guest runs an agent. */
    agent(connected: boolean): void;
    /** The guest offers its clipboard in these types (MIME); none when it offers nothing any more. */
    grabbed(types: string[]): void;
    /** The guest has fetched what was offered to its clipboard. */
    taken(): void;
    /** A file on its way into the guest. */
    progress(id: number, sent: number, size: number): void;
    /** Something could not be shown; the session goes on. */
    trouble(text: string): void;
    /** The connection is over. `code` names the kind of reason, `text` says it in English. */
    ended(code: string, text: string): void;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// The receiver of everything that a desktop has to tell; see the TypeScript interface.
    #[wasm_bindgen(typescript_type = "Page")]
    #[derive(Clone)]
    pub type Page;

    #[wasm_bindgen(method)]
    pub(crate) fn opened(this: &Page);
    #[wasm_bindgen(method)]
    pub(crate) fn complete(this: &Page);
    #[wasm_bindgen(method)]
    pub(crate) fn resized(this: &Page, width: u32, height: u32);
    #[wasm_bindgen(method)]
    pub(crate) fn frame(this: &Page, rects: Vec<i32>, pixels: Option<Vec<u8>>);
    #[wasm_bindgen(method)]
    pub(crate) fn shape(
        this: &Page,
        width: u32,
        height: u32,
        hot_x: u32,
        hot_y: u32,
        rgba: Vec<u8>,
        inverts: Option<Vec<u8>>,
    );
    #[wasm_bindgen(method)]
    pub(crate) fn shapeless(this: &Page);
    #[wasm_bindgen(method)]
    pub(crate) fn pointer(this: &Page, x: i32, y: i32);
    #[wasm_bindgen(method)]
    pub(crate) fn absolute(this: &Page, absolute: bool);
    #[wasm_bindgen(method)]
    pub(crate) fn locks(this: &Page, bits: u32);
    #[wasm_bindgen(method)]
    pub(crate) fn name(this: &Page, name: &str);
    #[wasm_bindgen(method)]
    pub(crate) fn notice(this: &Page, severity: u32, text: &str);
    #[wasm_bindgen(method)]
    pub(crate) fn agent(this: &Page, connected: bool);
    #[wasm_bindgen(method)]
    pub(crate) fn grabbed(this: &Page, types: Vec<String>);
    #[wasm_bindgen(method)]
    pub(crate) fn taken(this: &Page);
    #[wasm_bindgen(method)]
    pub(crate) fn progress(this: &Page, id: u32, sent: f64, size: f64);
    #[wasm_bindgen(method)]
    pub(crate) fn trouble(this: &Page, text: &str);
    #[wasm_bindgen(method)]
    pub(crate) fn ended(this: &Page, code: &str, text: &str);
}
