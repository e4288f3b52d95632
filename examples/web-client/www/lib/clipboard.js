// This page's clipboard and the guest's. Part of <spice-desktop>.

import { contents, GuestClipboard, pasted } from "./guest.js";

const SETTLE_MS = 200;

export class Clipboard {
    #desktop;
    /** Counts what the guest has copied: only the last counts. */
    #grab = 0;
    /** The text of the guest's that this page's clipboard holds; it need not go back. */
    #offered = "";

    /**
     * `desktop`: ask(method, ...) asks the library, need(method, ...) does so if there is a connection, emit(name, detail) fires, sendFile(file) sends; `shares` says whether the user
     * wants the guest's clipboard here, now; `callback` is the application's.
     */
    constructor(desktop) {
        this.#desktop = desktop;
    }

    /** What this page's clipboard holds may be anybody's again. */
    forget() {
        this.#offered = "";
    }

    /** Offers what an application gives. Resolves once the guest's agent knows. */
    async send(data) {
        this.#offered = "";
        const { types, bytes } = await contents(data);
        await this.#desktop.need("setClipboard", types, bytes);
    }

    /** The guest has copied something. */
    async grabbed(types) {
        const grab = ++this.#grab;
        this.#offered = "";
        const clipboard = new GuestClipboard(types, (...call) => this.#desktop.ask(...call));
        this.#desktop.callback?.(clipboard);
        this.#desktop.emit("clipboard", clipboard);
        // What the user does not look at has no say in what the user pastes.
        const takes = () => grab === this.#grab && this.#desktop.shares && document.hasFocus();
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
            this.#desktop.emit("clipboardrefused", { text: error.message });
        }
    }

    /** The user pastes: what the browser hands over goes to the guest before the key does. */
    async paste(transfer) {
        const { data, files } = pasted(transfer);
        for (const file of files) {
            this.#desktop.sendFile(file);
        }
        if (Object.keys(data).length > 0 && data["text/plain"] !== this.#offered) {
            await this.send(data).catch((error) => this.#desktop.emit("trouble", { text: error.message }));
            await settled();
        }
    }
}

/** Until the guest's applications see a new clipboard: nothing in the protocol says when, and keys travel faster. */
export function settled() {
    return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}
