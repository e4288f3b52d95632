import "../lib/desktop.js";
const desktop = document.getElementById("desktop");
desktop.style.cssText = "";
desktop.style.width = "1024px";
desktop.style.height = "768px";
window.desktop = desktop;
desktop.connect({}).then(() => console.log("complete"), (e) => console.log("failed", e.code, e.message));
