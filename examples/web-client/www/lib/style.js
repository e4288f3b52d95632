// The look of <spice-desktop>'s inside. A constructed sheet, so that a strict Content-Security-Policy takes it.

const CSS = `
:host { display: block; position: relative; overflow: hidden; background: var(--spice-background, #1b1d21);
    min-width: 1px; min-height: 1px; contain: strict; }
:host([hidden]) { display: none; }
.viewport { position: absolute; inset: 0; overflow: hidden; outline: none; touch-action: none;
    -webkit-user-select: none; user-select: none; }
.stage { position: absolute; left: 0; top: 0; transform-origin: 0 0; }
.stage[hidden] { display: none; }
.stage.crisp .screen { image-rendering: pixelated; }
.screen { display: block; width: 100%; height: 100%; transition: filter 0.3s; }
.stage.frozen .screen { filter: grayscale(0.8) brightness(0.7); }
.pointer { position: absolute; left: 0; top: 0; pointer-events: none; transform-origin: 0 0; }
.inverse { mix-blend-mode: difference; }
.pointer[hidden] { display: none; }
.keys { position: absolute; left: 0; top: 0; width: 1px; height: 1px; margin: 0; padding: 0; border: 0; opacity: 0;
    resize: none; overflow: hidden; white-space: pre; pointer-events: none; caret-color: transparent; font-size: 16px; }
.viewport.focused { outline: var(--spice-focus, 2px solid #4c9bff); outline-offset: -2px; }
@media (prefers-reduced-motion: reduce) { .screen { transition: none; } }
`;

let sheet = null;

export function styleSheet() {
    if (!sheet) {
        sheet = new CSSStyleSheet();
        sheet.replaceSync(CSS);
    }
    return sheet;
}
