// Drives one browser for the tests: a request a line on standard input, an answer a line on standard output.
//
// node driver.mjs chromium|firefox|webkit PROFILE_FOLDER
//
// Request: { id, op, … }; answer: { id, value } or { id, error }. Pages have names that the tests choose.

import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [kind, profile] = process.argv.slice(2);

/** Headless, as root, without anything that talks to the network by itself. */
const CHROMIUM_FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding",
];

/** Functions that send commands to a page's thread and to each of its workers; `end` lets go of them. */
async function threads(session) {
    const workers = [];
    const answers = new Map();
    let next = 1;
    session.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
        if (targetInfo.type !== "worker") {
            return;
        }
        workers.push((method, params = {}) => new Promise((resolve, reject) => {
            const id = next++;
            answers.set(id, { resolve, reject });
            session.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify({ id, method, params }) }).catch(reject);
        }));
    });
    session.on("Target.receivedMessageFromTarget", ({ message }) => {
        const { id, result, error } = JSON.parse(message);
        const answer = answers.get(id);
        answers.delete(id);
        error ? answer?.reject(new Error(error.message)) : answer?.resolve(result);
    });
    await session.send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
    const all = [(method, params) => session.send(method, params), ...workers];
    all.end = () => session.detach();
    return all;
}

/** In place of what a browser's driver cannot do. */
function none() {
    throw new Error(`not with ${kind}`);
}

/** Two libraries and WebDriver behind one set of calls. */
const browsers = {
    async chromium() {
        const { chromium } = await import("playwright-core");
        const sessions = new Map();
        const context = await chromium.launchPersistentContext(profile, {
            executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
            args: CHROMIUM_FLAGS,
            chromiumSandbox: false,
            acceptDownloads: true,
            ignoreHTTPSErrors: true,
            hasTouch: process.env.BROWSER_TOUCH === "1",
            deviceScaleFactor: Number(process.env.BROWSER_SCALE ?? 1),
            viewport: { width: 1200, height: 900 },
        });
        return {
            version: () => context.browser()?.version() ?? "",
            page: async () => {
                const page = await context.newPage();
                return { page, listen: (name, act) => page.on(name, act) };
            },
            size: (page, width, height) => page.setViewportSize({ width, height }),
            grant: (origin, permissions) => context.grantPermissions(permissions, { origin }),
            files: (page, selector, paths) => page.setInputFiles(selector, paths),
            touch: async (page, type, points) => {
                // Fingers that are down belong to a session.
                const session = sessions.get(page) ?? await context.newCDPSession(page);
                sessions.set(page, session);
                const touchPoints = points.map(([x, y], id) => ({ x, y, id }));
                await session.send("Input.dispatchTouchEvent", { type, touchPoints });
            },
            metrics: async (page) => {
                const session = await context.newCDPSession(page);
                await session.send("Performance.enable");
                const { metrics } = await session.send("Performance.getMetrics");
                await session.detach();
                return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
            },
            compose: async (page, steps) => {
                const session = await context.newCDPSession(page);
                for (const text of steps) {
                    await session.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
                }
                await session.send("Input.insertText", { text: steps.at(-1) });
                await session.detach();
            },
            threads: async (page) => threads(await context.newCDPSession(page)),
            script: (page, code) => page.addInitScript(code),
            wheel: (page, x, y) => page.mouse.wheel(x, y),
            close: () => context.close(),
        };
    },
    async firefox() {
        const { default: puppeteer } = await import("puppeteer-core");
        const browser = await puppeteer.launch({
            browser: "firefox",
            executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
            headless: true,
            userDataDir: profile,
            defaultViewport: { width: 1200, height: 900 },
            extraPrefsFirefox: JSON.parse(process.env.BROWSER_PREFS ?? "{}"),
        });
        return {
            version: () => browser.version(),
            page: async () => {
                const page = await browser.newPage();
                return { page, listen: (name, act) => page.on(name, act) };
            },
            size: (page, width, height) => page.setViewport({ width, height }),
            grant: () => undefined,
            files: async (page, selector, paths) => (await page.$(selector)).uploadFile(...paths),
            touch: none,
            compose: none,
            metrics: none,
            threads: none,
            script: (page, code) => page.evaluateOnNewDocument(code),
            wheel: (page, deltaX, deltaY) => page.mouse.wheel({ deltaX, deltaY }),
            close: () => browser.close(),
        };
    },
    async webkit() {
        const { launch } = await import("./webkit.mjs");
        const browser = await launch();
        return {
            version: browser.version,
            // It tells neither of the console nor of errors.
            page: async () => ({ page: await browser.page(), listen: () => {} }),
            size: (page, width, height) => page.resize(width, height),
            grant: () => undefined,
            files: none,
            touch: none,
            compose: none,
            metrics: none,
            threads: none,
            script: none,
            wheel: (page, x, y) => page.mouse.wheel(x, y),
            close: browser.close,
        };
    },
};

