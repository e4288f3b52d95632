// The page's end of the worker: calls, answers, events.

import { shownAddress, webSocketUrl } from "./address.js";

/** A module whose function makes a 128-bit vector of a number. Browsers that know it take the faster build. */
const SIMD_PROBE = new Uint8Array([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

/** What a connection that has begun early may tell before it is taken up; servers say a tenth of it. */
const MOST_TOLD = 100;

/**
 * A worker that loads the library while the page is still getting ready, and perhaps connects: `url` is where to, `told`
 * what it has told so far.
 */
let spare = null;
/** The compiled library: fetched while the first worker is still starting, and the same for every worker. */
let compiled = null;

/**
 * Starts a worker before anything has to be shown; the first connection takes it. With a target, as `connect` takes it,
 * it begins to connect there without a password, and the next connection goes on with that if it leads there.
 */
export function warmUp(target) {
    if (spare) {
        return;
    }
    let url = null;
    try {
        url = target ? webSocketUrl(target) : null;
    } catch {
        // Whoever connects there hears what is wrong.
    }
    const worker = makeWorker(url);
    const early = { worker, url, told: [] };
    spare = early;
    worker.onmessage = ({ data }) => {
        early.told.push(data);
        if (early.told.length > MOST_TOLD) {
            forget(early);
        } else if (data[0] === "ended" && data[1] !== "password-missing") {
            // Nothing to go on with; whoever connects there later tries anew.
            [early.url, early.told] = [null, early.told.filter(([name]) => name === "turn")];
        }
    };
    worker.onerror = (event) => {
        event.preventDefault();
        forget(early);
    };
    if (url) {
        worker.postMessage([0, "connect", url, shownAddress(target, url), ""]);
    }
}

function forget(early) {
    early.worker.terminate();
    if (spare === early) {
        spare = null;
    }
}

/** The worker that was started early, if it suits a connection to `url`; one that connects elsewhere, or in another way, ends. */
function takeSpare(url, password) {
    const early = spare;
    spare = null;
    if (early?.url && (early.url !== url || password)) {
        forget(early);
        return null;
    }
    return early;
}

/** With an address the worker connects as soon as it runs: messages wait until this thread has nothing else to do. */
function makeWorker(url) {
    const build = WebAssembly.validate(SIMD_PROBE) ? "simd" : "base";
    // Where this fails the worker tries by itself, and tells what is wrong.
    compiled ??= compile(new URL(`./wasm/${build}/web_client_bg.wasm`, import.meta.url)).catch(() => null);
    const script = new URL(`./wasm/${build}/worker.js`, import.meta.url);
    script.hash = url ? encodeURIComponent(url) : "";
    const worker = new Worker(script, { type: "module", name: "spice" });
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
    #early = null;
    /** Connections that were asked for, and those of them that the worker has begun: what it tells before the last is of another one. */
    #wanted = 0;
    #begun = 0;
    /** Whether nobody wants to hear of the last one any more. */
    #left = false;

    /**
     * Starts a worker that draws on `canvas`, or takes the one that was started early; `told(name, values)` gets what it
     * tells. `url` and `password` are those of the first connection.
     */
    constructor(canvas, renderer, told, url, password) {
        this.#early = takeSpare(url, password);
        this.#worker = this.#early?.worker ?? makeWorker();
        this.#worker.onmessage = ({ data: [name, ...values] }) => {
            if (name === "answer" || name === "error") {
                const [id, value, code] = values;
                const asked = this.#asked.get(id);
                this.#asked.delete(id);
                name === "answer" ? asked?.resolve(value) : asked?.reject(Object.assign(new Error(value), { code }));
            } else if (name === "turn") {
                // Everything before it has been taken in.
                this.#worker.postMessage([0, "turned"]);
            } else if (name === "connecting") {
                this.#begun += 1;
            } else if (name === "crashed" || (this.#begun === this.#wanted && !this.#left)) {
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

    /** Connects, unless that has begun already. */
    connect(url, shown, password) {
        const early = this.#early;
        this.#early = null;
        this.#wanted += 1;
        this.#left = false;
        if (!early?.url) {
            this.call("connect", url ?? undefined, shown, password);
        }
        early?.told.forEach((data) => this.#worker.onmessage({ data }));
    }

    /** Ends the connection, if there is one, and tells no more of it. */
    leave() {
        this.#left = true;
        this.call("disconnect");
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
            reject(Object.assign(new Error("the worker has ended"), { code: "gone" }));
        }
        this.#asked.clear();
    }
}
