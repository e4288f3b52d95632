// The clipboard panel: for browsers that refuse the page their clipboard, and for machines without an agent.

import { t } from "./i18n.js";
import { toast } from "./toasts.js";

export class Clipboard {
    #machines;
    #text = document.getElementById("clipboard-text");
    #state = document.getElementById("clipboard-state");
    #share = document.getElementById("clipboard-share");
    /** What the user has typed is the user's: a text of the machine's waits until the field is empty. */
    #edited = false;
    #waiting = null;

    constructor(machines) {
        this.#machines = machines;
        const on = (id, act) => document.getElementById(id).addEventListener("click", act);
        on("clipboard-send", () => this.#send());
        on("clipboard-type", () => {
            this.#desktop.sendText(this.#text.value).catch((error) => {
                this.#state.textContent = error.message;
            });
        });
        on("clipboard-copy", () => this.#copy());
        this.#text.addEventListener("input", () => {
            this.#edited = this.#text.value !== "";
            if (!this.#edited && this.#waiting) {
                this.#show(this.#waiting);
            }
        });
        machines.addEventListener("clipboardrefused", ({ detail: { machine } }) => {
            if (machine === machines.selected) {
                toast(t("clipboard.blocked"));
            }
        });
        this.#share.addEventListener("change", () => {
            machines.selected.record.share = this.#share.checked;
            machines.changed(machines.selected);
        });
        machines.addEventListener("clipboard", ({ detail: { machine, clipboard } }) => {
            // Only what the user looks at, or has agreed to, leaves the machine.
            const wanted = machine.record.share || !this.#text.closest("section").hidden;
            if (machine === machines.selected && wanted) {
                this.#fetch(clipboard);
            }
        });
    }

    get #desktop() {
        return this.#machines.selected.desktop;
    }

    opened() {
        this.#share.checked = Boolean(this.#machines.selected.record.share);
        this.#tell(this.#desktop.agentConnected ? null : "clipboard.noagent");
    }

    async #fetch(clipboard) {
        const text = await clipboard.getText().catch(() => "");
        if (!text) {
            return;
        }
        if (this.#edited) {
            this.#waiting = text;
            this.#tell("clipboard.waiting");
        } else {
            this.#show(text);
        }
    }

    #show(text) {
        this.#waiting = null;
        this.#edited = false;
        this.#text.value = text;
        this.#tell("clipboard.received");
    }

    async #send() {
        if (!this.#desktop.agentConnected) {
            this.#tell("clipboard.noagent");
            return;
        }
        try {
            await this.#desktop.sendClipboardData(this.#text.value);
            this.#edited = false;
            this.#tell("clipboard.sent");
        } catch (error) {
            this.#state.textContent = error.message;
        }
    }

    async #copy() {
        try {
            await navigator.clipboard.writeText(this.#text.value);
            this.#tell("clipboard.copied");
        } catch {
            this.#tell("clipboard.refused");
        }
    }

    #tell(name) {
        this.#state.textContent = name ? t(name) : "";
    }
}
