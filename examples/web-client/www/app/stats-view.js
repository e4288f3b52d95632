// The numbers in the corner, once a second.

import { t } from "./i18n.js";

const EVERY_MS = 1000;

export class StatsView {
    #list;
    #machines;
    #timer = 0;
    #last = null;

    constructor(list, machines) {
        this.#list = list;
        this.#machines = machines;
    }

    show(on) {
        clearInterval(this.#timer);
        this.#list.hidden = !on;
        this.restart();
        if (on) {
            this.#timer = setInterval(() => this.#tick(), EVERY_MS);
            this.#tick();
        }
    }

    /** Another machine or connection: its counts begin anew. */
    restart() {
        this.#last = null;
    }

    async #tick() {
        const { desktop } = this.#machines.selected;
        const stats = await desktop.stats();
        if (!stats) {
            this.#fill([]);
            return;
        }
        const now = { ...stats, time: performance.now() };
        const last = this.#last && this.#last.messages <= now.messages ? this.#last : null;
        this.#last = now;
        const seconds = last ? (now.time - last.time) / 1000 : 1;
        const since = (name) => now[name] - (last?.[name] ?? 0);
        const frames = since("frames");
        const each = (name) => (frames > 0 ? `${(since(name) / frames).toFixed(1)} ms` : "–");
        const images = Object.entries(stats.images).filter(([, count]) => count > 0);
        const all = images.reduce((sum, [, count]) => sum + count, 0);
        images.sort(([, a], [, b]) => b - a);
        const [width, height] = desktop.screenSize;
        this.#fill([
            ["stats.fps", last ? (frames / seconds).toFixed(0) : "–"],
            ["stats.received", `${bytes(since("received") / seconds)}/s, ${bytes(stats.received)}`],
            ["stats.sent", bytes(stats.sent)],
            ["stats.latency", stats.answerMs ? `${stats.answerMs.toFixed(0)} ms` : "–"],
            ["stats.decode", each("drawMs")],
            ["stats.show", each("showMs")],
            ["stats.codecs", images.map(([name, count]) => `${name} ${Math.round((count / all) * 100)} %`).join(", ") || "–"],
            ["stats.dropped", stats.images.video + stats.dropped > 0 ? `${stats.dropped} / ${stats.images.video + stats.dropped}` : "–"],
            ["stats.screen", `${width} × ${height}`],
            ["stats.memory", bytes(stats.surfaceBytes)],
            ["stats.renderer", stats.renderer],
        ]);
    }

    #fill(rows) {
        const parts = rows.flatMap(([name, value]) => {
            const [term, description] = [document.createElement("dt"), document.createElement("dd")];
            term.textContent = t(name);
            description.textContent = value;
            description.dataset.stat = name.slice("stats.".length);
            return [term, description];
        });
        this.#list.firstElementChild.replaceChildren(...parts);
    }
}

export function bytes(count) {
    const units = ["B", "kB", "MB", "GB"];
    let unit = 0;
    let value = count;
    while (value >= 1000 && unit < units.length - 1) {
        value /= 1000;
        unit += 1;
    }
    return `${value.toFixed(unit && value < 100 ? 1 : 0)} ${units[unit]}`;
}
