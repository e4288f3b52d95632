// Fingers: tap, long press, drag, two-finger scroll and pinch, and a mode in which the screen is a trackpad.

/** CSS pixels that a finger may wander and still rest. */
const SLOP = 10;
const LONG_PRESS_MS = 500;
/** Between two taps, the second of which drags. */
const DOUBLE_TAP_MS = 300;
/** CSS pixels of two fingers' way that are one notch of the wheel. */
const SCROLL = 30;
/** How much the fingers' distance changes before they pinch and no longer scroll. */
const PINCH = 0.15;
/** Pixels of the screen for one of the finger's way, at most, on the trackpad. */
const ACCELERATION = 3;

export class Touch {
    #surface;
    #desktop;
    #fingers = new Map();
    #gesture = null;
    #lastTap = null;
    #abort = new AbortController();
    enabled = true;
    trackpad = false;

    /** Listens at `surface`; `desktop` as for the mouse, and also zoomAt(factor, x, y), absolute, place. */
    constructor(surface, desktop) {
        this.#surface = surface;
        this.#desktop = desktop;
        const options = { signal: this.#abort.signal };
        for (const [name, act] of [
            ["pointerdown", (event) => this.#down(event)],
            ["pointermove", (event) => this.#move(event)],
            ["pointerup", (event) => this.#up(event)],
            ["pointercancel", (event) => this.#cancel(event)],
        ]) {
            surface.addEventListener(name, (event) => event.pointerType === "touch" && act(event), options);
        }
    }

    close() {
        clearTimeout(this.#gesture?.timer);
        this.#abort.abort();
    }

    #down(event) {
        event.preventDefault();
        this.#desktop.touched();
        this.#surface.setPointerCapture(event.pointerId);
        const place = [event.clientX, event.clientY];
        this.#fingers.set(event.pointerId, { start: place, now: place });
        if (this.#fingers.size === 1) {
            this.#begin(event, place);
        } else if (this.#gesture) {
            this.#several();
        }
    }

    #begin(event, place) {
        this.#desktop.focus();
        const gesture = { kind: "rest", fingers: 1, place, began: event.timeStamp, timer: 0 };
        const tap = this.#lastTap;
        if (tap && event.timeStamp - tap.time < DOUBLE_TAP_MS && distance(tap.place, place) < 3 * SLOP) {
            gesture.again = true;
        }
        gesture.timer = setTimeout(() => this.#long(), LONG_PRESS_MS);
        this.#gesture = gesture;
    }

    /** A further finger: whatever one finger was about to do, it does not. */
    #several() {
        const gesture = this.#gesture;
        clearTimeout(gesture.timer);
        if (gesture.kind === "drag" || gesture.kind === "long") {
            this.#desktop.buttons(0);
        }
        gesture.fingers = Math.max(gesture.fingers, this.#fingers.size);
        gesture.kind = "several";
        gesture.moved = false;
        gesture.span = this.#span();
        gesture.middle = this.#middle();
        gesture.scrolled = 0;
        gesture.pinches = false;
    }

    #long() {
        const gesture = this.#gesture;
        if (gesture?.kind !== "rest") {
            return;
        }
        gesture.kind = "long";
        if (this.enabled) {
            this.#lead(gesture.place);
            navigator.vibrate?.(20);
            this.#desktop.buttons(2);
        }
    }

    #move(event) {
        const finger = this.#fingers.get(event.pointerId);
        const gesture = this.#gesture;
        if (!finger || !gesture) {
            return;
        }
        const before = finger.now;
        finger.now = [event.clientX, event.clientY];
        this.#desktop.touched();
        if (gesture.kind === "several") {
            this.#spread();
            return;
        }
        if (gesture.kind === "rest" && distance(finger.start, finger.now) > SLOP) {
            clearTimeout(gesture.timer);
            this.#startDrag(gesture, finger);
        }
        if (gesture.kind === "view") {
            this.#desktop.pan(finger.now[0] - gesture.last[0], finger.now[1] - gesture.last[1]);
            gesture.last = finger.now;
            return;
        }
        if (!this.enabled) {
            return;
        }
        const way = [finger.now[0] - before[0], finger.now[1] - before[1]];
        if (gesture.kind === "drag" || gesture.kind === "long") {
            this.trackpad ? this.#glide(way) : this.#lead(finger.now);
        } else if (gesture.kind === "glide") {
            this.#glide(way);
        }
    }

    #startDrag(gesture, finger) {
        if (this.#desktop.drags && !this.trackpad) {
            gesture.kind = "view";
            gesture.last = finger.start;
            return;
        }
        if (this.trackpad && !gesture.again) {
            gesture.kind = "glide";
            return;
        }
        gesture.kind = "drag";
        if (this.enabled) {
            this.#lead(finger.start);
            this.#desktop.buttons(1);
        }
    }

    /** Two fingers scroll, or pinch once their distance changes enough. */
    #spread() {
        const gesture = this.#gesture;
        if (this.#fingers.size < 2) {
            return;
        }
        const [span, middle] = [this.#span(), this.#middle()];
        if (distance(middle, gesture.middle) > SLOP || Math.abs(span / gesture.span - 1) > PINCH) {
            gesture.moved = true;
        }
        if (!gesture.pinches && !gesture.scrolls && Math.abs(span / gesture.span - 1) > PINCH) {
            gesture.pinches = true;
            gesture.last = span;
        }
        if (gesture.pinches) {
            this.#desktop.zoomAt(span / gesture.last, ...middle);
            this.#desktop.pan(middle[0] - (gesture.pan ?? middle)[0], middle[1] - (gesture.pan ?? middle)[1]);
            gesture.last = span;
            gesture.pan = middle;
            return;
        }
        const way = gesture.middle[1] - middle[1] - gesture.scrolled;
        const notches = Math.trunc(way / SCROLL);
        if (notches !== 0) {
            if (this.enabled && !gesture.scrolls) {
                this.#lead(gesture.middle);
            }
            gesture.scrolls = true;
            gesture.scrolled += notches * SCROLL;
            if (this.enabled) {
                this.#desktop.wheel(notches);
            }
        }
    }

    #up(event) {
        const finger = this.#fingers.get(event.pointerId);
        this.#fingers.delete(event.pointerId);
        const gesture = this.#gesture;
        if (!finger || !gesture || this.#fingers.size > 0) {
            return;
        }
        this.#gesture = null;
        clearTimeout(gesture.timer);
        if (!this.enabled) {
            return;
        }
        if (gesture.kind === "drag" || gesture.kind === "long") {
            this.#desktop.buttons(0);
        } else if (gesture.kind === "rest") {
            this.#click(finger.start, 1);
            this.#lastTap = { time: event.timeStamp, place: finger.start };
        } else if (gesture.kind === "several" && !gesture.moved && event.timeStamp - gesture.began < LONG_PRESS_MS) {
            this.#click(gesture.middle, gesture.fingers === 2 ? 2 : 4);
        }
    }

    #cancel(event) {
        this.#fingers.delete(event.pointerId);
        if (this.#gesture && this.#fingers.size === 0) {
            clearTimeout(this.#gesture.timer);
            this.#gesture = null;
            this.#desktop.buttons(0);
        }
    }

    #click(place, button) {
        this.#lead(place);
        this.#desktop.buttons(button);
        this.#desktop.buttons(0);
    }

    /** Leads the pointer to a point of the page, except on a trackpad, where it stays. */
    #lead([clientX, clientY]) {
        if (!this.trackpad && this.#desktop.absolute) {
            const place = this.#desktop.locate({ clientX, clientY });
            this.#desktop.pointerAt(place);
            this.#desktop.moveTo(...place);
        }
    }

    /** Moves the pointer as a trackpad does: slow ways are exact, fast ones long. */
    #glide([x, y]) {
        const speed = Math.hypot(x, y);
        const gain = Math.min(ACCELERATION, 1 + speed / 12) / Math.max(this.#desktop.scale, 0.2);
        this.#desktop.glide(x * gain, y * gain);
    }

    #span() {
        const [a, b] = [...this.#fingers.values()];
        return Math.max(distance(a.now, b.now), 1);
    }

    #middle() {
        const places = [...this.#fingers.values()].map((finger) => finger.now);
        return [0, 1].map((axis) => places.reduce((sum, place) => sum + place[axis], 0) / places.length);
    }
}

function distance(a, b) {
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
