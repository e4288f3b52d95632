// The element <spice-desktop>: one machine's screen on a page. What it offers is described in desktop.d.ts.

import { Clipboard, settled } from "./clipboard.js";
import { Connection } from "./connection.js";
import { Files } from "./files.js";
import { Hands } from "./hands.js";
import { NEWS } from "./news.js";
import { NoVncNames } from "./novnc.js";
import { canvas, parts } from "./parts.js";
import { copied, encoded, image } from "./pictures.js";
import { Resolution } from "./resolution.js";
import { PointerShape } from "./shape.js";
import { Viewport } from "./view.js";
import { warmUp } from "./worker-link.js";

/** What `preferCompression` knows. */
const COMPRESSIONS = new Set(["server", "off", "quic", "lz", "glz", "lz4", "auto-lz", "auto-glz"]);
/** Characters typed with nothing else: more would keep the keyboard busy for long. */
const LONGEST_TEXT = 10000;

export class SpiceDesktop extends NoVncNames(HTMLElement) {
    static observedAttributes = ["scaling", "hidpi", "view-only", "renderer", "label", "hint"];

    /** Loads what a connection needs, before there is one; with a target, as `connect` takes it, begins to connect there. */
    static warmUp(target) {
        warmUp(target);
    }

    #parts;
    #view;
    #shape;
    #hands;
    #connection;
    #clipboard;
    #files;
    #resolution;
    /** What the news of the library act on. */
    #news;
    #observer = null;
    #name = "";
    #agent = false;
    #callbacks = {};
    #paused = false;
    #seen = () => this.#pause();
    /** The compression that servers are asked for; null for none. */
    #compression = null;
    /** Whether the mouse, or a finger, moves a screen that does not fit instead of the guest's pointer. */
    dragViewport = false;
    /** Whether a click takes the keyboard. */
    focusOnClick = true;
    /** Whether this page's clipboard and the guest's are one; only with the user's consent. */
    shareClipboard = false;
    /** The guest's keyboard layout, for texts that are typed: us, gb, de, fr, es, it or jp. */
    keyboardLayout = "us";

