// The page: starts when the browser can do what it takes, otherwise says so.

import { able } from "./able.js";
import { fillTexts, language, setLanguage, t } from "./i18n.js";
import { Machines } from "./machines.js";
import { readSettings, writeSettings } from "./store.js";
import { setUpToolbar } from "./toolbar.js";

// What stands in for the page otherwise, see legacy.js.
document.documentElement.dataset.loaded = "";
if (able) {
    start().catch((error) => {
        console.error(error);
        document.getElementById("broken").hidden = false;
    });
} else {
    document.getElementById("unsupported").hidden = false;
}

async function start() {
    const settings = readSettings();
    applyTheme(settings.theme);
    await setLanguage(settings.language ?? language(navigator.languages));
    fillTexts(document);
    document.getElementById("page").hidden = false;
    const machines = new Machines(query());
    setUpToolbar(machines);
    choices(settings, machines);
    machines.begin();
}

/** What the page's address asks for; a token may also stand behind #, where no server and no log sees it. */
function query() {
    const query = new URLSearchParams(location.search);
    const token = new URLSearchParams(location.hash.slice(1)).get("token");
    if (token) {
        query.set("token", token);
    }
    // Secrets leave the address bar and the history.
    if (query.has("token") || /[?#@]/.test(query.get("url") ?? "")) {
        history.replaceState(null, "", location.pathname);
    }
    return query;
}

/** Language and colours. */
function choices(settings, machines) {
    const languages = document.getElementById("language");
    languages.value = document.documentElement.lang;
    languages.addEventListener("change", async () => {
        await setLanguage(languages.value);
        settings.language = languages.value;
        writeSettings(settings);
        fillTexts(document);
        machines.translate();
    });
    const themes = document.getElementById("theme");
    themes.value = settings.theme ?? "auto";
    themes.addEventListener("change", () => {
        settings.theme = themes.value;
        writeSettings(settings);
        applyTheme(settings.theme);
    });
    document.title = t("title");
}

function applyTheme(theme) {
    if (theme === "light" || theme === "dark") {
        document.documentElement.dataset.theme = theme;
    } else {
        delete document.documentElement.dataset.theme;
    }
}
