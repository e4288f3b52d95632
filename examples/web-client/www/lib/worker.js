// The worker of one <spice-desktop>: loads the library and does what the page asks.
//
// From the page: [id, method, ...arguments]; id 0 wants no answer. The first messages are [0, "build", name] and
// [0, "library", module], which is null where the page could not compile it; [0, "open", canvas, renderer] says where to draw.
// [0, "turned"] answers "turn".
// To the page: ["answer", id, value] or ["error", id, text], and what the library tells by the methods of `Page`.

/** Takes the compiled library. */
let compiled = null;
let desktop = null;
/** What the page asked for before the library was there. */
let waiting = [];

/** What goes to the page; fetched beside the library, which tells nothing earlier. */
let outbox = null;
const outboxComing = import("./outbox.js").then(({ Outbox }) => {
    outbox = new Outbox((name, values) => self.postMessage([name, ...values], transferable(values)));
});
const page = new Proxy({}, { get: (_, name) => (...values) => outbox.tell(name, values) });

function transferable(values) {
    return values.filter((value) => ArrayBuffer.isView(value)).map((value) => value.buffer);
}

self.onmessage = ({ data }) => {
    if (data[1] === "turned") {
        outbox.turned();
    } else if (data[1] === "build") {
        begin(data[2]);
    } else if (data[1] === "library") {
        compiled(data[2]);
    } else {
        if (data[1] === "open" && data[3] === "auto") {
            data[3] = suitedRenderer();
        }
        if (desktop) {
            run(data);
        } else {
            waiting?.push(data);
        }
    }
};

async function begin(build) {
    try {
        const library = await load(build);
        desktop = new library.Desktop(page);
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
        desktop.attach(canvas, renderer);
    } catch (error) {
        fail(error);
        return;
    }
    canvas?.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas?.addEventListener("webglcontextrestored", () => run([0, "restore"]));
}

async function load(build) {
    const module = new Promise((resolve) => {
        compiled = resolve;
    });
    const library = await import(`./wasm/${build}/web_client.js`);
    const file = new URL(`./wasm/${build}/web_client_bg.wasm`, import.meta.url);
    await outboxComing;
    await library.default({ module_or_path: await module ?? file });
    return library;
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

async function run([id, method, ...values]) {
    try {
        // Calls begin in order; those that take time end when they will.
        const value = await (method === "open" ? open(...values) : desktop[method](...values));
        if (id) {
            self.postMessage(["answer", id, value], transferable([value, value?.pixels]));
        }
    } catch (error) {
        if (id) {
            self.postMessage(["error", id, String(error?.message ?? error)]);
        }
        if (error instanceof WebAssembly.RuntimeError) {
            fail(error);
        }
    }
}

/** The library is beyond repair; the page starts a new worker when it connects again. */
function fail(error) {
    desktop = null;
    waiting = null;
    self.postMessage(["crashed", String(error?.message ?? error)]);
}

self.addEventListener("error", (event) => {
    event.preventDefault();
    fail(event.error ?? event.message);
});
self.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    fail(event.reason);
});
