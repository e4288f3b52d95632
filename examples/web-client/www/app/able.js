// Whether the browser can do what the page takes.

export const able = typeof WebAssembly === "object" && typeof Worker === "function" && typeof BigInt === "function"
    && typeof OffscreenCanvas === "function" && "transferControlToOffscreen" in HTMLCanvasElement.prototype
    && "adoptedStyleSheets" in Document.prototype && typeof customElements === "object";
