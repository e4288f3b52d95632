// One tab's machine: its screen, what covers it while there is none, and its form.

import "../lib/desktop.js";
import { destination, target } from "./asked.js";
import { fillTexts, has, t } from "./i18n.js";
import { toast } from "./toasts.js";

let serial = 0;
const MODE_MS = 2500;

/** So many of something in so many milliseconds. */
class Budget {
    #most;
    #ms;
    #since = 0;
    #count = 0;

    constructor(most, ms) {
        this.#most = most;
        this.#ms = ms;
    }

    take() {
        const now = Date.now();
        if (now - this.#since > this.#ms) {
            this.#since = now;
            this.#count = 0;
        }
        this.#count += 1;
        return this.#count <= this.#most;
    }
}

export class Machine extends EventTarget {
    #part;
    #covers;
    #failure = null;

    /** `record` is what is kept of it: { host, port, url, direct, demo, token, name, … }. */
    constructor(record, options) {
        super();
        this.record = record;
        this.id = `machine-${++serial}`;
        const fragment = document.importNode(document.getElementById("machine").content, true);
        this.panel = fragment.querySelector(".machine");
        this.panel.id = this.id;
        this.#part = (name) => this.panel.querySelector(`.${name}`);
        this.desktop = this.#part("desktop");
        if (options.renderer) {
            this.desktop.setAttribute("renderer", options.renderer);
        }
        this.#covers = ["connecting", "failed", "ask", "new", "foreign"].map((name) => this.#part(`cover.${name}`));
        this.#labels();
        fillTexts(this.panel);
        document.getElementById("machines").append(this.panel);
        this.apply();
        this.#listen();
        this.cover(this.hasAddress ? null : "new");
    }

    get hasAddress() {
        const { host, url, token, demo } = this.record;
        return Boolean(host || url || token || demo);
    }

    get title() {
        return this.record.name || this.address || t("tab.new");
    }

    /** The address as it may be shown. */
    get address() {
        const { host, port, url, demo, token } = this.record;
        if (demo) {
            return t("demo.name");
        }
        if (host) {
            return `${host}:${port}`;
        }
        if (url) {
            try {
                return new URL(url, document.baseURI).host;
            } catch {
                return url;
            }
        }
        return token ? location.host : "";
    }

    connect(password) {
        this.desktop.connect({ ...target(this.record), ...(password === undefined ? {} : { password }) }).catch(() => {});
    }

    /** What it is called where a user has to know who asks: the server chooses its name, not its address. */
    get known() {
        const { name } = this.record;
        return name && this.address && name !== this.address ? `${name} (${this.address})` : this.title;
    }

    reconnect() {
        this.desktop.reconnect().catch(() => {});
    }

    close() {
        this.desktop.disconnect();
        this.panel.remove();
    }

    /** Takes up the record's settings. */
    apply() {
        const { scaling, hidpi, viewOnly } = this.record;
        this.desktop.scaling = scaling ?? "fit";
        this.desktop.hidpi = Boolean(hidpi);
        this.desktop.viewOnly = Boolean(viewOnly);
        this.desktop.naturalScroll = Boolean(this.record.natural);
        this.desktop.keyboardLayout = this.record.layout ?? "us";
        this.desktop.shareClipboard = Boolean(this.record.share);
    }

    translate() {
        fillTexts(this.panel);
        if (this.covered === "failed") {
            this.#tellFailure();
        } else if (this.covered === "foreign") {
            this.doubt();
        }
    }

    /** Lays one of the covers over the screen, or none. */
    cover(name) {
        for (const cover of this.#covers) {
            cover.hidden = !cover.classList.contains(name ?? "-");
        }
        this.covered = name;
    }

    /** A link has brought the address, and it leads elsewhere: the user decides. */
    doubt() {
        this.#part("foreign-text").textContent = t("foreign.text", { name: destination(this.record)?.host ?? this.address });
        this.cover("foreign");
    }

    focus() {
        const field = this.covered === "new" ? this.#part("host")
            : this.covered === "ask" ? this.#part("password")
                : this.covered === "failed" ? this.#part("failed-retry")
                    : this.covered === "foreign" ? this.#part("foreign-cancel") : this.desktop;
        field.focus();
    }

