// What the user does at a <spice-desktop> by keyboard, mouse and fingers, and what applications do in the user's place.

import { Keyboard } from "./keyboard.js";
import { Mouse } from "./mouse.js";
import { Touch } from "./touch.js";
import { Watch } from "./watch.js";

export class Hands {
    #desktop;
    #parts;
    #view;
    #shape;
    #keyboard = null;
    #mouse = null;
    #touch = null;
    #watch = null;
    #absolute = true;
    #pointer = [0, 0];
    #viewOnly = false;
    /** What keyboard, mouse and fingers are told, also before they are there. */
    #habits = { passthrough: new Set(), trackpad: false, natural: false, idleSeconds: 300 };

    /**
     * Of `parts`, the keyboard is at `keys`, the others at `viewport`; `view` is where the screen is, `shape` the guest's pointer.
     * `desktop`: call(method, ...) calls the library, text(text) types, pasted(transfer) hands a paste over, left() and focus() give the
     * keyboard up and take it, idle(seconds), active() and woke(seconds) are told; `takesPaste`, `drags` (whether the mouse may move the
     * view).
     */
    constructor(parts, view, shape, desktop) {
        this.#parts = parts;
        this.#view = view;
        this.#shape = shape;
        this.#desktop = desktop;
    }

    /** Listens from now on. */
    attach() {
        const { viewport, keys } = this.#parts;
        const hands = this.#what();
        this.#keyboard = new Keyboard(keys, hands);
        this.#mouse = new Mouse(viewport, hands);
        this.#touch = new Touch(viewport, hands);
        this.#watch = new Watch(this.#desktop);
        this.#applyHabits();
    }

    detach() {
        this.#keyboard.close();
        this.#mouse.close();
        this.#touch.close();
        this.#watch.close();
    }

    /** What keyboard, mouse and fingers may do to the element. */
    #what() {
        const outer = this;
        const call = this.#desktop.call;
        return {
            key: (code, down) => call("key", code, down),
            text: this.#desktop.text,
            pasted: this.#desktop.pasted,
            get takesPaste() {
                return outer.#desktop.takesPaste && !outer.#viewOnly;
            },
            setLocks: (bits) => call("setLocks", bits),
            releaseAll: () => call("releaseAll"),
            moveTo: (x, y) => {
                this.#pointer = [x, y];
                call("moveTo", x, y);
            },
            moveBy: (x, y) => call("moveBy", x, y),
            glide: (x, y) => this.#glide(x, y),
            buttons: (mask) => call("buttons", mask),
            wheel: (notches) => call("wheel", notches),
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
                this.#desktop.left();
            },
            touched: () => this.#watch?.touched(),
            focus: this.#desktop.focus,
            get drags() {
                return outer.#desktop.drags && outer.#view.clips;
            },
            get absolute() {
                return outer.#absolute;
            },
            get scale() {
                return outer.#view.scale;
            },
        };
    }

    // For the user.

    /** Presses or releases a key: a KeyboardEvent.code, or a scan code. */
    key(keyCode, isDown) {
        if (!this.#viewOnly) {
            this.#desktop.call(typeof keyCode === "number" ? "scancode" : "key", keyCode, Boolean(isDown));
        }
    }

    /** Moves the pointer to a pixel of the screen with these buttons held. */
    point(x, y, buttons) {
        if (this.#viewOnly) {
            return;
        }
        const place = this.#inScreen([Math.round(x), Math.round(y)]);
        if (this.#absolute) {
            this.#desktop.call("moveTo", ...place);
        } else {
            this.#desktop.call("moveBy", place[0] - this.#pointer[0], place[1] - this.#pointer[1]);
        }
        this.#pointer = place;
        this.#desktop.call("buttons", (buttons ?? 0) & 31);
    }

    wheel(notches) {
        if (!this.#viewOnly && Number.isFinite(notches)) {
            this.#desktop.call("wheel", notches);
        }
    }

    releaseAll() {
        this.#keyboard?.release();
        this.#desktop.call("releaseAll");
    }

    #glide(x, y) {
        if (!this.#absolute) {
            this.#mouse.shift(x, y);
            return;
        }
        this.#pointer = this.#inScreen([this.#pointer[0] + x, this.#pointer[1] + y]);
        const place = this.#pointer.map(Math.round);
        this.#desktop.call("moveTo", ...place);
        this.#shape.moveTo(place);
        this.#view.reveal(...place);
    }

    #inScreen(place) {
        return place.map((value, axis) => Math.min(Math.max(value, 0), Math.max(this.#view.screen[axis] - 1, 0)));
    }

    // How they behave.

    get viewOnly() {
        return this.#viewOnly;
    }

    set viewOnly(viewOnly) {
        this.#viewOnly = viewOnly;
        for (const hand of [this.#keyboard, this.#mouse, this.#touch]) {
            if (hand) {
                hand.enabled = !viewOnly;
            }
        }
        if (viewOnly) {
            this.releaseAll();
        }
    }

    /** One of the habits: passthrough, trackpad, natural, idleSeconds. */
    habit(name) {
        return this.#habits[name];
    }

    setHabit(name, value) {
        this.#habits[name] = value;
        this.#applyHabits();
    }

    #applyHabits() {
        if (this.#keyboard) {
            this.#keyboard.passthrough = this.#habits.passthrough;
            this.#mouse.naturalScroll = this.#habits.natural;
            this.#touch.trackpad = this.#habits.trackpad;
            this.#watch.idleSeconds = this.#habits.idleSeconds;
        }
    }

    get locked() {
        return this.#mouse?.locked ?? false;
    }

    lock() {
        return this.#mouse?.lock();
    }

    unlock() {
        this.#mouse?.unlock();
    }

    // What the guest says.

    /** Whether it follows positions (true) or movements. */
    set absolute(absolute) {
        this.#absolute = absolute;
        this.#mouse.absolute = absolute;
        this.#shape.overlay = !absolute;
        if (!absolute) {
            this.#shape.moveTo(this.#pointer);
        }
    }

    /** It has moved the pointer. */
    set pointer(place) {
        this.#pointer = place;
        if (!this.#absolute) {
            this.#shape.moveTo(place);
            this.#view.reveal(...place);
        }
    }

    /** The lights of its keyboard: 1 scroll lock, 2 num lock, 4 caps lock. */
    set locks(bits) {
        this.#keyboard.guestLocks = bits;
    }
}