    constructor() {
        super();
        this.#parts = parts(this.attachShadow({ mode: "open" }));
        const { viewport, stage } = this.#parts;
        this.#view = new Viewport(viewport, stage);
        this.#shape = new PointerShape(stage, viewport);
        const outer = this;
        const emit = (name, detail) => this.#emit(name, detail);
        const ask = (...call) => this.#connection.ask(...call);
        this.#connection = new Connection({
            element: this,
            emit,
            canvas: () => this.#newScreen(),
            get renderer() {
                return outer.getAttribute("renderer") ?? "auto";
            },
            get retries() {
                return outer.isConnected && outer.getAttribute("reconnect") !== "no";
            },
            prepare: () => this.#prepare(),
            told: (name, values) => NEWS[name]?.(this.#news, ...values),
            showing: () => stage.classList.remove("frozen"),
            ended: (asked) => this.#ended(asked),
            over: (error) => this.#resolution.over(error),
        });
        this.#hands = new Hands(this.#parts, this.#view, this.#shape, {
            call: (...call) => this.#connection.call(...call),
            text: (text) => this.sendText(text).catch(() => {}),
            pasted: (transfer) => this.#clipboard.paste(transfer),
            get takesPaste() {
                return outer.shareClipboard && outer.#agent;
            },
            left: () => {
                this.blur();
                this.#emit("keyboardleft");
            },
            focus: () => this.focusOnClick && this.focus(),
            get drags() {
                return outer.dragViewport;
            },
            idle: (seconds) => {
                this.#emit("idle", { seconds });
                if (this.hasAttribute("idle-disconnect")) {
                    this.#connection.idled();
                }
            },
            active: () => this.#emit("active"),
            woke: (seconds) => {
                this.#emit("wake", { seconds });
                this.#connection.woke();
            },
        });
        this.#clipboard = new Clipboard({
            ask,
            need: (...call) => this.#connection.need(...call),
            emit,
            sendFile: (file) => this.sendFile(file),
            get shares() {
                return outer.shareClipboard && !outer.#paused;
            },
            get callback() {
                return outer.#callbacks.clipboard;
            },
        });
        this.#files = new Files(this.#connection);
        this.#resolution = new Resolution({
            ask,
            emit,
            get isConnected() {
                return outer.state === "connected";
            },
            get hasAgent() {
                return outer.#agent;
            },
            get follows() {
                return outer.scaling === "follow";
            },
        }, this.#view);
        this.#news = {
            emit,
            hands: this.#hands,
            shape: this.#shape,
            clipboard: this.#clipboard,
            files: this.#files,
            completed: () => this.#completed(),
            resized: (size) => this.#resized(size),
            framed: (rects, pixels) => this.#framed(rects, pixels),
            named: (name) => {
                this.#name = name;
                this.#label();
            },
            agent: (connected) => this.#agentIs(connected),
        };
    }

    connectedCallback() {
        const { viewport, keys } = this.#parts;
        keys.inputMode = matchMedia("(pointer: coarse)").matches ? "none" : "text";
        this.#label();
        this.#hands.attach();
        this.#observer = new ResizeObserver(() => this.#laidOut());
        this.#observer.observe(viewport);
        document.addEventListener("visibilitychange", this.#seen);
        this.#apply();
        if (this.hasAttribute("autoconnect")) {
            this.connect({
                url: this.getAttribute("url") ?? undefined,
                token: this.getAttribute("token") ?? undefined,
                host: this.getAttribute("host") ?? undefined,
                port: this.getAttribute("port") ?? undefined,
                gateway: this.getAttribute("gateway") ?? undefined,
                direct: this.hasAttribute("direct"),
            }).catch(() => {});
        }
    }

    disconnectedCallback() {
        this.#hands.detach();
        this.#observer.disconnect();
        document.removeEventListener("visibilitychange", this.#seen);
        this.#clipboard.forget();
        this.#shape.close();
        this.#connection.leave();
    }

    attributeChangedCallback() {
        this.#apply();
    }

    // Connecting.

    /**
     * Connects to a host and port through the page's gateway, to what an object names ({ url }, { token },
     * { host, port, direct }, each with { password, gateway }), or to the built-in demo without either.
     * Resolves with the first complete picture; waits meanwhile for a password that `credentialsrequired` asks for.
     */
    connect(host, port, options = {}) {
        return this.#connection.connect(
            typeof host === "object" && host !== null ? { ...host } : { ...options, host, port });
    }

    /** Connects again to where the last connection went. */
    reconnect() {
        return this.#connection.reconnect();
    }

    /** Ends the connection, or the wait for a password; nothing connects again by itself. */
    disconnect() {
        this.#connection.disconnect();
    }

    /** Gives the password that `credentialsrequired` asked for, and connects again. */
    sendCredentials({ password = "" } = {}) {
        return this.#connection.sendPassword(password);
    }

    /** "idle", "connecting", "connected", "waiting" (to connect again) or "disconnected". */
    get state() {
        return this.#connection.state;
    }

    /** The name that the machine gave itself. */
    get machineName() {
        return this.#name;
    }

    /** Whether the guest runs an agent: clipboard, files and resolution need it. */
    get agentConnected() {
        return this.#agent;
    }

    /** Width and height of the machine's screen in pixels. */
    get screenSize() {
        return [...this.#view.screen];
    }

    // Keyboard and pointer.

    /** Presses or releases a key: a KeyboardEvent.code, or a scan code of set 1 (0x1e; 0xe01d with its prefix). */
    sendKeyEvent(keyCode, isDown) {
        this.#hands.key(keyCode, isDown);
    }

    /** Presses keys one after the other, then releases them in reverse: a combination. */
    sendKeys(codes) {
        for (const code of codes) {
            this.sendKeyEvent(code, true);
        }
        for (const code of [...codes].reverse()) {
            this.sendKeyEvent(code, false);
        }
    }

    sendCtrlAltDel() {
        this.sendKeys(["ControlLeft", "AltLeft", "Delete"]);
    }

    /**
     * Types a text. What the guest's keyboard does not have goes through its clipboard and Shift+Insert, if it runs an
     * agent. Resolves with the characters that could not be typed.
     */
    async sendText(text) {
        const whole = String(text).slice(0, LONGEST_TEXT);
        if (this.viewOnly || !whole) {
            return "";
        }
        if (this.#agent && await this.#connection.ask("untypable", whole, this.keyboardLayout)) {
            await this.sendClipboardData(whole);
            await settled();
            this.sendKeys(["ShiftLeft", "Insert"]);
            return "";
        }
        return this.#connection.need("text", whole, this.keyboardLayout);
    }

    /** Moves the pointer to pixel x, y of the screen with these buttons held: 1 left, 2 right, 4 middle, 8, 16. */
    sendPointerEvent(x, y, buttons) {
        this.#hands.point(x, y, buttons);
    }

    /** Turns the wheel by notches, away from the user if negative. */
    sendWheel(notches) {
        this.#hands.wheel(notches);
    }

    /** Releases all keys and buttons that the machine believes held. */
    releaseAll() {
        this.#hands.releaseAll();
    }

    /** Takes the keyboard; on touch screens without bringing up their keyboard. */
    focus(options) {
        this.#parts.keys.focus({ preventScroll: true, ...options });
    }

    blur() {
        this.#parts.keys.blur();
    }

    /** Brings up the on-screen keyboard of a touch screen, or puts it away. */
    showKeyboard(show = true) {
        const { keys } = this.#parts;
        keys.blur();
        keys.inputMode = show ? "text" : "none";
        if (show) {
            keys.focus({ preventScroll: true });
        }
    }

    /** Whether the pointer is caught, for machines that follow movements. */
    get pointerLocked() {
        return this.#hands.locked;
    }

    lockPointer() {
        return this.#hands.lock();
    }

    /** Combinations that stay with the browser, as "Control+Shift+KeyI". */
    set passthroughKeys(combinations) {
        this.#hands.setHabit("passthrough", new Set(combinations));
    }

    get passthroughKeys() {
        return this.#hands.habit("passthrough");
    }

    /** Whether fingers move the pointer as on a trackpad. */
    set trackpad(trackpad) {
        this.#hands.setHabit("trackpad", Boolean(trackpad));
    }

    get trackpad() {
        return this.#hands.habit("trackpad");
    }

    /** Turns the wheel the other way. */
    set naturalScroll(natural) {
        this.#hands.setHabit("natural", Boolean(natural));
    }

    get naturalScroll() {
        return this.#hands.habit("natural");
    }

    /** Seconds without input after which `idle` comes; 0 for never. */
    set idleSeconds(seconds) {
        this.#hands.setHabit("idleSeconds", Number(seconds));
    }

    get idleSeconds() {
        return this.#hands.habit("idleSeconds");
    }

    // The guest's agent.

    /** Offers a text, a Blob, or { type: content, … } to the guest's clipboard. Resolves once its agent knows; rejects without one. */
    sendClipboardData(data) {
        return this.#clipboard.send(data);
    }

    /** Called with { types, getData(type), getText(), getImage() } when the guest has copied; null for none. */
    set onClipboardDataReceived(callback) {
        this.#callbacks.clipboard = callback;
    }

    get onClipboardDataReceived() {
        return this.#callbacks.clipboard ?? null;
    }

    /**
     * Asks the guest for a resolution; before there is a connection, as soon as there is one with an agent. Resolves with the width
     * and height that it has in the end.
     */
    setResolution(width, height) {
        return this.#resolution.set(width, height);
    }

    /** Sends a File into the guest; returns the transfer: name, size, sent, onprogress, done, cancel(). */
    sendFile(file) {
        const transfer = this.#files.send(file);
        this.#emit("transfer", { transfer });
        return transfer;
    }

    /**
     * Tells the page that a file of the guest's has arrived: { name, size, received, blob }. The element calls it, and
     * `download` is fired; nothing is stored without the page's doing.
     */
    notifyDownLoad(params) {
        this.#emit("download", params);
    }

    /** Called with sound as { samples, rate, channels, time }; there is none yet. */
    set onAudioReceived(callback) {
        this.#callbacks.audio = callback;
    }

    get onAudioReceived() {
        return this.#callbacks.audio ?? null;
    }

    /** The numbers of the machine's display channels. */
    async displays() {
        return [...(await this.#connection.ask("displays") ?? [])];
    }

    showDisplay(id) {
        this.#connection.call("showDisplay", id);
    }

    // What it looks like.

    /** "fit", "none", or "follow": the machine's resolution follows the room on the page. */
    get scaling() {
        const value = this.getAttribute("scaling");
        return ["fit", "none", "follow"].includes(value) ? value : "fit";
    }

    set scaling(value) {
        this.setAttribute("scaling", value);
    }

    get hidpi() {
        return this.hasAttribute("hidpi");
    }

    set hidpi(hidpi) {
        this.toggleAttribute("hidpi", Boolean(hidpi));
    }

    get viewOnly() {
        return this.#hands.viewOnly;
    }

    set viewOnly(viewOnly) {
        this.toggleAttribute("view-only", Boolean(viewOnly));
    }

    /** Whether nothing is brought to the page, because it cannot be seen. The connection goes on. */
    set paused(paused) {
        this.#paused = Boolean(paused);
        this.#pause();
    }

    get paused() {
        return this.#paused;
    }

    resetZoom() {
        this.#view.resetZoom();
        this.#shape.rescale(this.#view.scale);
    }

    // Pictures and numbers.

    /** The machine's screen as ImageData, exact; null while there is none. */
    async getImageData() {
        return image(await this.#connection.ask("picture"));
    }

    /** What the canvas on the page holds, read back from where the browser shows it. */
    async readPixels() {
        return image(await this.#connection.ask("canvasPixels"));
    }

    /** A small picture of the screen, at most so large; null while there is none. */
    async thumbnail(width = 160, height = 100) {
        return image(await this.#connection.ask("thumbnail", width, height));
    }

    /** The screen as a picture file. */
    async screenshot(type = "image/png", quality = undefined) {
        const data = await this.getImageData();
        return data && encoded(data, type, quality);
    }

    /** Counts since the connection began; see `SpiceStats`. */
    stats() {
        return this.#connection.ask("stats");
    }

    /** The canvas as the page shows it now: a copy. Empty while nothing is shown. */
    shownCanvas() {
        return copied(this.#parts.screen, this.#view.screen);
    }

    /**
     * Asks servers, from now on, for a compression: "off", "quic", "lz", "glz", "lz4", "auto-lz", "auto-glz"; "server" leaves
     * the choice to those of connections to come.
     */
    async preferCompression(name) {
        if (!COMPRESSIONS.has(name)) {
            return false;
        }
        this.#compression = name;
        await this.#connection.ask("preferCompression", name);
        return true;
    }

    /** Called with { rects, width, height, pixels } for each frame; null for none. */
    set onFrameReceived(callback) {
        this.#callbacks.frame = callback;
        this.#connection.call("setFrames", callback ? 2 : 0);
    }

    get onFrameReceived() {
        return this.#callbacks.frame ?? null;
    }

    // Inside.

    /** The canvas that a new worker draws on, in the place of the one before. */
    #newScreen() {
        const screen = canvas();
        this.#parts.stage.prepend(screen);
        this.#parts.screen?.remove();
        this.#parts.screen = screen;
        this.#label();
        return screen;
    }

    /** Tells a new worker what the application has asked for before. */
    #prepare() {
        if (this.#callbacks.frame) {
            this.#connection.call("setFrames", 2);
        }
        if (this.#compression) {
            this.#connection.call("preferCompression", this.#compression);
        }
        this.#pause();
    }

    /** A page that is hidden shows nothing either. */
    #pause() {
        this.#connection.call("setPaused", this.#paused || document.hidden);
    }

    /** The first picture of a connection is there. */
    #completed() {
        if (this.#compression) {
            // A connection that began early began without it.
            this.#connection.call("preferCompression", this.#compression);
        }
        this.#emit("connect");
        this.#resolution.able();
    }

    /** The machine's screen has this size from now on. */
    #resized(size) {
        this.#view.screen = size;
        this.#shape.rescale(this.#view.scale);
        this.#emit("resize", { width: size[0], height: size[1] });
    }

    #framed(rects, pixels) {
        const detail = { rects, pixels, width: this.#view.screen[0], height: this.#view.screen[1] };
        this.#callbacks.frame?.(detail);
        this.#emit("frame", detail);
    }

    #agentIs(connected) {
        this.#agent = connected;
        this.#clipboard.forget();
        this.#emit("capabilities", { agent: connected });
        this.#resolution.able();
    }

    /** The connection is over; the last picture stays. */
    #ended(asked) {
        this.#clipboard.forget();
        this.#parts.stage.classList.toggle("frozen", !asked);
        this.#shape.reset();
        this.#hands.unlock();
        if (this.#agent) {
            this.#agent = false;
            this.#emit("capabilities", { agent: false });
        }
    }

    /** The page gives the element another room, or another scale. */
    #laidOut() {
        this.#view.layout();
        this.#shape.rescale(this.#view.scale);
        this.#resolution.follow();
    }

    #apply() {
        this.#view.scaling = this.scaling === "none" ? "none" : "fit";
        this.#view.hidpi = this.hidpi;
        this.#hands.viewOnly = this.hasAttribute("view-only");
        this.#label();
        this.#laidOut();
    }

    #label() {
        const label = this.getAttribute("label") ?? (this.#name || "remote machine");
        this.#parts.keys.setAttribute("aria-label", label);
        this.#parts.keys.setAttribute("aria-description", this.getAttribute("hint") ?? "Ctrl+Alt+Shift leaves the machine");
        this.#parts.screen?.setAttribute("aria-label", label);
    }

    #emit(name, detail = {}) {
        this.dispatchEvent(new CustomEvent(name, { detail }));
    }
}

if (!customElements.get("spice-desktop")) {
    customElements.define("spice-desktop", SpiceDesktop);
}
