// The tabs: which machines there are, which one is seen, and what is kept over a reload.

import { asked, isForeign } from "./asked.js";
import { t } from "./i18n.js";
import { Machine } from "./machine.js";
import { readMachines, readSelected, writeMachines } from "./store.js";

const THUMBNAIL_MS = 2000;
/** Changes are kept so many milliseconds after the first of them: a server may make many. */
const KEEP_MS = 300;
const THUMBNAIL = [96, 60];

export class Machines extends EventTarget {
    #list = [];
    #tabs = document.getElementById("tabs");
    #buttons = new Map();
    #options;
    #asked;
    #keeping = 0;
    selected = null;

    /** `query` is the page's: host and port, token or url of a machine; renderer and demo for those who test. */
    constructor(query) {
        super();
        this.#options = { renderer: query.get("renderer") };
        this.#asked = asked(query);
        document.getElementById("tab-add").addEventListener("click", () => this.select(this.add({})));
        // The crosses on the tabs are for the mouse: a list of tabs may hold nothing but tabs.
        document.getElementById("tab-remove").addEventListener("click", () => {
            this.remove(this.selected);
            this.#buttons.get(this.selected).select.focus();
        });
        this.#tabs.addEventListener("keydown", (event) => this.#walk(event));
        setInterval(() => this.#thumbnails(), THUMBNAIL_MS);
        window.addEventListener("pagehide", () => this.#keepNow());
    }

    /** Opens the tabs of the last visit and the machine that the address names. */
    begin() {
        const kept = readMachines();
        const index = readSelected();
        const machines = kept.map((record) => this.add(record));
        let first = machines[index] ?? machines[0];
        if (this.#asked) {
            const foreign = isForeign(this.#asked);
            // The way to it may be another one this time, but a link does not turn what is kept past the gateway.
            first = this.#list.find(({ record }) =>
                same(record, this.#asked) && (!foreign || Boolean(record.direct) === Boolean(this.#asked.direct)));
            if (first) {
                Object.assign(first.record, this.#asked);
            } else {
                first = this.add({ ...this.#asked, passing: foreign });
                if (foreign) {
                    first.doubt();
                }
            }
        } else if (!first) {
            first = this.add({ demo: true });
        }
        // The others connect when they are looked at: somebody else may be using them.
        this.select(first);
    }

    add(record) {
        const machine = new Machine(record, this.#options);
        this.#list.push(machine);
        this.#makeTab(machine);
        machine.addEventListener("change", () => {
            this.#show(machine);
            this.#keep();
            this.dispatchEvent(new Event("change"));
        });
        machine.addEventListener("clipboard", ({ detail }) => {
            this.dispatchEvent(new CustomEvent("clipboard", { detail: { machine, clipboard: detail } }));
        });
        machine.addEventListener("transfer", ({ detail }) => this.dispatchEvent(new CustomEvent("transfer", { detail })));
        machine.addEventListener("clipboardrefused", () => {
            this.dispatchEvent(new CustomEvent("clipboardrefused", { detail: { machine } }));
        });
        machine.desktop.addEventListener("keyboardleft", () => this.#buttons.get(machine)?.select.focus());
        return machine;
    }

    select(machine) {
        this.selected = machine;
        for (const each of this.#list) {
            const is = each === machine;
            each.panel.classList.toggle("selected", is);
            each.panel.inert = !is;
            each.desktop.paused = !is;
            if (!is) {
                each.desktop.releaseAll();
            }
            this.#show(each);
        }
        if (machine.desktop.state === "idle" && machine.hasAddress && machine.covered !== "foreign") {
            machine.connect();
        }
        machine.focus();
        this.#keep();
        this.dispatchEvent(new Event("select"));
    }

    remove(machine) {
        const index = this.#list.indexOf(machine);
        this.#list.splice(index, 1);
        this.#buttons.get(machine).tab.remove();
        this.#buttons.delete(machine);
        machine.close();
        if (this.#list.length === 0) {
            this.add({});
        }
        if (this.selected === machine) {
            this.select(this.#list[Math.min(index, this.#list.length - 1)]);
        }
        this.#keep();
    }

    translate() {
        for (const machine of this.#list) {
            machine.translate();
            this.#show(machine);
        }
        this.dispatchEvent(new Event("change"));
    }

    /** The record of a machine has changed. */
    changed(machine) {
        machine.apply();
        this.#keep();
    }

    #makeTab(machine) {
        const make = (tag, className, parent) => {
            const element = document.createElement(tag);
            element.className = className;
            parent.append(element);
            return element;
        };
        const tab = make("div", "tab", this.#tabs);
        tab.setAttribute("role", "presentation");
        const select = make("button", "tab-select", tab);
        select.type = "button";
        select.id = `${machine.id}-tab`;
        select.setAttribute("role", "tab");
        select.setAttribute("aria-controls", machine.id);
        machine.panel.setAttribute("aria-labelledby", select.id);
        const picture = make("canvas", "thumbnail", select);
        picture.setAttribute("aria-hidden", "true");
        make("span", "dot", select).setAttribute("aria-hidden", "true");
        const title = make("span", "title", select);
        const close = make("button", "tab-close", tab);
        close.type = "button";
        // With the keyboard it is the Delete key on the tab, or the button behind the tabs.
        close.tabIndex = -1;
        close.setAttribute("aria-hidden", "true");
        const icon = document.createElementNS(SVG, "svg");
        icon.setAttribute("aria-hidden", "true");
        const use = document.createElementNS(SVG, "use");
        use.setAttribute("href", "icons.svg#close");
        icon.append(use);
        close.append(icon);
        select.addEventListener("click", () => this.select(machine));
        close.addEventListener("click", () => this.remove(machine));
        this.#buttons.set(machine, { tab, select, picture, title, close });
        this.#show(machine);
    }

    #show(machine) {
        const { tab, select, title, close } = this.#buttons.get(machine) ?? {};
        if (!tab) {
            return;
        }
        const is = machine === this.selected;
        const state = machine.desktop.state;
        tab.classList.toggle("selected", is);
        tab.dataset.state = state;
        select.setAttribute("aria-selected", String(is));
        select.tabIndex = is ? 0 : -1;
        title.textContent = machine.title;
        select.title = `${machine.title} (${t(`state.${state}`)})`;
        select.setAttribute("aria-label", select.title);
        select.setAttribute("aria-description", t("tab.delete"));
        machine.desktop.setAttribute("label", machine.title);
        machine.desktop.setAttribute("hint", t("leave"));
        close.title = t("tab.close", { name: machine.title });
        if (is) {
            const remove = document.getElementById("tab-remove");
            remove.title = close.title;
            remove.setAttribute("aria-label", close.title);
            document.title = `${machine.title} – ${t("title")}`;
        }
    }

    /** Arrow keys go from tab to tab. */
    #walk(event) {
        const index = this.#list.indexOf(this.selected);
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        const next = event.key === "Home" ? 0 : event.key === "End" ? this.#list.length - 1
            : step && (index + step + this.#list.length) % this.#list.length;
        if (event.key === "Delete" && event.target.matches("[role=tab]")) {
            this.remove(this.selected);
            this.#buttons.get(this.selected).select.focus();
            return;
        }
        if (next === undefined || !event.target.matches("[role=tab]")) {
            return;
        }
        event.preventDefault();
        this.select(this.#list[next]);
        this.#buttons.get(this.selected).select.focus();
    }

    async #thumbnails() {
        if (document.hidden) {
            return;
        }
        for (const machine of this.#list) {
            if (machine.desktop.state !== "connected") {
                continue;
            }
            const picture = await machine.desktop.thumbnail(...THUMBNAIL).catch(() => null);
            const canvas = this.#buttons.get(machine)?.picture;
            if (picture && canvas) {
                [canvas.width, canvas.height] = [picture.width, picture.height];
                canvas.getContext("2d").putImageData(picture, 0, 0);
            }
        }
    }

    #keep() {
        this.#keeping ||= setTimeout(() => this.#keepNow(), KEEP_MS);
    }

    #keepNow() {
        clearTimeout(this.#keeping);
        this.#keeping = 0;
        writeMachines(this.#list.map((machine) => machine.record), this.#list.indexOf(this.selected));
    }
}

const SVG = "http://www.w3.org/2000/svg";

function same(a, b) {
    return ["host", "port", "url", "token", "demo"].every((name) => a[name] === b[name]);
}
