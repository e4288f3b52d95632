// The guest's resolution: as the application asks, or after the room on the page. Part of <spice-desktop>.

const FOLLOW_MS = 250;

export class Resolution {
    #desktop;
    #view;
    #timer = 0;

    /** `desktop`: ask(method, ...) asks the library, emit(name, detail) fires; `follows` says whether the guest is to follow `view` now. */
    constructor(desktop, view) {
        this.#desktop = desktop;
        this.#view = view;
    }

    /** Asks the guest for a resolution. Resolves with the width and height that it has in the end. */
    async set(width, height) {
        // X servers take widths in steps of 8 only, and no screen smaller than this.
        const wanted = [Math.max(320, width & ~7), Math.max(200, Math.trunc(height))];
        return this.#desktop.ask("setResolution", ...wanted);
    }

    /** The room on the page may be another one. */
    follow() {
        clearTimeout(this.#timer);
        if (!this.#desktop.follows) {
            return;
        }
        this.#timer = setTimeout(() => {
            const [width, height] = this.#view.room;
            const [isWidth, isHeight] = this.#view.screen;
            if (width > 0 && height > 0 && (width !== isWidth || height !== isHeight)) {
                this.set(width, height).catch((error) => this.#desktop.emit("trouble", { text: error.message }));
            }
        }, FOLLOW_MS);
    }
}
