// Says so when the page does not start: in browsers that are too old for it, and when one of its files does not arrive.
// This file alone is written for old browsers.
(function () {
    function tell() {
        var able = typeof WebAssembly === "object" && "noModule" in document.createElement("script");
        var note = document.getElementById(able ? "broken" : "unsupported");
        if (note && document.documentElement.getAttribute("data-loaded") === null) {
            note.removeAttribute("hidden");
            note.style.display = "block";
        }
    }
    if (document.readyState === "complete") {
        tell();
    } else {
        // Modules have run by then, if they run at all.
        window.addEventListener("load", tell);
    }
})();
