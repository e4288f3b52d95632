// Full screen, with the keys that browsers keep otherwise.

import { t } from "./i18n.js";
import { toast } from "./toasts.js";

export class FullScreen {
    #button;
    #page;

    constructor(button, page) {
        this.#button = button;
        this.#page = page;
        button.disabled = !document.fullscreenEnabled;
    }

    listen() {
        this.#button.addEventListener("click", () => this.#toggle());
        document.addEventListener("fullscreenchange", () => {
            const on = Boolean(document.fullscreenElement);
            this.#page.classList.toggle("full", on);
            this.#button.setAttribute("aria-pressed", String(on));
            if (on) {
                // Without it Escape, Alt+Tab and the like stay with the system; the way out is a long Escape then.
                navigator.keyboard?.lock?.().catch(() => {});
                toast(t("view.full"));
            } else {
                navigator.keyboard?.unlock?.();
            }
        });
    }

    async #toggle() {
        if (document.fullscreenElement) {
            await document.exitFullscreen();
        } else {
            await document.documentElement.requestFullscreen({ navigationUI: "hide" });
        }
    }
}
