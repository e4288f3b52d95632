// For browsers that are too old for the page: says so. This file alone is written for them.
(function () {
    function tell() {
        var note = document.getElementById("unsupported");
        if (note) {
            note.removeAttribute("hidden");
            note.style.display = "block";
        }
    }
    if (document.readyState === "loading") {
        document.addEventListener("DOMContentLoaded", tell);
    } else {
        tell();
    }
})();
