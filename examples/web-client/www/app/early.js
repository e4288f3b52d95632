// Starts to load the library while the browser still fetches the page's own scripts.

import { warmUp } from "../lib/worker-link.js";

if (typeof Worker === "function" && typeof WebAssembly === "object") {
    warmUp();
}
