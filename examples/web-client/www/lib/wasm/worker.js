// The worker of one <spice-desktop>: loads the library and does what the page asks. The page's build puts one beside each
// build of the library, one folder further down; so its imports are from there.
//
// From the page: [id, method, ...arguments]; id 0 wants no answer. The first message is [0, "library", module], which is
// null where the page could not compile it; [0, "open", canvas, renderer] says where to draw. [0, "turned"] answers "turn".
// The fragment of this script's address may say where the first "connect" leads.
// To the page: ["answer", id, value] or ["error", id, text, code], and what the library tells by the methods of `Page`; before
// what it tells of a connection ["connecting"].

import { HELLO } from "../../hello.js";
import { Outbox } from "../../outbox.js";
import { default as load, Desktop } from "./web_client.js";

let desktop = null;
/** What the page asked for before the library was there. */
let waiting = [];
/** The main channel's WebSocket of the connection that is asked for meanwhile, what has passed over it, and one for the channel after it. */
let begun = null;

/** What draws best here. It takes the browser a while to say, so it is asked while server and network have their part to do. */
let suited = null;

/** A server answers the first bytes with a single short message, and waits; with more bytes or pieces than this it is none. */
const MOST_RECEIVED = { bytes: 4096, pieces: 16 };

const outbox = new Outbox((name, values) => self.postMessage([name, ...values], transferable(values)));
const page = new Proxy({}, { get: (_, name) => (...values) => outbox.tell(name, values) });

function transferable(values) {
    return values.filter((value) => ArrayBuffer.isView(value)).map((value) => value.buffer);
}

self.onmessage = ({ data }) => {
    if (data[1] === "turned") {
        outbox.turned();
    } else if (data[1] === "library") {
        begin(data[2]);
    } else {
        if (desktop) {
            run(data);
        } else if (waiting) {
            if (data[1] === "connect" && (!begun || begun.url !== data[2])) {
                meanwhile(data[2]);
            }
            waiting.push(data);
        }
    }
};

/** Begins to connect while the library is still on its way; network and server do their part in that time. */
function meanwhile(url) {
    forget();
    if (!url) {
        askSoon();
        return;
    }
    try {
        const socket = new WebSocket(url, "binary");
        // Browsers open one after the other: by the time the server has answered on the first, the second is open too.
        const own = begun = { url, socket, sent: undefined, received: [], spare: new WebSocket(url, "binary") };
        socket.binaryType = "arraybuffer";
        socket.onopen = () => {
            socket.send(HELLO);
            own.sent = HELLO;
            askSoon();
        };
        socket.onclose = () => own.spare.close();
        let bytes = 0;
        socket.onmessage = ({ data }) => {
            // A text has no bytes; the library says what is wrong with it.
            bytes += data.byteLength ?? data.length;
            own.received.push(data);
            if (bytes > MOST_RECEIVED.bytes || own.received.length > MOST_RECEIVED.pieces) {
                own.received.length = 0;
                socket.close();
                own.spare.close();
            }
        };
    } catch {
        // The library says what is wrong.
    }
}

/** Ends what has begun and is not wanted any more. */
function forget() {
    begun?.socket.close();
    begun?.spare.close();
    begun = null;
}

/** Connects; with what has begun, if it goes there. Else that is for a later one of the calls that wait. */
function connect(url, shown, password) {
    const own = begun && begun.url === url ? begun : undefined;
    if (own) {
        begun = null;
    }
    outbox.forget();
    self.postMessage(["connecting"]);
    desktop.connect(url, shown, password, own);
}

async function begin(module) {
    try {
        await load({ module_or_path: module ?? new URL("./web_client_bg.wasm", import.meta.url) });
        desktop = new Desktop(page);
    } catch (error) {
        fail(error);
        return;
    }
    const calls = waiting;
    waiting = null;
    calls.forEach(run);
}

/** Draws on the page's canvas from now on. */
function open(canvas, renderer) {
    try {
        desktop.attach(canvas, renderer === "auto" ? suited ??= suitedRenderer() : renderer);
    } catch (error) {
        fail(error);
        return;
    }
    canvas?.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas?.addEventListener("webglcontextrestored", () => run([0, "restore"]));
}

/** WebGL2 where a graphics processor does it; where the main processor would have to, the 2D canvas is cheaper. */
function suitedRenderer() {
    const gl = new OffscreenCanvas(1, 1).getContext("webgl2", { failIfMajorPerformanceCaveat: true });
    if (!gl) {
        return "2d";
    }
    const names = gl.getExtension("WEBGL_debug_renderer_info");
    const name = gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
    gl.getExtension("WEBGL_lose_context")?.loseContext();
    return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name) ? "2d" : "webgl2";
}

/** Asks for it when the worker has nothing else to do. */
function askSoon() {
    setTimeout(() => {
        suited ??= suitedRenderer();
    });
}

/** What is more than a call of the library. */
const OWN = { open, connect };

async function run([id, method, ...values]) {
    try {
        // Calls begin in order; those that take time end when they will.
        const value = await (OWN[method] ?? desktop[method].bind(desktop))(...values);
        if (id) {
            self.postMessage(["answer", id, value], transferable([value, value?.pixels]));
        }
    } catch (error) {
        if (id) {
            self.postMessage(["error", id, String(error?.message ?? error), error?.code]);
        }
        if (error instanceof WebAssembly.RuntimeError) {
            fail(error);
        }
    }
}

/** The library is beyond repair; the page starts a new worker when it connects again. */
function fail(error) {
    forget();
    desktop = null;
    waiting = null;
    self.postMessage(["crashed", String(error?.message ?? error)]);
}

if (self.location.hash) {
    meanwhile(decodeURIComponent(self.location.hash.slice(1)));
}

self.addEventListener("error", (event) => {
    event.preventDefault();
    fail(event.error ?? event.message);
});
self.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    fail(event.reason);
});
