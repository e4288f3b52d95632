// Keys of the page's user: by their place on the keyboard (KeyboardEvent.code), and text that has no key.

const LOCKS = [["ScrollLock", 1], ["NumLock", 2], ["CapsLock", 4]];
/** Milliseconds in which Windows follows its made-up Control with the AltGr that it belongs to. */
const ALTGR_MS = 50;

/** Milliseconds in which a browser follows Control+V with what it has to paste. */
const PASTE_MS = 150;
/** Milliseconds that keys wait at most until the guest knows what was pasted. */
const PASTED_MS = 1000;

export class Keyboard {
    #sink;
    #desktop;
    #held = new Set();
    #control = null;
    #guestLocks = null;
    #paste = null;
    #leaving = false;
    #mac = /Mac|iPhone|iPad/.test(navigator.platform);
    #windows = /Win/.test(navigator.platform);
    #abort = new AbortController();
    enabled = true;
    /** Combinations that stay with the browser, as "Control+Shift+KeyI"; modifiers in the order Control Shift Alt Meta. */
    passthrough = new Set();

    /**
     * Listens at `sink`, an editable element that is out of sight, so that input methods and on-screen keyboards work.
     * `desktop` has key(code, down), text(string), setLocks(bits), releaseAll(), touched(), left(),
     * takesPaste, and pasted(DataTransfer), a promise.
     */
    constructor(sink, desktop) {
        this.#sink = sink;
        this.#desktop = desktop;
        const options = { signal: this.#abort.signal };
        sink.addEventListener("keydown", (event) => this.#down(event), options);
        sink.addEventListener("keyup", (event) => this.#up(event), options);
        sink.addEventListener("blur", () => this.release(), options);
        sink.addEventListener("compositionend", (event) => this.#typed(event.data), options);
        sink.addEventListener("input", (event) => this.#input(event), options);
        sink.addEventListener("paste", (event) => this.#pasted(event), options);
        window.addEventListener("blur", () => this.release(), options);
        document.addEventListener("visibilitychange", () => document.hidden && this.release(), options);
    }

    close() {
        this.release();
        this.#abort.abort();
    }

    /** The lights of the guest's keyboard. */
    set guestLocks(bits) {
        this.#guestLocks = bits;
    }

    /** Releases every key and button that is held: the browser would not tell when that happens elsewhere. */
    release() {
        clearTimeout(this.#control?.timer);
        this.#control = null;
        // A paste that is under way goes on without the keys.
        clearTimeout(this.#paste?.timer);
        this.#paste = null;
        this.#held.clear();
        this.#desktop.releaseAll();
    }

    #down(event) {
        if (!this.enabled || event.isComposing || event.keyCode === 229) {
            return;
        }
        if (this.passthrough.has(combination(event))) {
            return;
        }
        this.#desktop.touched();
        const code = event.code;
        // The way out for those who have only a keyboard: these three together, and nothing else.
        this.#leaving = MODIFIERS.has(code) && event.ctrlKey && event.altKey && event.shiftKey && !event.metaKey;
        if (!code || code === "Unidentified") {
            // A key of an on-screen keyboard: what it types comes as input, what it does has a name.
            if (NAMED.has(event.key)) {
                event.preventDefault();
                this.#tap(event.key);
            }
            return;
        }
        event.stopPropagation();
        if (this.#paste && event.repeat) {
            event.preventDefault();
            return;
        }
        const command = this.#mac && isCommandPaste(event);
        if ((command || isPaste(event)) && this.#desktop.takesPaste && !event.repeat && !this.#paste) {
            // The browser hands over its clipboard, if it does; the key follows it, and so does whatever else comes.
            this.#flushControl();
            this.#syncLocks(event);
            const paste = { late: [], timer: 0 };
            paste.timer = setTimeout(() => this.#endPaste(paste), PASTE_MS);
            this.#paste = paste;
            if (command) {
                this.#tapControlV();
            } else {
                this.#send(code, true);
            }
            return;
        }
        event.preventDefault();
        if (this.#altgr(event)) {
            return;
        }
        this.#syncLocks(event);
        if (code === "CapsLock" && this.#mac) {
            // It tells of every second event only.
            this.#tap(code);
            return;
        }
        this.#send(code, true);
    }

    #up(event) {
        const code = event.code;
        if (!code || !this.enabled) {
            return;
        }
        event.preventDefault();
        event.stopPropagation();
        if (code === "ControlLeft" && this.#control) {
            this.#flushControl();
        }
        if (code === "CapsLock" && this.#mac) {
            this.#tap(code);
            return;
        }
        if (this.#held.has(code)) {
            this.#send(code, false);
        }
        if (this.#leaving && MODIFIERS.has(code)) {
            this.#leaving = false;
            this.#desktop.left();
        }
        if (this.#mac && code.startsWith("Meta")) {
            // While Command was held, macOS told of no other key's release.
            for (const other of [...this.#held].filter((name) => !MODIFIERS.has(name))) {
                this.#send(other, false);
            }
        }
    }

    /** Windows reports AltGr as left Control and right Alt; only the latter is meant. True when the event waits. */
    #altgr(event) {
        if (!this.#windows) {
            return false;
        }
        if (event.code === "ControlLeft" && !event.repeat && !this.#control) {
            const timer = setTimeout(() => this.#flushControl(), ALTGR_MS);
            this.#control = { timer, time: event.timeStamp };
            return true;
        }
        if (this.#control) {
            const belongs = event.code === "AltRight" && event.timeStamp - this.#control.time < ALTGR_MS;
            if (belongs) {
                clearTimeout(this.#control.timer);
                this.#control = null;
            } else {
                this.#flushControl();
            }
        }
        return false;
    }

    async #pasted(event) {
        event.preventDefault();
        const paste = this.#paste;
        if (!paste || !event.clipboardData) {
            return;
        }
        clearTimeout(paste.timer);
        paste.timer = setTimeout(() => this.#endPaste(paste), PASTED_MS);
        try {
            await this.#desktop.pasted(event.clipboardData);
        } finally {
            this.#endPaste(paste);
        }
    }

    /** Does what waited for a paste, in order. */
    #endPaste(paste) {
        if (this.#paste === paste) {
            clearTimeout(paste.timer);
            this.#paste = null;
            paste.late.forEach((act) => act());
        }
    }

    /** Does something now, or once what is being pasted has arrived. */
    #inTurn(act) {
        if (this.#paste) {
            this.#paste.late.push(act);
        } else {
            act();
        }
    }

    /** What Command+V is elsewhere. Control goes down first: Command let go alone opens menus. */
    #tapControlV() {
        this.#send("ControlLeft", true);
        for (const code of ["MetaLeft", "MetaRight"].filter((name) => this.#held.has(name))) {
            this.#send(code, false);
        }
        this.#tap("KeyV");
        this.#send("ControlLeft", false);
    }

    #flushControl() {
        if (this.#control) {
            clearTimeout(this.#control.timer);
            this.#control = null;
            this.#send("ControlLeft", true);
        }
    }

    #send(code, down) {
        if (down) {
            this.#held.add(code);
        } else {
            this.#held.delete(code);
        }
        this.#inTurn(() => this.#desktop.key(code, down));
    }

    #tap(code) {
        this.#inTurn(() => {
            this.#desktop.key(code, true);
            this.#desktop.key(code, false);
        });
    }

    /** Makes the guest's lights like the user's, when somebody else has changed either. */
    #syncLocks(event) {
        if (this.#guestLocks === null || LOCKS.some(([name]) => name === event.code)) {
            return;
        }
        let wanted = this.#guestLocks;
        for (const [name, bit] of LOCKS) {
            if (this.#mac && name !== "CapsLock") {
                continue;
            }
            wanted = event.getModifierState(name) ? wanted | bit : wanted & ~bit;
        }
        if (wanted !== this.#guestLocks) {
            this.#guestLocks = wanted;
            this.#inTurn(() => this.#desktop.setLocks(wanted));
        }
    }

    #input(event) {
        if (event.isComposing) {
            return;
        }
        if (event.inputType === "deleteContentBackward") {
            this.#tap("Backspace");
        } else if (event.inputType === "insertLineBreak" || event.inputType === "insertParagraph") {
            this.#tap("Enter");
        } else if (event.inputType === "insertText") {
            this.#typed(event.data);
        }
        this.#clear();
    }

    #typed(text) {
        if (text && this.enabled) {
            this.#desktop.touched();
            this.#inTurn(() => this.#desktop.text(text));
        }
        this.#clear();
    }

    /** On-screen keyboards delete only where something is. */
    #clear() {
        this.#sink.value = " ";
        this.#sink.setSelectionRange(1, 1);
    }
}

function isPaste(event) {
    return event.ctrlKey && !event.altKey && !event.metaKey && event.code === "KeyV" || event.shiftKey && event.code === "Insert";
}

function isCommandPaste(event) {
    return event.metaKey && !event.ctrlKey && !event.altKey && event.code === "KeyV";
}

/** The event's combination as in `passthrough`. */
function combination(event) {
    const names = [["Control", event.ctrlKey], ["Shift", event.shiftKey], ["Alt", event.altKey], ["Meta", event.metaKey]];
    return [...names.filter(([, held]) => held).map(([name]) => name), event.code].join("+");
}

const MODIFIERS = new Set([
    "ShiftLeft", "ShiftRight", "ControlLeft", "ControlRight", "AltLeft", "AltRight", "MetaLeft", "MetaRight",
]);
/** Keys whose `key` is also a `code`. */
const NAMED = new Set([
    "Enter", "Backspace", "Tab", "Escape", "Delete", "Insert", "Home", "End", "PageUp", "PageDown",
    "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight",
    "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12",
]);
