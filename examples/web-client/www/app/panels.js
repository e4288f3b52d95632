// Panels that open below their buttons: one at a time, closed by Escape, by a click elsewhere, and by themselves.

export class Panels {
    #panels = [];
    #closed;

    /** `closed` is called after one has closed, to bring the keyboard back. */
    constructor(closed) {
        this.#closed = closed;
        document.addEventListener("keydown", (event) => {
            if (event.key === "Escape" && this.#open) {
                event.stopPropagation();
                const { button } = this.#open;
                this.close();
                button.focus();
            }
        }, true);
        document.addEventListener("pointerdown", (event) => {
            const open = this.#open;
            if (open && !open.panel.contains(event.target) && !open.button.contains(event.target)) {
                this.close();
            }
        }, true);
    }

    add(button, panel, opened = () => {}) {
        const entry = { button, panel, opened };
        this.#panels.push(entry);
        button.addEventListener("click", () => {
            if (panel.hidden) {
                this.#show(entry);
            } else {
                this.close();
                this.#closed();
            }
        });
        if (panel.getAttribute("role") === "menu") {
            panel.addEventListener("keydown", (event) => walk(panel, event));
        }
    }

    close() {
        for (const { button, panel } of this.#panels) {
            panel.hidden = true;
            button.setAttribute("aria-expanded", "false");
        }
    }

    get #open() {
        return this.#panels.find(({ panel }) => !panel.hidden);
    }

    #show({ button, panel, opened }) {
        this.close();
        panel.hidden = false;
        button.setAttribute("aria-expanded", "true");
        opened();
        panel.querySelector("button, select, input, textarea")?.focus();
    }
}

/** Arrow keys in a menu. */
function walk(menu, event) {
    const items = [...menu.querySelectorAll("button")];
    const index = items.indexOf(document.activeElement);
    const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: items.length - 1 }[event.key];
    if (next !== undefined) {
        event.preventDefault();
        items[(next + items.length) % items.length].focus();
    } else if (event.key === "Tab") {
        event.preventDefault();
    }
}
