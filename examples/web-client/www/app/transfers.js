// Uploads: by dropping files on the screen or picking them, with progress and a way to stop.

import { has, t } from "./i18n.js";
import { toast } from "./toasts.js";

const KEPT_MS = 8000;

export function setUpTransfers(machines) {
    const picker = document.getElementById("upload-files");
    document.getElementById("upload-open").addEventListener("click", () => picker.click());
    picker.addEventListener("change", () => {
        upload(machines.selected, [...picker.files]);
        picker.value = "";
    });
    machines.addEventListener("transfer", ({ detail }) => follow(detail));
    // What misses the screen must not lead the browser away from the page.
    for (const name of ["dragover", "drop"]) {
        window.addEventListener(name, (event) => {
            if (event.dataTransfer?.types.includes("Files") && !event.defaultPrevented) {
                event.preventDefault();
                event.dataTransfer.dropEffect = "none";
            }
        });
    }
    const area = document.getElementById("machines");
    const mark = (on) => machines.selected?.panel.classList.toggle("dropping", on);
    area.addEventListener("dragover", (event) => {
        if (event.dataTransfer.types.includes("Files")) {
            event.preventDefault();
            event.dataTransfer.dropEffect = "copy";
            mark(true);
        }
    });
    area.addEventListener("dragleave", () => mark(false));
    area.addEventListener("drop", (event) => {
        event.preventDefault();
        mark(false);
        upload(machines.selected, [...event.dataTransfer.files]);
    });
}

function upload(machine, files) {
    if (files.length === 0) {
        return;
    }
    if (!machine.desktop.agentConnected) {
        toast(t("upload.noagent"));
        return;
    }
    for (const file of files) {
        machine.desktop.sendFile(file);
    }
}

/** Shows a transfer until some time after its end. */
function follow(transfer) {
    const list = document.getElementById("transfers");
    const make = (tag, className, parent) => {
        const element = document.createElement(tag);
        element.className = className;
        parent.append(element);
        return element;
    };
    const item = make("div", "transfer", list);
    const name = make("span", "name", item);
    name.textContent = transfer.name;
    name.title = transfer.name;
    const stop = make("button", "stop", item);
    stop.type = "button";
    stop.textContent = t("cancel");
    stop.setAttribute("aria-label", t("transfer.cancel", { name: transfer.name }));
    stop.addEventListener("click", () => transfer.cancel());
    const bar = make("progress", "progress", item);
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", transfer.name);
    list.hidden = false;
    transfer.onprogress = (sent, size) => {
        bar.value = size > 0 ? sent / size : 1;
    };
    const end = (text) => {
        name.textContent = text;
        toast(text);
        stop.remove();
        setTimeout(() => {
            item.remove();
            list.hidden = list.childElementCount === 0;
        }, KEPT_MS);
    };
    transfer.done.then(
        () => {
            bar.value = 1;
            end(t("transfer.done", { name: transfer.name }));
        },
        ({ code, message }) => {
            const known = `transfer.reason.${code}`;
            end(t("transfer.failed", { name: transfer.name, reason: has(known) ? t(known) : message }));
        },
    );
}
