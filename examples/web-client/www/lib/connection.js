// The life of the connection behind one <spice-desktop>: its worker, passwords, attempts and ends.

import { AddressError, shownAddress, webSocketUrl } from "./address.js";
import { failure } from "./failure.js";
import { WorkerLink } from "./worker-link.js";

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
/** A living server answers within this after the computer slept. */
const WAKE_MS = 4000;

export class Connection {
    #desktop;
    #link = null;
    #state = "idle";
    #target = null;
    #password = "";
    #url = null;
    #pending = null;
    #retry = null;
    /** Attempts since the last good connection, and how many of them after which end. */
    #attempts = 0;
    #again = {};
    #began = 0;
    #wasComplete = false;
    #idled = false;

    /**
     * `desktop` is what a connection needs of the element: canvas() makes one to draw on and `renderer` says how; prepare() tells a
     * new worker what holds for every connection; showing() and ended(asked) hear of the first picture and of a connection's end
     * before anybody else, over(error) that nothing connects again by itself; told(name, values) gets what the worker tells;
     * emit(name, detail) fires; `retries` says whether it may connect again; `element` is what `connect` resolves with.
     */
    constructor(desktop) {
        this.#desktop = desktop;
    }

    get state() {
        return this.#state;
    }

    /** Connects to a target, with the password in it or the one that leads there already. */
    connect(target) {
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

    reconnect() {
        this.#forgetRetry();
        return this.#connect();
    }

    sendPassword(password) {
        this.#password = password;
        this.#forgetRetry();
        return this.#connect(true);
    }

    /** Ends the connection, or the wait for a password; nothing connects again by itself. */
    disconnect() {
        this.#forgetRetry();
        if (this.#pending?.asks) {
            this.#close(this.#pending.asks, "no password was given", false);
            return;
        }
        if (this.#state === "connecting" || this.#state === "connected") {
            this.call("disconnect");
        } else if (this.#state === "waiting") {
            this.#become("disconnected");
            this.#desktop.over(failure("closed", "no attempt is wanted any more"));
        }
    }

    /** Ends everything at once: the element leaves the page. */
    leave() {
        this.#forgetRetry();
        this.#closeWorker();
        this.#password = "";
        this.#wasComplete = false;
        const was = this.#state;
        this.#become("idle");
        const reason = "removed from the page";
        const pending = this.#pending !== null;
        this.#reject(failure("closed", reason));
        this.#desktop.over(failure("closed", reason));
        if (pending || was === "connected" || was === "waiting") {
            this.#desktop.emit("disconnect", { clean: true, code: "closed", reason });
        }
    }

    /** Calls a method of the library and waits for nothing. */
    call(method, ...values) {
        this.#link?.call(method, ...values);
    }

    /** Calls a method of the library and waits for its answer; there is none without a worker. */
    ask(method, ...values) {
        return this.#link ? this.#link.ask(method, ...values) : Promise.resolve(undefined);
    }

    /** As `ask`, for what makes no sense without a connection: there it rejects. */
    async need(method, ...values) {
        if (!this.#link) {
            throw failure("gone", "there is no connection");
        }
        return this.#link.ask(method, ...values);
    }

    /** Nobody has used the machine for long. */
    idled() {
        if (this.#state === "connected") {
            this.#idled = true;
            this.call("disconnect");
        }
    }

    /** The computer has slept: a connection that died meanwhile would be noticed in minutes only. */
    async woke() {
        if (this.#state === "waiting") {
            this.reconnect();
            return;
        }
        if (this.#state !== "connected" || this.#url === null) {
            return;
        }
        const link = this.#link;
        const before = await this.ask("stats");
        this.call("probe");
        await new Promise((resolve) => setTimeout(resolve, WAKE_MS));
        if (link !== this.#link || this.#state !== "connected") {
            return;
        }
        const after = await this.ask("stats");
        if (after && before && after.received === before.received) {
            this.#desktop.emit("trouble", { text: "no answer after sleep, connecting again" });
            this.reconnect().catch(() => {});
        }
    }

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
            // The connection before it has been replaced all the same.
            this.#link?.leave();
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
        const link = new WorkerLink(this.#desktop.canvas(), this.#desktop.renderer, (name, values) => {
            if (link === this.#link) {
                this.#told(name, values);
            }
        }, this.#url, this.#password);
        this.#link = link;
        this.#desktop.prepare();
    }

    #closeWorker() {
        this.#link?.close();
        this.#link = null;
    }

    /** What the worker tells. */
    #told(name, values) {
        switch (name) {
            case "complete":
                this.#completed();
                break;
            case "ended":
                this.#ended(...values);
                break;
            case "crashed":
                this.#closeWorker();
                this.#ended("crashed", values[0]);
                break;
        }
        this.#desktop.told(name, values);
    }

    #completed() {
        this.#wasComplete = true;
        this.#began = Date.now();
        this.#retry = null;
        this.#desktop.showing();
        this.#become("connected");
        this.#pending?.resolve(this.#desktop.element);
        this.#pending = null;
    }

    /** The connection is over; another attempt follows where that makes sense. */
    #ended(code, text) {
        const asked = code === "closed";
        if (this.#state === "connected" && Date.now() - this.#began >= LIFE_MS) {
            this.#attempts = 0;
            this.#again = {};
        }
        const again = !asked && this.#wasComplete && PASSING.has(code) && this.#attempts < RETRY_SECONDS.length
            && (this.#again[code] ?? 0) < (MOST_AGAIN[code] ?? Infinity) && this.#desktop.retries;
        this.#desktop.ended(asked);
        if (code in SECURITY) {
            this.#desktop.emit("securityfailure", { status: SECURITY[code], code, reason: text });
        }
        if (code === "password-missing" || code === "password-wrong") {
            this.#password = "";
            if (this.#pending) {
                this.#pending.asks = code;
            }
            this.#become("disconnected");
            this.#desktop.emit("credentialsrequired", { types: ["password"], wrong: code === "password-wrong", text });
        } else if (again) {
            this.#reject(failure(code, text));
            const seconds = RETRY_SECONDS[this.#attempts];
            this.#attempts += 1;
            this.#again[code] = (this.#again[code] ?? 0) + 1;
            this.#retry = { timer: setTimeout(() => this.#connect(), seconds * 1000) };
            this.#become("waiting");
            this.#desktop.emit("reconnecting", { attempt: this.#attempts, seconds, code, text });
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
        this.#desktop.over(failure(code, text));
        this.#desktop.emit("disconnect", { clean, code, reason: text });
    }

    /** Forgets attempts: the user has decided anew. */
    #forgetRetry() {
        clearTimeout(this.#retry?.timer);
        this.#retry = null;
        this.#attempts = 0;
        this.#again = {};
        this.#idled = false;
    }

    #reject(error) {
        this.#pending?.reject(error);
        this.#pending = null;
    }

    #become(state) {
        if (this.#state !== state) {
            this.#state = state;
            this.#desktop.emit("statechange", { state });
        }
    }
}

function sameTarget(a, b) {
    return ["url", "token", "host", "port", "gateway", "direct"].every((name) => a[name] === b[name]);
}
