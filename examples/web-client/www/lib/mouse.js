// The mouse: absolute, or relative with pointer lock; wheel; five buttons.

/** Wheel distance of one notch, in pixels, lines and pages. */
const NOTCH = [100, 3, 1];
/** CSS pixels that the mouse may move in a click when it would otherwise move the view. */
const DRAG = 4;

export class Mouse {
    #surface;
    #desktop;
    #abort = new AbortController();
    #absolute = true;
    #rest = [0, 0];
    /** While the mouse drags the view: where it began, where it was last, and whether it has left the place. */
    #drag = null;
    enabled = true;
    /** Turns the wheel the other way. */
    naturalScroll = false;

    /**
     * Listens at `surface`. `desktop` has locate(event) (to pixels of the screen), moveTo(x, y), moveBy(dx, dy),
     * buttons(mask), wheel(notches), pointerAt(place), reveal(place), pan(x, y), drags (whether the mouse moves the view), scale,
     * touched() and focus().
     */
    constructor(surface, desktop) {
        this.#surface = surface;
        this.#desktop = desktop;
        const options = { signal: this.#abort.signal };
        surface.addEventListener("pointerdown", (event) => this.#button(event), options);
        surface.addEventListener("pointerup", (event) => this.#button(event), options);
        surface.addEventListener("pointermove", (event) => this.#move(event), options);
        surface.addEventListener("pointerleave", () => this.#absolute && desktop.pointerAt(null), options);
        surface.addEventListener("pointercancel", () => {
            this.#drag = null;
            desktop.buttons(0);
        }, options);
        surface.addEventListener("contextmenu", (event) => event.preventDefault(), options);
        surface.addEventListener("auxclick", (event) => event.preventDefault(), options);
        surface.addEventListener("wheel", (event) => this.#turn(event), { ...options, passive: false });
    }

    close() {
        this.#abort.abort();
        this.unlock();
    }

    /** Whether the guest follows positions (true) or movements. */
    set absolute(absolute) {
        this.#absolute = absolute;
        if (absolute) {
            this.unlock();
        }
    }

    get locked() {
        const root = this.#surface.getRootNode();
        return (root.pointerLockElement ?? document.pointerLockElement) === this.#surface;
    }

    async lock() {
        try {
            await this.#surface.requestPointerLock({ unadjustedMovement: true });
        } catch {
            // Not every system gives raw movements.
            try {
                await this.#surface.requestPointerLock();
            } catch {
                // The user has just left it; the next click asks again.
            }
        }
    }

    unlock() {
        if (this.locked) {
            document.exitPointerLock();
        }
    }

    #button(event) {
        if (event.pointerType === "touch") {
            return;
        }
        // The thumb's buttons would lead the browser away.
        event.preventDefault();
        this.#desktop.touched();
        const down = event.type === "pointerdown";
        if (down) {
            this.#desktop.focus();
        }
        if (this.#drags(event)) {
            return;
        }
        if (!this.enabled) {
            return;
        }
        if (!this.#absolute && down && !this.locked) {
            // The first click only takes the pointer.
            this.lock();
            return;
        }
        if (this.#absolute) {
            if (down) {
                this.#surface.setPointerCapture(event.pointerId);
            }
            this.#lead(event);
        }
        this.#desktop.buttons(event.buttons & 31);
    }

    #move(event) {
        if (event.pointerType === "touch") {
            return;
        }
        this.#desktop.touched();
        if (this.#drags(event) || !this.enabled) {
            return;
        }
        if (this.#absolute) {
            this.#lead(event);
        } else if (this.locked) {
            this.shift(event.movementX, event.movementY);
        }
        // Further buttons while one is held come as movements.
        if (this.#absolute || this.locked) {
            this.#desktop.buttons(event.buttons & 31);
        }
    }

    /** Moves the view with the mouse, where that is wanted; a click that moves nothing is the guest's all the same. */
    #drags(event) {
        const place = [event.clientX, event.clientY];
        // A relative mouse needs the pointer's lock, not the view; who only watches has no mouse there.
        const may = (this.#absolute || !this.enabled) && this.#desktop.drags;
        if (event.type === "pointerdown" && may && !this.#drag) {
            this.#surface.setPointerCapture(event.pointerId);
            this.#drag = { from: place, last: place, moved: false, buttons: event.buttons };
            return true;
        }
        const drag = this.#drag;
        if (!drag) {
            return false;
        }
        drag.moved ||= Math.hypot(place[0] - drag.from[0], place[1] - drag.from[1]) > DRAG;
        if (drag.moved) {
            this.#desktop.pan(place[0] - drag.last[0], place[1] - drag.last[1]);
            drag.last = place;
        }
        if (event.buttons === 0) {
            this.#drag = null;
            if (!drag.moved && this.enabled && this.#absolute) {
                this.#desktop.moveTo(...this.#desktop.locate(event));
                this.#desktop.buttons(drag.buttons & 31);
                this.#desktop.buttons(0);
            }
        }
        return true;
    }

    #lead(event) {
        const place = this.#desktop.locate(event);
        this.#desktop.pointerAt(place);
        this.#desktop.moveTo(...place);
        // At the edge of the view a screen that does not fit moves on, below the pointer.
        if (this.#desktop.reveal(place)) {
            this.#desktop.moveTo(...this.#desktop.locate(event));
        }
    }

    /** Moves the guest's pointer by so many CSS pixels; what is less than a pixel is kept for the next time. */
    shift(x, y) {
        const moved = [this.#rest[0] + x, this.#rest[1] + y];
        const whole = moved.map(Math.trunc);
        this.#rest = moved.map((value, index) => value - whole[index]);
        if (whole[0] !== 0 || whole[1] !== 0) {
            this.#desktop.moveBy(...whole);
        }
    }

    #turn(event) {
        event.preventDefault();
        this.#desktop.touched();
        if (!this.enabled || event.ctrlKey && event.deltaMode === 0 && !Number.isInteger(event.deltaY)) {
            // A pinch on a touchpad.
            return;
        }
        this.scroll(event.deltaY / NOTCH[event.deltaMode]);
    }

    /** Turns the wheel by notches or parts of them. */
    scroll(notches) {
        this.#desktop.wheel(this.naturalScroll ? -notches : notches);
    }
}
