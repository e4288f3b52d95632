// What the worker tells the page, no faster than the page takes it.

/** News of which only the last counts, and what each of them replaces. */
const STATES = new Map([
    ["shape", "shape"], ["shapeless", "shape"], ["pointer", "pointer"], ["absolute", "absolute"], ["locks", "locks"],
    ["name", "name"], ["agent", "agent"], ["grabbed", "grabbed"],
]);
/** Texts of the server for the user: so many in a second at most, so long at most. */
const TEXTS = new Set(["notice", "trouble"]);
const TEXTS_A_SECOND = 10;
const LONGEST_TEXT = 1000;
/** A frame's time. Frames themselves rest while the page is hidden. */
const FRAME_MS = 16;

export class Outbox {
    #post;
    #soon;
    #late = new Map();
    /** Whether the page has taken the states that were sent last. */
    #taken = true;
    #second = 0;
    #texts = 0;

    /** `post(name, values)` sends; `soon(callback)` calls back in a moment. */
    constructor(post, soon = (callback) => setTimeout(callback, FRAME_MS)) {
        this.#post = post;
        this.#soon = soon;
    }

    tell(name, values) {
        const state = STATES.get(name);
        if (state) {
            // The latest is also the last.
            this.#late.delete(state);
            this.#late.set(state, [name, values]);
            this.#flush();
        } else if (TEXTS.has(name)) {
            this.#tellText(name, values);
        } else {
            if (name === "ended") {
                this.#send();
            }
            this.#post(name, values);
        }
    }

    /** The page has taken everything that was sent before it was asked. */
    turned() {
        this.#soon(() => {
            this.#taken = true;
            this.#flush();
        });
    }

    /** Another connection begins: states of the one before are none of its. */
    forget() {
        this.#late.clear();
    }

    #flush() {
        if (this.#taken && this.#late.size > 0) {
            this.#send();
            this.#taken = false;
            this.#post("turn", []);
        }
    }

    #send() {
        for (const [name, values] of this.#late.values()) {
            this.#post(name, values);
        }
        this.#late.clear();
    }

    #tellText(name, values) {
        const second = Math.trunc(performance.now() / 1000);
        if (second !== this.#second) {
            this.#second = second;
            this.#texts = 0;
        }
        this.#texts += 1;
        if (this.#texts <= TEXTS_A_SECOND) {
            this.#post(name, values.map((value) => (typeof value === "string" ? value.slice(0, LONGEST_TEXT) : value)));
        }
    }
}
