// WebKitGTK by W3C WebDriver, behind as much of the calls that driver.mjs makes as the tests of this browser need.

import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";

/** Where Debian puts it. */
const TRIPLET = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" }[process.arch];
const BROWSER = process.env.WEBKIT ?? `/usr/lib/${TRIPLET}/webkit2gtk-4.1/MiniBrowser`;
const START_MS = 30000;
/** Codes of keys that have no character, for WebDriver. */
const KEYS = { Shift: "\uE008", Control: "\uE009", Alt: "\uE00A", Enter: "\uE007", Escape: "\uE00C", Tab: "\uE004",
    ArrowLeft: "\uE012", ArrowUp: "\uE013", ArrowRight: "\uE014", ArrowDown: "\uE015", Space: " " };
const BUTTONS = { left: 0, middle: 1, right: 2 };

/** Starts the driver and the browser; it needs a display. */
export async function launch() {
    const port = await freePort();
    const driver = spawn("WebKitWebDriver", [`--port=${port}`], { stdio: ["ignore", "inherit", "inherit"] });
    const call = async (method, path, body) => {
        const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: body && JSON.stringify(body) });
        const { value } = await answer.json();
        if (value?.error) {
            throw new Error(`${value.error}: ${value.message}`);
        }
        return value;
    };
    await ready(() => call("GET", "/status"));
    const options = { binary: BROWSER, args: ["--automation"] };
    const session = await call("POST", "/session", {
        capabilities: { alwaysMatch: { "webkitgtk:browserOptions": options } },
    });
    const base = `/session/${session.sessionId}`;
    await call("POST", `${base}/timeouts`, { script: 60000, pageLoad: 60000 });
    return {
        version: () => `${session.capabilities.browserName} ${session.capabilities.browserVersion}`,
        page: async () => new Page((method, path, body) => call(method, base + path, body)),
        close: async () => {
            await call("DELETE", base).catch(() => {});
            driver.kill();
        },
    };
}

class Page {
    #call;
    #place = [0, 0];
    mouse;
    keyboard;

    constructor(call) {
        this.#call = call;
        const pointer = (actions) => this.#act({ type: "pointer", id: "mouse", parameters: { pointerType: "mouse" }, actions });
        this.mouse = {
            move: (x, y) => {
                this.#place = [Math.round(x), Math.round(y)];
                return pointer([{ type: "pointerMove", duration: 0, x: this.#place[0], y: this.#place[1] }]);
            },
            down: ({ button }) => pointer([{ type: "pointerDown", button: BUTTONS[button] }]),
            up: ({ button }) => pointer([{ type: "pointerUp", button: BUTTONS[button] }]),
            wheel: (deltaX, deltaY) => {
                const [x, y] = this.#place;
                return this.#act({ type: "wheel", id: "wheel", actions: [{ type: "scroll", x, y, deltaX, deltaY }] });
            },
        };
        const key = (...actions) => this.#act({ type: "key", id: "keyboard", actions });
        const down = (name) => ({ type: "keyDown", value: KEYS[name] ?? name });
        const up = (name) => ({ type: "keyUp", value: KEYS[name] ?? name });
        this.keyboard = {
            down: (name) => key(down(name)),
            up: (name) => key(up(name)),
            press: (name) => key(down(name), up(name)),
            type: (text) => key(...[...text].flatMap((character) => [down(character), up(character)])),
        };
    }

    goto(url) {
        return this.#call("POST", "/url", { url });
    }

    /** `code` is an expression; promises are waited for. */
    async evaluate(code) {
        const script = `const done = arguments[0];
            Promise.resolve().then(() => ${code}).then((value) => done({ value }), (error) => done({ error: String(error) }));`;
        const { value, error } = await this.#call("POST", "/execute/async", { script, args: [] });
        if (error) {
            throw new Error(error);
        }
        return value;
    }

    async screenshot({ path }) {
        await writeFile(path, Buffer.from(await this.#call("GET", "/screenshot"), "base64"));
    }

    async click(selector) {
        await this.#call("POST", `/element/${await this.#find(selector)}/click`, {});
    }

    focus(selector) {
        return this.evaluate(`document.querySelector(${JSON.stringify(selector)}).focus()`);
    }

    async resize(width, height) {
        await this.#call("POST", "/window/rect", { width, height });
    }

    bringToFront() {}

    async close() {
        await this.goto("about:blank");
    }

    async #find(selector) {
        const found = await this.#call("POST", "/element", { using: "css selector", value: selector });
        return Object.values(found)[0];
    }

    #act(...actions) {
        return this.#call("POST", "/actions", { actions });
    }
}

function freePort() {
    return new Promise((resolve) => {
        const server = createServer().listen(0, "127.0.0.1", () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

async function ready(ask) {
    const end = Date.now() + START_MS;
    for (;;) {
        try {
            return await ask();
        } catch (error) {
            if (Date.now() > end) {
                throw error;
            }
            await new Promise((resolve) => setTimeout(resolve, 100));
        }
    }
}
