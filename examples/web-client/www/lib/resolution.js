// The guest's resolution: as the application asks, or after the room on the page. Part of <spice-desktop>.

const FOLLOW_MS = 250;

export class Resolution {
    #desktop;
    #view;
    #timer = 0;
    /** What was asked for before there was a guest to ask: { size, resolve, reject }. Only the last one counts. */
    #wish = null;

    /**
     * `desktop`: ask(method, ...) asks the library, emit(name, detail) fires; `isConnected`, `hasAgent`; `follows` says whether the
     * guest is to follow the room of `view`.
     */
    constructor(desktop, view) {
        this.#desktop = desktop;
        this.#view = view;
    }

    /** Asks the guest for a resolution, now or once it is there. Resolves with the width and height that it has in the end. */
    set(width, height) {
        // X servers take widths in steps of 8 only, and no screen smaller than this.
        const size = [Math.max(320, width & ~7), Math.max(200, Math.trunc(height))];
        this.over(new Error("another resolution took its place"));
        if (this.#desktop.isConnected) {
            return this.#desktop.ask("setResolution", ...size);
        }
        const wish = { size };
        const promise = new Promise((resolve, reject) => Object.assign(wish, { resolve, reject }));
        // Whoever does not wait for it hears of the end by `disconnect`.
        promise.catch(() => {});
        this.#wish = wish;
        return promise;
    }

    /** There may be a guest to ask from now on. */
    able() {
        if (this.#wish && this.#isAble) {
            const { size, resolve } = this.#wish;
            this.#wish = null;
            resolve(this.#desktop.ask("setResolution", ...size));
        }
        this.follow();
    }

    /** Nobody will be asked for what was asked for before. */
    over(error) {
        this.#wish?.reject(error);
        this.#wish = null;
    }

    /** The room on the page may be another one. */
    follow() {
        clearTimeout(this.#timer);
        if (!this.#follows) {
            return;
        }
        this.#timer = setTimeout(() => {
            if (!this.#follows) {
                return;
            }
            const [width, height] = this.#view.room;
            const [isWidth, isHeight] = this.#view.screen;
            if (width > 0 && height > 0 && (width !== isWidth || height !== isHeight)) {
                this.set(width, height).catch((error) => this.#desktop.emit("trouble", { text: error.message }));
            }
        }, FOLLOW_MS);
    }

    get #follows() {
        return this.#desktop.follows && this.#isAble;
    }

    get #isAble() {
        return this.#desktop.isConnected && this.#desktop.hasAgent;
    }
}
