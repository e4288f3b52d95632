// Whether the user is there, and whether the computer has slept.

const TICK_MS = 2000;
/** A tick that comes so much later than due: nobody was there to tick. */
const SLEPT_MS = 15000;

export class Watch {
    #told;
    #timer;
    #last = Date.now();
    #touched = Date.now();
    #idle = false;
    idleSeconds = 300;

    /** `told` has idle(seconds), active() and woke(seconds). */
    constructor(told) {
        this.#told = told;
        this.#timer = setInterval(() => this.#tick(), TICK_MS);
    }

    close() {
        clearInterval(this.#timer);
    }

    touched() {
        this.#touched = Date.now();
        if (this.#idle) {
            this.#idle = false;
            this.#told.active();
        }
    }

    #tick() {
        const now = Date.now();
        const gap = now - this.#last;
        this.#last = now;
        // A hidden page's timers are rare, but not that rare.
        if (gap > SLEPT_MS + (document.hidden ? 60000 : 0)) {
            this.#told.woke(Math.round(gap / 1000));
        }
        const seconds = (now - this.#touched) / 1000;
        if (this.idleSeconds > 0 && !this.#idle && seconds >= this.idleSeconds) {
            this.#idle = true;
            this.#told.idle(Math.round(seconds));
        }
    }
}