    /** Ties labels to fields; ids have to differ between machines. */
    #labels() {
        for (const name of ["host", "port", "new-password", "url", "password"]) {
            this.#part(name).id = `${this.id}-${name}`;
            this.#part(`${name}-label`).htmlFor = `${this.id}-${name}`;
        }
    }

    #listen() {
        const desktop = this.desktop;
        const on = (name, act) => desktop.addEventListener(name, ({ detail }) => act(detail));
        on("statechange", ({ state }) => {
            if (state === "connecting" && this.covered !== "connecting") {
                this.#waitFor(t("connecting", { name: this.title }));
            }
            this.#changed();
        });
        on("connect", () => {
            const had = this.panel.contains(document.activeElement);
            this.cover(null);
            if (had || document.activeElement === document.body) {
                this.#taken();
            }
            this.#changed();
        });
        on("desktopname", ({ name }) => {
            if (!this.record.demo) {
                this.record.name = name.slice(0, 80);
            }
            this.#changed();
        });
        on("reconnecting", ({ attempt, seconds }) => {
            this.#waitFor(t("waiting", { attempt, seconds }));
        });
        on("credentialsrequired", ({ wrong }) => {
            this.#part("password-text").textContent =
                wrong ? t("password.wrong", { name: this.known }) : t("password.missing", { name: this.known });
            this.#part("password").value = "";
            this.cover("ask");
            this.#taken();
        });
        on("disconnect", ({ code, reason }) => {
            this.#fail(code, reason);
            this.#changed();
        });
        on("transfer", ({ transfer }) => this.dispatchEvent(new CustomEvent("transfer", { detail: transfer })));
        on("clipboardrefused", () => this.dispatchEvent(new Event("clipboardrefused")));
        on("clipboard", (clipboard) => this.dispatchEvent(new CustomEvent("clipboard", { detail: clipboard })));
        on("download", ({ name }) => toast(t("download.received", { name })));
        on("idle", ({ seconds }) => toast(t("idle", { minutes: Math.round(seconds / 60) })));
        // A server may say a lot.
        const said = new Budget(20, 10000);
        on("notice", ({ severity, text }) => {
            if (said.take()) {
                severity === "error" ? toast(text.slice(0, 500)) : console.info("spice:", text);
            }
        });
        on("trouble", ({ text }) => said.take() && console.info("spice:", text));
        on("wake", () => toast(t("wake")));
        let told = 0;
        on("mousemode", ({ absolute }) => {
            clearTimeout(told);
            // Most machines only begin like that.
            if (!absolute && matchMedia("(pointer: fine)").matches) {
                told = setTimeout(() => {
                    if (desktop.state === "connected" && this.panel.classList.contains("selected")) {
                        toast(t("pointer.lock"));
                    }
                }, MODE_MS);
            }
        });
        this.#forms();
    }

    #forms() {
        const form = this.#part("connect-form");
        form.addEventListener("submit", (event) => {
            event.preventDefault();
            this.#submit();
        });
        this.#part("demo").addEventListener("click", () => {
            this.record = { demo: true };
            this.connect("");
        });
        this.#part("password-form").addEventListener("submit", (event) => {
            event.preventDefault();
            const field = this.#part("password");
            const password = field.value;
            field.value = "";
            this.desktop.sendCredentials({ password }).catch(() => {});
        });
        this.#part("password-cancel").addEventListener("click", () => this.desktop.disconnect());
        this.#part("foreign-connect").addEventListener("click", () => this.connect());
        this.#part("foreign-cancel").addEventListener("click", () => {
            this.record = {};
            this.edit();
            this.#changed();
        });
        this.#part("failed-retry").addEventListener("click", () => this.reconnect());
        this.#part("failed-edit").addEventListener("click", () => this.edit());
        this.#part("connecting-cancel").addEventListener("click", () => this.desktop.disconnect());
    }

    /** Shows the form with the address to change. */
    edit() {
        this.#part("host").value = this.record.host ?? "";
        this.#part("port").value = this.record.port ?? "";
        this.#part("url").value = this.record.url ?? "";
        this.#part("direct").checked = Boolean(this.record.direct);
        this.cover("new");
        this.#part("host").focus();
    }

    #submit() {
        const value = (name) => this.#part(name).value.trim();
        const [host, port, url] = [value("host"), value("port"), value("url")];
        const error = this.#part("form-error");
        error.hidden = true;
        if (!url && !(host && port)) {
            error.textContent = t("new.nothing");
            error.hidden = false;
            return;
        }
        const { scaling, hidpi, viewOnly, natural, share, layout } = this.record;
        const address = url ? { url } : { host, port: Number(port), direct: this.#part("direct").checked };
        this.record = { scaling, hidpi, viewOnly, natural, share, layout, ...address };
        const password = this.#part("new-password").value;
        this.#part("new-password").value = "";
        this.connect(password);
    }

    #waitFor(text) {
        this.#part("connecting-text").textContent = text;
        this.cover("connecting");
    }

    #fail(code, reason) {
        this.#failure = { code: has(`error.${code}`) ? code : "failed", reason };
        this.#tellFailure();
        this.cover("failed");
        this.#taken();
    }

    #tellFailure() {
        const { code, reason } = this.#failure;
        this.#part("failed-title").textContent = t(`error.${code}`, { name: this.title });
        this.#part("failed-next").textContent = t(`error.${code}.next`, { name: this.title });
        const detail = this.#part("failed-detail");
        detail.textContent = reason ?? "";
        detail.hidden = !reason;
    }

    /** The keyboard goes where something can be done, if the user is here. */
    #taken() {
        if (this.panel.classList.contains("selected")) {
            this.focus();
        }
    }

    #changed() {
        this.dispatchEvent(new Event("change"));
    }
}
