// The page: starts when the browser can do what it takes, otherwise says so.

import { able } from "./able.js";
import { fillTexts, language, setLanguage, t } from "./i18n.js";
import { Machines } from "./machines.js";
import { readSettings, writeSettings } from "./store.js";
import { setUpToolbar } from "./toolbar.js";

if (able) {
    start();
} else {
    document.getElementById("unsupported").hidden = false;
}

async function start() {
    const settings = readSettings();
    applyTheme(settings.theme);
    await setLanguage(settings.language ?? language(navigator.languages));
    fillTexts(document);
    document.getElementById("page").hidden = false;
    const machines = new Machines(new URLSearchParams(location.search));
    setUpToolbar(machines);
    choices(settings, machines);
    machines.begin();
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
