// The element <spice-desktop>: one machine's screen on a page. What it offers is described in desktop.d.ts.

import { AddressError, shownAddress, webSocketUrl } from "./address.js";
import { contents, GuestClipboard, pasted, Transfer } from "./guest.js";
import { Keyboard } from "./keyboard.js";
import { Mouse } from "./mouse.js";
import { NoVncNames } from "./novnc.js";
import { PointerShape } from "./shape.js";
import { styleSheet } from "./style.js";
import { Touch } from "./touch.js";
import { Viewport } from "./view.js";
import { Watch } from "./watch.js";
import { warmUp, WorkerLink } from "./worker-link.js";

/** Attempts to connect again after a connection broke, and the seconds before each. */
const RETRY_SECONDS = [0.5, 1, 2, 4, 8, 15, 30];
/** Reasons after which another attempt may well succeed. */
const PASSING = new Set(["broken", "server-closed", "refused", "timeout", "connect", "crashed"]);
/** A connection that lived for so long was a good one: attempts are counted anew after it. */
const LIFE_MS = 30000;
/** Attempts at most after ends that would come again and again: of the library, and of sessions that somebody else takes over. */
const MOST_AGAIN = { "crashed": 2, "server-closed": 1 };
/**
 * Ends that are refusals, with the number that the other side gave: SPICE's link errors, or the HTTP status of the same meaning
 * from a gateway.
 */
const SECURITY = { "password-wrong": 7, "needs-tls": 5, "token": 401, "not-allowed": 403 };
/** What `preferCompression` knows. */
const COMPRESSIONS = new Set(["server", "off", "quic", "lz", "glz", "lz4", "auto-lz", "auto-glz"]);
/** Characters typed with nothing else: more would keep the keyboard busy for long. */
const LONGEST_TEXT = 10000;
const FOLLOW_MS = 250;
const SETTLE_MS = 200;

/** Characters of a name that do not show, or turn the text around them. */
const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

export class SpiceDesktop extends NoVncNames(HTMLElement) {
    static observedAttributes = ["scaling", "hidpi", "view-only", "renderer", "label", "hint"];

    /** Loads what a connection needs, before there is one; with a target, as `connect` takes it, begins to connect there. */
    static warmUp(target) {
        warmUp(target);
    }

