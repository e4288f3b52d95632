// What a <spice-desktop> consists of inside.

import { styleSheet } from "./style.js";

/** Makes it, except for the canvas, which comes with a worker. */
export function parts(root) {
    root.adoptedStyleSheets = [styleSheet()];
    const make = (tag, className, parent) => {
        const element = document.createElement(tag);
        element.className = className;
        parent.append(element);
        return element;
    };
    const viewport = make("div", "viewport", root);
    viewport.part = "viewport";
    const stage = make("div", "stage", viewport);
    const keys = make("textarea", "keys", viewport);
    for (const [name, value] of [
        ["autocapitalize", "off"], ["autocomplete", "off"], ["autocorrect", "off"], ["spellcheck", "false"],
    ]) {
        keys.setAttribute(name, value);
    }
    keys.addEventListener("focus", () => viewport.classList.add("focused"));
    keys.addEventListener("blur", () => viewport.classList.remove("focused"));
    return { viewport, stage, keys, screen: null };
}

/** The canvas on which a worker draws the machine's screen. */
export function canvas() {
    const screen = document.createElement("canvas");
    screen.className = "screen";
    screen.part = "screen";
    screen.setAttribute("role", "img");
    return screen;
}
