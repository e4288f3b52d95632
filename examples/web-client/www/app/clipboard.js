// The clipboard panel: for browsers that refuse the page their clipboard, and for machines without an agent.

import { t } from "./i18n.js";

export class Clipboard {
    #machines;
    #text = document.getElementById("clipboard-text");
    #state = document.getElementById("clipboard-state");
    #share = document.getElementById("clipboard-share");

    constructor(machines) {
        this.#machines = machines;
        const on = (id, act) => document.getElementById(id).addEventListener("click", act);
        on("clipboard-send", () => this.#send());
        on("clipboard-type", () => {
            this.#desktop.sendText(this.#text.value);
        });
        on("clipboard-copy", () => this.#copy());
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
        if (text) {
            this.#text.value = text;
            this.#tell("clipboard.received");
        }
    }

    async #send() {
        if (!this.#desktop.agentConnected) {
            this.#tell("clipboard.noagent");
            return;
        }
        try {
            await this.#desktop.sendClipboardData(this.#text.value);
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
