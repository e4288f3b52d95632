// The tools above the screen.

import { Clipboard } from "./clipboard.js";
import { FullScreen } from "./fullscreen.js";
import { keyNames, t } from "./i18n.js";
import { Panels } from "./panels.js";
import { StatsView } from "./stats-view.js";
import { toast } from "./toasts.js";
import { setUpTransfers } from "./transfers.js";

/** Combinations that browsers and systems keep for themselves. */
const COMBINATIONS = [
    ["Ctrl+Alt+Del", ["ControlLeft", "AltLeft", "Delete"]],
    ["Ctrl+Alt+Backspace", ["ControlLeft", "AltLeft", "Backspace"]],
    ["Ctrl+Shift+Esc", ["ControlLeft", "ShiftLeft", "Escape"]],
    ["Alt+Tab", ["AltLeft", "Tab"]],
    ["Alt+F4", ["AltLeft", "F4"]],
    ["Win", ["MetaLeft"]],
    ["Win+L", ["MetaLeft", "KeyL"]],
    ["Win+R", ["MetaLeft", "KeyR"]],
    ["PrintScreen", ["PrintScreen"]],
    ["Ctrl+W", ["ControlLeft", "KeyW"]],
    ["Ctrl+T", ["ControlLeft", "KeyT"]],
    ["Ctrl+N", ["ControlLeft", "KeyN"]],
    ...Array.from({ length: 12 }, (_, index) => [`Ctrl+Alt+F${index + 1}`, ["ControlLeft", "AltLeft", `F${index + 1}`]]),
];
/** Keys that stay down until the user lets them go: for combinations of one's own. */
const STICKY = [["Ctrl", "ControlLeft"], ["Alt", "AltLeft"], ["Shift", "ShiftLeft"], ["Win", "MetaLeft"]];

export function setUpToolbar(machines) {
    const element = (id) => document.getElementById(id);
    const panels = new Panels(() => machines.selected?.focus());
    panels.add(element("keys-open"), element("keys"));
    panels.add(element("settings-open"), element("settings"), () => readSettings(machines));
    const clipboard = new Clipboard(machines);
    panels.add(element("clipboard-open"), element("clipboard"), () => clipboard.opened());
    const letGo = fillKeys(element("keys"), machines, panels);
    const fullScreen = new FullScreen(element("fullscreen"), element("page"));
    const stats = new StatsView(element("stats"), machines);
    setUpTransfers(machines);

    element("screenshot").addEventListener("click", () => saveScreenshot(machines.selected));
    element("stats-toggle").addEventListener("click", (event) => {
        toggle(event.currentTarget, (on) => stats.show(on));
    });
    element("osk-toggle").addEventListener("click", (event) => {
        toggle(event.currentTarget, (on) => machines.selected.desktop.showKeyboard(on));
    });
    element("trackpad-toggle").addEventListener("click", (event) => {
        toggle(event.currentTarget, (on) => {
            machines.selected.desktop.trackpad = on;
        });
    });
    element("power").addEventListener("click", () => {
        const { desktop, hasAddress } = machines.selected;
        if (desktop.state === "connected" || desktop.state === "connecting" || desktop.state === "waiting") {
            desktop.disconnect();
        } else if (hasAddress) {
            machines.selected.connect();
        }
    });
    setUpSettings(machines);
    const refresh = () => showState(machines);
    machines.addEventListener("change", refresh);
    machines.addEventListener("select", () => {
        refresh();
        letGo();
        stats.restart();
        panels.close();
    });
    fullScreen.listen();
}

/** The power button says what it would do. */
function showState(machines) {
    const { desktop } = machines.selected;
    const active = ["connected", "connecting", "waiting"].includes(desktop.state);
    const power = document.getElementById("power");
    power.title = t(active ? "disconnect" : "reconnect");
    power.setAttribute("aria-label", power.title);
    document.getElementById("screenshot").disabled = desktop.screenSize[0] === 0;
    document.getElementById("trackpad-toggle").setAttribute("aria-pressed", String(desktop.trackpad));
}

function toggle(button, act) {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    act(on);
}

function fillKeys(menu, machines, panels) {
    const held = new Set();
    /** Nothing is held any more, and the menu says so. */
    const letGo = () => {
        held.clear();
        menu.querySelectorAll("[aria-checked]").forEach((item) => item.setAttribute("aria-checked", "false"));
    };
    for (const [label, code] of STICKY) {
        const item = menuItem(menu, label, "menuitemcheckbox");
        item.setAttribute("aria-checked", "false");
        item.addEventListener("click", () => {
            const down = !held.has(code);
            down ? held.add(code) : held.delete(code);
            item.setAttribute("aria-checked", String(down));
            machines.selected.desktop.sendKeyEvent(code, down);
        });
    }
    for (const [label, codes] of COMBINATIONS) {
        menuItem(menu, label, "menuitem").addEventListener("click", () => {
            machines.selected.desktop.sendKeys(codes);
            for (const code of held) {
                machines.selected.desktop.sendKeyEvent(code, false);
            }
            letGo();
            panels.close();
        });
    }
    return letGo;
}

function menuItem(menu, label, role) {
    const item = document.createElement("button");
    item.type = "button";
    item.setAttribute("role", role);
    item.dataset.i18nKeys = label;
    item.textContent = keyNames(label);
    item.tabIndex = -1;
    menu.append(item);
    return item;
}

async function saveScreenshot(machine) {
    const file = await machine.desktop.screenshot();
    if (!file) {
        return;
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = `${machine.title.replace(/[^\p{L}\p{N}._-]+/gu, "_")}-${new Date().toISOString().replace(/[:.]/g, "-")}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** Settings of the selected machine. */
function setUpSettings(machines) {
    const on = (id, act) => document.getElementById(id).addEventListener("change", ({ currentTarget }) => act(currentTarget));
    const keep = (name, value) => {
        machines.selected.record[name] = value;
        machines.changed(machines.selected);
    };
    on("scaling", ({ value }) => keep("scaling", value));
    on("hidpi", ({ checked }) => keep("hidpi", checked));
    on("view-only", ({ checked }) => keep("viewOnly", checked));
    on("natural", ({ checked }) => keep("natural", checked));
    on("layout", ({ value }) => keep("layout", value));
    on("compression", ({ value }) => value && machines.selected.desktop.preferCompression(value));
    on("display", ({ value }) => machines.selected.desktop.showDisplay(Number(value)));
    on("resolution", (select) => {
        const [width, height] = select.value.split("×").map(Number);
        if (!width) {
            return;
        }
        const { desktop } = machines.selected;
        if (!desktop.agentConnected) {
            toast(t("resolution.noagent"));
            select.value = "";
            return;
        }
        keep("scaling", "fit");
        desktop.setResolution(width, height).catch((error) => toast(error.message));
    });
}

async function readSettings(machines) {
    const { record, desktop } = machines.selected;
    const element = (id) => document.getElementById(id);
    element("scaling").value = record.scaling ?? "fit";
    element("hidpi").checked = Boolean(record.hidpi);
    element("view-only").checked = Boolean(record.viewOnly);
    element("natural").checked = Boolean(record.natural);
    element("layout").value = record.layout ?? "us";
    const [width, height] = desktop.screenSize;
    const size = `${width}×${height}`;
    const known = [...element("resolution").options].some(({ value }) => value === size);
    element("resolution").value = known ? size : "";
    const displays = await desktop.displays();
    element("display-row").hidden = displays.length < 2;
    element("display").replaceChildren(...displays.map((id) => {
        return new Option(t("display.name", { number: id + 1 }), String(id));
    }));
}
