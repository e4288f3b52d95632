// Texts in the user's language, from the message files.

const KNOWN = ["en", "de", "zh"];
let texts = {};
let fallback = null;

/** The best of the known languages for a list of wishes. */
export function language(wishes) {
    for (const wish of wishes ?? []) {
        const known = KNOWN.find((name) => wish.toLowerCase().split("-")[0] === name);
        if (known) {
            return known;
        }
    }
    return KNOWN[0];
}

export async function setLanguage(name) {
    const wanted = KNOWN.includes(name) ? name : KNOWN[0];
    fallback ??= await load(KNOWN[0]);
    texts = wanted === KNOWN[0] ? fallback : await load(wanted).catch(() => fallback);
    document.documentElement.lang = wanted;
}

async function load(name) {
    const answer = await fetch(new URL(`../messages/${name}.json`, import.meta.url));
    if (!answer.ok) {
        throw new Error(`${answer.url}: ${answer.status}`);
    }
    return answer.json();
}

/** The text of that name, with {values} put in. */
export function t(name, values = {}) {
    const text = texts[name] ?? fallback?.[name] ?? name;
    return text.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
}

/** Whether there is such a text. */
export function has(name) {
    return Boolean(fallback && name in fallback);
}

/** A combination of keys, each by the name that it has on keyboards of the user's language. */
export function keyNames(combination) {
    return combination.split("+").map((key) => (has(`key.${key}`) ? t(`key.${key}`) : key)).join("+");
}

/** Fills the texts that a part of the page asks for by its attributes. */
export function fillTexts(root) {
    for (const element of root.querySelectorAll("[data-i18n]")) {
        element.textContent = t(element.dataset.i18n);
    }
    for (const element of root.querySelectorAll("[data-i18n-keys]")) {
        element.textContent = keyNames(element.dataset.i18nKeys);
    }
    for (const element of root.querySelectorAll("[data-i18n-title]")) {
        element.title = t(element.dataset.i18nTitle);
        element.setAttribute("aria-label", element.title);
    }
    for (const element of root.querySelectorAll("[data-i18n-label]")) {
        element.setAttribute("aria-label", t(element.dataset.i18nLabel));
    }
}