    #parts;
    #view;
    #shape;
    #link = null;
    #keyboard = null;
    #mouse = null;
    #touch = null;
    #watch = null;
    #observer = null;
    #state = "idle";
    #target = null;
    #password = "";
    #url = null;
    #name = "";
    #agent = false;
    #absolute = true;
    #pointer = [0, 0];
    #pending = null;
    #retry = null;
    /** Attempts since the last good connection, and how many of them after which end. */
    #attempts = 0;
    #again = {};
    #began = 0;
    #wasComplete = false;
    #idled = false;
    #grab = 0;
    #viewOnly = false;
    #callbacks = {};
    #follow = 0;
    #paused = false;
    #seen = () => this.#pause();
    #transfers = new Map();
    #nextTransfer = 1;
    #offered = "";
    /** What keyboard, mouse and fingers are told, also before they are there. */
    #habits = { passthrough: new Set(), trackpad: false, natural: false, idleSeconds: 300 };
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
        const root = this.attachShadow({ mode: "open" });
        root.adoptedStyleSheets = [styleSheet()];
        const make = (tag, className, parent) => {
            const element = document.createElement(tag);
            element.className = className;
            parent.append(element);
            return element;
        };
        const viewport = make("div", "viewport", root);
        viewport.part = "viewport";
        const stage = make("div", "stage", viewport);
        const keys = make("textarea", "keys", viewport);
        for (const [name, value] of [
            ["autocapitalize", "off"], ["autocomplete", "off"], ["autocorrect", "off"], ["spellcheck", "false"],
        ]) {
            keys.setAttribute(name, value);
        }
        keys.addEventListener("focus", () => viewport.classList.add("focused"));
        keys.addEventListener("blur", () => viewport.classList.remove("focused"));
        this.#parts = { viewport, stage, keys, screen: null };
        this.#view = new Viewport(viewport, stage);
        this.#shape = new PointerShape(stage, viewport);
    }

    connectedCallback() {
        const { viewport, keys } = this.#parts;
        keys.inputMode = matchMedia("(pointer: coarse)").matches ? "none" : "text";
        this.#label();
        const outer = this;
        /** What keyboard, mouse and fingers may do to this element. */
        const hands = {
            key: (code, down) => this.#call("key", code, down),
            text: (text) => this.sendText(text).catch(() => {}),
            pasted: (transfer) => this.#paste(transfer),
            get takesPaste() {
                return outer.shareClipboard && outer.#agent && !outer.#viewOnly;
            },
            setLocks: (bits) => this.#call("setLocks", bits),
            releaseAll: () => this.#call("releaseAll"),
            moveTo: (x, y) => {
                this.#pointer = [x, y];
                this.#call("moveTo", x, y);
            },
            moveBy: (x, y) => this.#call("moveBy", x, y),
            glide: (x, y) => this.#glide(x, y),
            buttons: (mask) => this.#call("buttons", mask),
            wheel: (notches) => this.#call("wheel", notches),
            pointerAt: (place) => this.#shape.moveTo(place),
            reveal: (place) => this.#view.reveal(...place),
            locate: ({ clientX, clientY }) => this.#view.locate(clientX, clientY),
            zoomAt: (factor, x, y) => {
                this.#view.zoomAt(factor, x, y);
                this.#shape.rescale(this.#view.scale);
            },
            pan: (x, y) => this.#view.pan(x, y),
            left: () => {
                this.releaseAll();
                this.blur();
                this.#emit("keyboardleft");
            },
            touched: () => this.#watch?.touched(),
            focus: () => this.focusOnClick && this.focus(),
            get drags() {
                return outer.dragViewport && outer.#view.clips;
            },
            get absolute() {
                return outer.#absolute;
            },
            get scale() {
                return outer.#view.scale;
            },
        };
        this.#keyboard = new Keyboard(keys, hands);
        this.#mouse = new Mouse(viewport, hands);
        this.#touch = new Touch(viewport, hands);
        this.#watch = new Watch({
            idle: (seconds) => this.#idle(seconds),
            active: () => this.#emit("active"),
            woke: (seconds) => this.#woke(seconds),
        });
        this.#applyHabits();
        this.#observer = new ResizeObserver(() => this.#resized());
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
        this.#keyboard.close();
        this.#mouse.close();
        this.#touch.close();
        this.#watch.close();
        this.#observer.disconnect();
        document.removeEventListener("visibilitychange", this.#seen);
        this.#forgetRetry();
        this.#closeWorker();
        this.#password = "";
        this.#offered = "";
        this.#wasComplete = false;
        this.#shape.close();
        const was = this.#state;
        this.#become("idle");
        const reason = "removed from the page";
        const pending = this.#pending !== null;
        this.#reject(Object.assign(new Error(reason), { code: "closed" }));
        if (pending || was === "connected" || was === "waiting") {
            this.#emit("disconnect", { clean: true, code: "closed", reason });
        }
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
        const target = typeof host === "object" && host !== null ? { ...host } : { ...options, host, port };
        if (target.password !== undefined) {
            this.#password = target.password;
            delete target.password;
        } else if (!this.#target || !sameTarget(target, this.#target)) {
            this.#password = "";
        }
        this.#target = target;
        this.#forgetRetry();
        this.#wasComplete = false;
        return this.#connect();
    }

    /** Connects again to where the last connection went. */
    reconnect() {
        this.#forgetRetry();
        return this.#connect();
    }

    /** Ends the connection, or the wait for a password; nothing connects again by itself. */
    disconnect() {
        this.#forgetRetry();
        if (this.#pending?.asks) {
            this.#close(this.#pending.asks, "no password was given", false);
            return;
        }
        if (this.#state === "connecting" || this.#state === "connected") {
            this.#call("disconnect");
        } else if (this.#state === "waiting") {
            this.#become("disconnected");
        }
    }

    /** Gives the password that `credentialsrequired` asked for, and connects again. */
    sendCredentials({ password = "" } = {}) {
        this.#password = password;
        this.#forgetRetry();
        return this.#connect(true);
    }

    /** "idle", "connecting", "connected", "waiting" (to connect again) or "disconnected". */
    get state() {
        return this.#state;
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
        if (this.#viewOnly) {
            return;
        }
        this.#call(typeof keyCode === "number" ? "scancode" : "key", keyCode, Boolean(isDown));
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
        if (this.#viewOnly || !whole) {
            return "";
        }
        if (this.#agent && await this.#ask("untypable", whole, this.keyboardLayout)) {
            await this.sendClipboardData(whole);
            await settled();
            this.sendKeys(["ShiftLeft", "Insert"]);
            return "";
        }
        return this.#ask("text", whole, this.keyboardLayout);
    }

    // The guest's agent.

    /** Offers a text, a Blob, or { type: content, … } to the guest's clipboard. Resolves once its agent knows. */
    async sendClipboardData(data) {
        this.#offered = "";
        const { types, bytes } = await contents(data);
        await this.#ask("setClipboard", types, bytes);
    }

    /** Called with { types, getData(type), getText(), getImage() } when the guest has copied; null for none. */
    set onClipboardDataReceived(callback) {
        this.#callbacks.clipboard = callback;
    }

    get onClipboardDataReceived() {
        return this.#callbacks.clipboard ?? null;
    }

    /** Asks the guest for a resolution. Resolves with the width and height that it has in the end. */
    async setResolution(width, height) {
        // X servers take widths in steps of 8 only, and no screen smaller than this.
        const wanted = [Math.max(320, width & ~7), Math.max(200, Math.trunc(height))];
        return this.#ask("setResolution", ...wanted);
    }

    /** Sends a File into the guest; returns the transfer: name, size, sent, onprogress, done, cancel(). */
    sendFile(file) {
        const id = this.#nextTransfer++;
        const done = this.#send(file, id);
        done.catch(() => {}).then(() => this.#transfers.delete(id));
        const transfer = new Transfer(id, file, done, () => this.#call("cancelFile", id));
        this.#transfers.set(id, transfer);
        this.#emit("transfer", { transfer });
        return transfer;
    }

    async #send(file, id) {
        try {
            if (!this.#link) {
                throw failure("gone", "there is no connection");
            }
            await this.#ask("sendFile", file.name, file, id);
        } catch (error) {
            error.code ??= "failed";
            throw error;
        }
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
        return [...(await this.#ask("displays") ?? [])];
    }

    showDisplay(id) {
        this.#call("showDisplay", id);
    }

    /** Moves the pointer to pixel x, y of the screen with these buttons held: 1 left, 2 right, 4 middle, 8, 16. */
    sendPointerEvent(x, y, buttons) {
        if (this.#viewOnly) {
            return;
        }
        const [width, height] = this.#view.screen;
        const place = [clamp(Math.round(x), 0, Math.max(width - 1, 0)), clamp(Math.round(y), 0, Math.max(height - 1, 0))];
        if (this.#absolute) {
            this.#call("moveTo", ...place);
        } else {
            this.#call("moveBy", place[0] - this.#pointer[0], place[1] - this.#pointer[1]);
        }
        this.#pointer = place;
        this.#call("buttons", (buttons ?? 0) & 31);
    }

    /** Turns the wheel by notches, away from the user if negative. */
    sendWheel(notches) {
        if (!this.#viewOnly && Number.isFinite(notches)) {
            this.#call("wheel", notches);
        }
    }

    /** Releases all keys and buttons that the machine believes held. */
    releaseAll() {
        this.#keyboard?.release();
        this.#call("releaseAll");
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
        return this.#mouse?.locked ?? false;
    }

    lockPointer() {
        return this.#mouse?.lock();
    }

    /** Combinations that stay with the browser, as "Control+Shift+KeyI". */
    set passthroughKeys(combinations) {
        this.#habits.passthrough = new Set(combinations);
        this.#applyHabits();
    }

    get passthroughKeys() {
        return this.#habits.passthrough;
    }

    /** Whether fingers move the pointer as on a trackpad. */
    set trackpad(trackpad) {
        this.#habits.trackpad = Boolean(trackpad);
        this.#applyHabits();
    }

    get trackpad() {
        return this.#habits.trackpad;
    }

    /** Turns the wheel the other way. */
    set naturalScroll(natural) {
        this.#habits.natural = Boolean(natural);
        this.#applyHabits();
    }

    get naturalScroll() {
        return this.#habits.natural;
    }

    /** Seconds without input after which `idle` comes; 0 for never. */
    set idleSeconds(seconds) {
        this.#habits.idleSeconds = Number(seconds);
        this.#applyHabits();
    }

    get idleSeconds() {
        return this.#habits.idleSeconds;
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
        return this.#viewOnly;
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
        return image(await this.#ask("picture"));
    }

    /** What the canvas on the page holds, read back from where the browser shows it. */
    async readPixels() {
        return image(await this.#ask("canvasPixels"));
    }

    /** A small picture of the screen, at most so large; null while there is none. */
    async thumbnail(width = 160, height = 100) {
        return image(await this.#ask("thumbnail", width, height));
    }

    /** The screen as a picture file. */
    async screenshot(type = "image/png", quality = undefined) {
        const data = await this.getImageData();
        if (!data) {
            return null;
        }
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [data.width, data.height];
        canvas.getContext("2d").putImageData(data, 0, 0);
        return new Promise((resolve) => canvas.toBlob(resolve, type, quality));
    }

    /** Counts since the connection began; see `SpiceStats`. */
    stats() {
        return this.#ask("stats");
    }

    /** The canvas as the page shows it now: a copy. Empty while nothing is shown. */
    shownCanvas() {
        const { screen } = this.#parts;
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = this.#view.screen;
        if (screen && canvas.width && canvas.height) {
            canvas.getContext("2d").drawImage(screen, 0, 0, canvas.width, canvas.height);
        }
        return canvas;
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
        await this.#ask("preferCompression", name);
        return true;
    }

    /** Called with { rects, width, height, pixels } for each frame; null for none. */
    set onFrameReceived(callback) {
        this.#callbacks.frame = callback;
        this.#call("setFrames", callback ? 2 : 0);
    }

    get onFrameReceived() {
        return this.#callbacks.frame ?? null;
    }

    // Inside.

    /** Connects; `goesOn` when somebody waits for it already. */
    #connect(goesOn = false) {
        const target = this.#target ?? {};
        if (!goesOn || !this.#pending) {
            this.#reject(new Error("another connection took its place"));
            const pending = {};
            pending.promise = new Promise((resolve, reject) => Object.assign(pending, { resolve, reject }));
            // Whoever does not wait for it hears of it by `disconnect`.
            pending.promise.catch(() => {});
            this.#pending = pending;
        }
        const { promise } = this.#pending;
        this.#pending.asks = null;
        try {
            this.#url = webSocketUrl(target);
        } catch (error) {
            this.#ended(error instanceof AddressError ? "address" : "failed", error.message);
            return promise;
        }
        this.#openWorker();
        this.#become("connecting");
        this.#link.connect(this.#url, shownAddress(target, this.#url), this.#password);
        return promise;
    }

    #openWorker() {
        if (this.#link) {
            return;
        }
        const screen = document.createElement("canvas");
        screen.className = "screen";
        screen.part = "screen";
        screen.setAttribute("role", "img");
        this.#parts.stage.prepend(screen);
        this.#parts.screen?.remove();
        this.#parts.screen = screen;
        this.#label();
        const link = new WorkerLink(screen, this.getAttribute("renderer") ?? "auto", (name, values) => {
            if (link === this.#link) {
                this.#told(name, values);
            }
        }, this.#url, this.#password);
        this.#link = link;
        if (this.#callbacks.frame) {
            this.#call("setFrames", 2);
        }
        if (this.#compression) {
            this.#call("preferCompression", this.#compression);
        }
        this.#pause();
    }

    /** A page that is hidden shows nothing either. */
    #pause() {
        this.#call("setPaused", this.#paused || document.hidden);
    }

    #closeWorker() {
        this.#link?.close();
        this.#link = null;
    }

    #call(method, ...values) {
        this.#link?.call(method, ...values);
    }

    #ask(method, ...values) {
        return this.#link ? this.#link.ask(method, ...values) : Promise.resolve(undefined);
    }

    /** What the worker tells. */
    #told(name, values) {
        switch (name) {
            case "opened":
                this.#emit("opened");
                break;
            case "complete":
                this.#completed();
                break;
            case "resized":
                this.#view.screen = values;
                this.#shape.rescale(this.#view.scale);
                this.#emit("resize", { width: values[0], height: values[1] });
                break;
            case "frame":
                this.#framed(...values);
                break;
            case "shape":
                this.#shape.show(...values);
                break;
            case "shapeless":
                this.#shape.hide();
                break;
            case "pointer":
                this.#pointer = values;
                if (!this.#absolute) {
                    this.#shape.moveTo(values);
                    this.#view.reveal(...values);
                }
                break;
            case "absolute":
                this.#absolute = values[0];
                this.#mouse.absolute = values[0];
                this.#shape.overlay = !values[0];
                if (!values[0]) {
                    this.#shape.moveTo(this.#pointer);
                }
                this.#emit("mousemode", { absolute: values[0] });
                break;
            case "locks":
                this.#keyboard.guestLocks = values[0];
                this.#emit("locks", { scroll: Boolean(values[0] & 1), num: Boolean(values[0] & 2), caps: Boolean(values[0] & 4) });
                break;
            case "name":
                this.#name = values[0].replace(UNSEEN, "");
                this.#label();
                this.#emit("desktopname", { name: this.#name });
                break;
            case "agent":
                this.#agent = values[0];
                this.#offered = "";
                this.#emit("capabilities", { agent: values[0] });
                this.#followRoom();
                break;
            case "grabbed":
                this.#grabbed(values[0]);
                break;
            case "taken":
                this.#emit("clipboardtaken");
                break;
            case "progress":
                this.#transfers.get(values[0])?.advance(values[1], values[2]);
                break;
            case "notice":
                this.#emit("notice", { severity: ["info", "warning", "error"][values[0]] ?? "info", text: values[1] });
                break;
            case "trouble":
                this.#emit("trouble", { text: values[0] });
                break;
            case "ended":
                this.#ended(...values);
                break;
            case "crashed":
                this.#closeWorker();
                this.#ended("crashed", values[0]);
                break;
        }
    }

    #completed() {
        this.#wasComplete = true;
        this.#began = Date.now();
        this.#retry = null;
        this.#parts.stage.classList.remove("frozen");
        this.#become("connected");
        this.#pending?.resolve(this);
        this.#pending = null;
        if (this.#compression) {
            // A connection that began early began without it.
            this.#call("preferCompression", this.#compression);
        }
        this.#emit("connect");
        this.#followRoom();
    }

    /** The guest has copied something. */
    async #grabbed(types) {
        const grab = ++this.#grab;
        this.#offered = "";
        const clipboard = new GuestClipboard(types, (...call) => this.#ask(...call));
        this.#callbacks.clipboard?.(clipboard);
        this.#emit("clipboard", clipboard);
        // What the user does not look at has no say in what the user pastes.
        const takes = () => grab === this.#grab && this.shareClipboard && !this.#paused && document.hasFocus();
        if (!takes() || types.length === 0) {
            return;
        }
        try {
            const text = await clipboard.getText();
            if (!takes()) {
                return;
            }
            if (text) {
                this.#offered = text;
                await navigator.clipboard.writeText(text);
                return;
            }
            const picture = await clipboard.getImage();
            if (takes() && picture?.type === "image/png") {
                await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
            }
        } catch (error) {
            this.#emit("clipboardrefused", { text: error.message });
        }
    }

    /** The user pastes: what the browser hands over goes to the guest before the key does. */
    async #paste(transfer) {
        const { data, files } = pasted(transfer);
        for (const file of files) {
            this.sendFile(file);
        }
        if (Object.keys(data).length > 0 && data["text/plain"] !== this.#offered) {
            await this.sendClipboardData(data).catch((error) => this.#emit("trouble", { text: error.message }));
            await settled();
        }
    }

    #framed(rects, pixels) {
        const detail = { rects, pixels, width: this.#view.screen[0], height: this.#view.screen[1] };
        this.#callbacks.frame?.(detail);
        this.#emit("frame", detail);
    }

    /** The connection is over; another attempt follows where that makes sense. */
    #ended(code, text) {
        const asked = code === "closed";
        if (this.#state === "connected" && Date.now() - this.#began >= LIFE_MS) {
            this.#attempts = 0;
            this.#again = {};
        }
        const again = !asked && this.#wasComplete && PASSING.has(code) && this.#attempts < RETRY_SECONDS.length
            && (this.#again[code] ?? 0) < (MOST_AGAIN[code] ?? Infinity)
            && this.isConnected && this.getAttribute("reconnect") !== "no";
        this.#offered = "";
        this.#parts.stage.classList.toggle("frozen", !asked);
        this.#shape.reset();
        this.#mouse?.unlock();
        if (this.#agent) {
            this.#agent = false;
            this.#emit("capabilities", { agent: false });
        }
        if (code in SECURITY) {
            this.#emit("securityfailure", { status: SECURITY[code], code, reason: text });
        }
        if (code === "password-missing" || code === "password-wrong") {
            this.#password = "";
            if (this.#pending) {
                this.#pending.asks = code;
            }
            this.#become("disconnected");
            this.#emit("credentialsrequired", { types: ["password"], wrong: code === "password-wrong", text });
        } else if (again) {
            this.#reject(failure(code, text));
            const seconds = RETRY_SECONDS[this.#attempts];
            this.#attempts += 1;
            this.#again[code] = (this.#again[code] ?? 0) + 1;
            this.#retry = { timer: setTimeout(() => this.#connect(), seconds * 1000) };
            this.#become("waiting");
            this.#emit("reconnecting", { attempt: this.#attempts, seconds, code, text });
        } else if (asked && this.#idled) {
            this.#close("idle-closed", "nobody has used the machine", false);
        } else {
            this.#close(code, text, asked);
        }
    }

    /** Nothing connects again by itself. */
    #close(code, text, clean) {
        this.#wasComplete = false;
        this.#forgetRetry();
        this.#become("disconnected");
        this.#reject(failure(code, text));
        this.#emit("disconnect", { clean, code, reason: text });
    }

    /** Forgets attempts: the user has decided anew. */
    #forgetRetry() {
        clearTimeout(this.#retry?.timer);
        this.#retry = null;
        this.#attempts = 0;
        this.#again = {};
        this.#idled = false;
    }

    /** Nobody has used the machine for long. */
    #idle(seconds) {
        this.#emit("idle", { seconds });
        if (this.hasAttribute("idle-disconnect") && this.#state === "connected") {
            this.#idled = true;
            this.#call("disconnect");
        }
    }

    #reject(error) {
        this.#pending?.reject(error);
        this.#pending = null;
    }

    /** The computer has slept: a connection that died meanwhile would be noticed in minutes only. */
    async #woke(seconds) {
        this.#emit("wake", { seconds });
        if (this.#state === "waiting") {
            this.reconnect();
            return;
        }
        if (this.#state !== "connected" || this.#url === null) {
            return;
        }
        const link = this.#link;
        const before = await this.#ask("stats");
        this.#call("probe");
        await new Promise((resolve) => setTimeout(resolve, 4000));
        if (link !== this.#link || this.#state !== "connected") {
            return;
        }
        const after = await this.#ask("stats");
        if (after && before && after.received === before.received) {
            this.#emit("trouble", { text: "no answer after sleep, connecting again" });
            this.reconnect().catch(() => {});
        }
    }

    #glide(x, y) {
        if (!this.#absolute) {
            this.#mouse.shift(x, y);
            return;
        }
        const [width, height] = this.#view.screen;
        this.#pointer = [clamp(this.#pointer[0] + x, 0, width - 1), clamp(this.#pointer[1] + y, 0, height - 1)];
        const place = this.#pointer.map(Math.round);
        this.#call("moveTo", ...place);
        this.#shape.moveTo(place);
        this.#view.reveal(...place);
    }

    #resized() {
        this.#view.layout();
        this.#shape.rescale(this.#view.scale);
        this.#followRoom();
    }

    #followRoom() {
        clearTimeout(this.#follow);
        if (this.scaling !== "follow" || !this.#agent || this.#state !== "connected") {
            return;
        }
        this.#follow = setTimeout(() => {
            const [width, height] = this.#view.room;
            const [isWidth, isHeight] = this.#view.screen;
            if (width > 0 && height > 0 && (width !== isWidth || height !== isHeight)) {
                this.setResolution(width, height).catch((error) => this.#emit("trouble", { text: error.message }));
            }
        }, FOLLOW_MS);
    }

    #apply() {
        this.#viewOnly = this.hasAttribute("view-only");
        this.#view.scaling = this.scaling === "none" ? "none" : "fit";
        this.#view.hidpi = this.hidpi;
        for (const hand of [this.#keyboard, this.#mouse, this.#touch]) {
            if (hand) {
                hand.enabled = !this.#viewOnly;
            }
        }
        if (this.#viewOnly) {
            this.releaseAll();
        }
        this.#label();
        this.#resized();
    }

    #applyHabits() {
        if (this.#keyboard) {
            this.#keyboard.passthrough = this.#habits.passthrough;
            this.#mouse.naturalScroll = this.#habits.natural;
            this.#touch.trackpad = this.#habits.trackpad;
            this.#watch.idleSeconds = this.#habits.idleSeconds;
        }
    }

    #label() {
        const label = this.getAttribute("label") ?? (this.#name || "remote machine");
        this.#parts.keys.setAttribute("aria-label", label);
        this.#parts.keys.setAttribute("aria-description", this.getAttribute("hint") ?? "Ctrl+Alt+Shift leaves the machine");
        this.#parts.screen?.setAttribute("aria-label", label);
    }

    #become(state) {
        if (this.#state !== state) {
            this.#state = state;
            this.#emit("statechange", { state });
        }
    }

    #emit(name, detail = {}) {
        this.dispatchEvent(new CustomEvent(name, { detail }));
    }
}

/** Until the guest's applications see a new clipboard: nothing in the protocol says when, and keys travel faster. */
function settled() {
    return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}

function failure(code, text) {
    return Object.assign(new Error(text || "disconnected"), { code });
}

function sameTarget(a, b) {
    return ["url", "token", "host", "port", "gateway", "direct"].every((name) => a[name] === b[name]);
}

function image(picture) {
    if (!picture?.width || !picture.height) {
        return null;
    }
    return new ImageData(new Uint8ClampedArray(picture.pixels.buffer), picture.width, picture.height);
}

function clamp(value, least, most) {
    return Math.min(Math.max(value, least), most);
}

if (!customElements.get("spice-desktop")) {
    customElements.define("spice-desktop", SpiceDesktop);
}