const browser = await browsers[kind]();
const pages = new Map();

/** Characters of an American keyboard that take Shift. */
const SHIFTED = /[A-Z~!@#$%^&*()_+{}|:"<>?]/;

/** Types as a person does: the libraries' own typing makes capitals without touching Shift. */
async function type({ keyboard }, text) {
    for (const character of text) {
        if (SHIFTED.test(character)) {
            await keyboard.down("Shift");
            await keyboard.press(character);
            await keyboard.up("Shift");
        } else {
            await keyboard.press(character === " " ? "Space" : character);
        }
    }
}

/** What a page says: errors fail tests, so they are kept. */
async function open(name) {
    const { page, listen } = await browser.page();
    const said = [];
    listen("console", (message) => said.push(`${message.type()}: ${message.text()}`));
    listen("pageerror", (error) => said.push(`pageerror: ${error.message}`));
    listen("crash", () => said.push("pageerror: the page crashed"));
    pages.set(name, { page, said });
    return page;
}

const operations = {
    version: () => browser.version(),
    /** `script` runs in the page before its own. */
    goto: async ({ name, url, script }) => {
        const page = pages.get(name)?.page ?? await open(name);
        if (script) {
            await browser.script(page, script);
        }
        // The demo and live desktops never stop loading; the page's own event is enough.
        await page.goto(url, { waitUntil: "load", timeout: 60000 });
    },
    close: async ({ name }) => {
        await pages.get(name).page.close();
        pages.delete(name);
    },
    said: ({ name }) => pages.get(name).said,
    front: ({ name }) => pages.get(name).page.bringToFront(),
    /** `code` is the body of an async function that runs in the page. */
    run: ({ name, code }) => pages.get(name).page.evaluate(`(async () => { ${code} })()`),
    /** As `run`, but its value is base64 and goes to a file. */
    save: async ({ name, code, file }) => {
        const text = await pages.get(name).page.evaluate(`(async () => { ${code} })()`);
        await writeFile(file, Buffer.from(text, "base64"));
    },
    shot: async ({ name, file }) => {
        await pages.get(name).page.screenshot({ path: file });
    },
    size: ({ name, width, height }) => browser.size(pages.get(name).page, width, height),
    grant: ({ origin, permissions }) => browser.grant(origin, permissions),
    files: ({ name, selector, paths }) => browser.files(pages.get(name).page, selector, paths),
    touch: ({ name, type, points }) => browser.touch(pages.get(name).page, type, points),
    /** What an input method shows while it composes, one text after the other; the last one is taken. */
    compose: ({ name, steps }) => browser.compose(pages.get(name).page, steps),
    metrics: ({ name }) => browser.metrics(pages.get(name).page),
    /** Bytes of the JavaScript heaps of the page and of its workers, after a collection. */
    heaps: async ({ name }) => {
        const all = await browser.threads(pages.get(name).page);
        const heaps = await Promise.all(all.map(async (send) => {
            await send("HeapProfiler.collectGarbage");
            return (await send("Runtime.getHeapUsage")).usedSize;
        }));
        await all.end();
        return heaps;
    },
    /** Takes the page's workers' WebGL contexts away and gives them back, as a graphics driver that restarts does. Returns how many. */
    loseContexts: async ({ name }) => {
        const all = await browser.threads(pages.get(name).page);
        let lost = 0;
        for (const send of all) {
            const { result: prototype } = await send("Runtime.evaluate", { expression: "WebGL2RenderingContext.prototype" });
            const { objects } = await send("Runtime.queryObjects", { prototypeObjectId: prototype.objectId });
            const { result } = await send("Runtime.callFunctionOn", {
                objectId: objects.objectId, awaitPromise: true, returnByValue: true,
                functionDeclaration: `async function () {
                    let lost = 0;
                    for (const gl of this) {
                        const extension = !gl.isContextLost() && gl.getExtension("WEBGL_lose_context");
                        if (!extension) continue;
                        lost += 1;
                        extension.loseContext();
                        await new Promise((resolve) => setTimeout(resolve, 100));
                        extension.restoreContext();
                    }
                    return lost;
                }`,
            });
            lost += result.value;
        }
        await all.end();
        return lost;
    },
    /** Where the workers' time goes for some seconds: the functions with the most time of their own, in milliseconds. */
    profile: async ({ name, seconds }) => {
        const all = await browser.threads(pages.get(name).page);
        const [, ...workers] = all;
        await Promise.all(workers.map((send) => send("Profiler.enable").then(() => send("Profiler.start"))));
        await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
        const own = new Map();
        for (const send of workers) {
            const { profile } = await send("Profiler.stop");
            const names = new Map(profile.nodes.map((node) => [node.id, node.callFrame.functionName || "(anonymous)"]));
            profile.samples.forEach((id, index) => {
                own.set(names.get(id), (own.get(names.get(id)) ?? 0) + profile.timeDeltas[index] / 1000);
            });
        }
        await all.end();
        return [...own].sort(([, a], [, b]) => b - a).slice(0, 40).map(([what, ms]) => `${ms.toFixed(0)} ms ${what}`);
    },
    mouse: ({ name, act, x, y, button, steps }) => {
        const { mouse } = pages.get(name).page;
        switch (act) {
            case "move": return mouse.move(x, y, { steps: steps ?? 1 });
            case "down": return mouse.down({ button });
            case "up": return mouse.up({ button });
            case "wheel": return browser.wheel(pages.get(name).page, x, y);
            default: throw new Error(`no such act: ${act}`);
        }
    },
    key: ({ name, act, key }) => {
        const { page } = pages.get(name);
        return act === "type" ? type(page, key) : page.keyboard[act](key);
    },
    click: ({ name, selector }) => pages.get(name).page.click(selector),
    fill: async ({ name, selector, text }) => {
        const { page } = pages.get(name);
        await page.focus(selector);
        await page.keyboard.type(text);
    },
    /** Violations of WCAG 2 and of axe's best practices, as one line each. */
    axe: async ({ name }) => {
        const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
        const { page } = pages.get(name);
        await page.evaluate(source);
        const found = await page.evaluate("axe.run().then(({ violations }) => violations)");
        return found.flatMap(({ id, help, nodes }) =>
            nodes.map((node) => `${id}: ${help}: ${node.target.join(" ")}: ${node.failureSummary}`));
    },
};

const write = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
write({ id: 0, value: await browser.version() });
for await (const line of createInterface({ input: process.stdin })) {
    const { id, op, ...rest } = JSON.parse(line);
    try {
        write({ id, value: (await operations[op](rest)) ?? null });
    } catch (error) {
        write({ id, error: String(error?.message ?? error) });
    }
}
await browser.close();
