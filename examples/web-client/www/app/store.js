// What outlives a reload: the machines of the tabs and the page's settings. Never passwords, never tokens.

const MACHINES = "spice.machines";
const SETTINGS = "spice.settings";
const MOST_MACHINES = 32;
/** What is kept of a machine, and of which type. */
const FIELDS = { host: "string", port: "number", url: "string", direct: "boolean", demo: "boolean", name: "string",
    scaling: "string", hidpi: "boolean", viewOnly: "boolean", natural: "boolean", layout: "string", share: "boolean" };

export function readMachines() {
    const list = read(MACHINES);
    return Array.isArray(list) ? list.slice(0, MOST_MACHINES).map(clean).filter(Boolean) : [];
}

export function writeMachines(list, selected) {
    const kept = list.map(clean);
    write(MACHINES, kept.filter(Boolean).slice(0, MOST_MACHINES));
    write(`${MACHINES}.selected`, kept.slice(0, Math.max(selected, 0)).filter(Boolean).length);
}

export function readSelected() {
    const index = read(`${MACHINES}.selected`);
    return Number.isInteger(index) && index >= 0 ? index : 0;
}

export function readSettings() {
    const settings = read(SETTINGS);
    const text = (value) => (typeof value === "string" ? value : undefined);
    return { language: text(settings?.language), theme: text(settings?.theme) };
}

export function writeSettings(settings) {
    write(SETTINGS, settings);
}

/** Only what is known, without anything secret; null when no address is left. */
function clean(machine) {
    if (machine?.passing) {
        return null;
    }
    const kept = {};
    for (const [name, type] of Object.entries(FIELDS)) {
        if (typeof machine?.[name] === type) {
            kept[name] = machine[name];
        }
    }
    if (kept.url) {
        try {
            const url = new URL(kept.url, document.baseURI);
            // A query may hold a token or more, an address a password.
            if (url.username || url.password || url.search || url.hash) {
                return null;
            }
        } catch {
            return null;
        }
    }
    return kept.url || kept.host || kept.demo ? kept : null;
}

function read(name) {
    try {
        return JSON.parse(localStorage.getItem(name));
    } catch {
        return null;
    }
}

function write(name, value) {
    try {
        localStorage.setItem(name, JSON.stringify(value));
    } catch {
        // A browser that keeps nothing is no reason to fail.
    }
}
