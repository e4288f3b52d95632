// The page's end of the worker: calls, answers, events.

/** A module whose function makes a 128-bit vector of a number. Browsers that know it take the faster build. */
const SIMD_PROBE = new Uint8Array([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

/** A worker that loads the library while the page is still getting ready. */
let spare = null;
/** The compiled library: fetched while the first worker is still starting, and the same for every worker. */
let compiled = null;

/** Starts a worker before anything has to be shown; the first connection takes it. */
export function warmUp() {
    spare ??= makeWorker();
}

function makeWorker() {
    const build = WebAssembly.validate(SIMD_PROBE) ? "simd" : "base";
    // Where this fails the worker tries by itself, and tells what is wrong.
    compiled ??= compile(new URL(`./wasm/${build}/web_client_bg.wasm`, import.meta.url)).catch(() => null);
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "spice" });
    worker.postMessage([0, "build", build]);
    compiled.then((module) => worker.postMessage([0, "library", module]));
    return worker;
}

async function compile(url) {
    return WebAssembly.compileStreaming(fetch(url));
}

export class WorkerLink {
    #worker;
    #next = 1;
    #asked = new Map();

    /** Starts a worker that draws on `canvas`; `told(name, values)` gets what it tells. */
    constructor(canvas, renderer, told) {
        this.#worker = spare ?? makeWorker();
        spare = null;
        this.#worker.onmessage = ({ data: [name, ...values] }) => {
            if (name === "answer" || name === "error") {
                const [id, value] = values;
                const asked = this.#asked.get(id);
                this.#asked.delete(id);
                name === "answer" ? asked?.resolve(value) : asked?.reject(new Error(value));
            } else if (name === "turn") {
                // Everything before it has been taken in.
                this.#worker.postMessage([0, "turned"]);
            } else {
                told(name, values);
            }
        };
        this.#worker.onerror = (event) => {
            event.preventDefault();
            told("crashed", [event.message || "the worker's script could not be loaded"]);
        };
        const offscreen = canvas.transferControlToOffscreen();
        this.#worker.postMessage([0, "open", offscreen, renderer], [offscreen]);
    }

    /** Calls a method and waits for nothing. */
    call(method, ...values) {
        this.#worker.postMessage([0, method, ...values]);
    }

    /** Calls a method and waits for its answer. */
    ask(method, ...values) {
        const id = this.#next++;
        return new Promise((resolve, reject) => {
            this.#asked.set(id, { resolve, reject });
            this.#worker.postMessage([id, method, ...values]);
        });
    }

    close() {
        this.#worker.terminate();
        for (const { reject } of this.#asked.values()) {
            reject(new Error("the worker has ended"));
        }
        this.#asked.clear();
    }
}
