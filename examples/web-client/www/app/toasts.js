// Short notes at the lower edge.

const SHOWN_MS = 5000;
const MOST = 4;
const LONGEST = 300;

export function toast(text) {
    const list = document.getElementById("toasts");
    const note = document.createElement("div");
    note.className = "toast";
    note.textContent = text.slice(0, LONGEST);
    list.append(note);
    while (list.childElementCount > MOST) {
        list.firstElementChild.remove();
    }
    setTimeout(() => note.remove(), SHOWN_MS);
}
