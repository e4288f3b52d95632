// The names that pages know from noVNC, in terms of the element's own.

/** The compression for each of noVNC's levels, 0 to 9: from the least work to the fewest bytes. */
const COMPRESSIONS = [
    "off", "lz4", "lz4", "auto-lz", "auto-lz", "auto-lz", "auto-glz", "auto-glz", "auto-glz", "auto-glz",
];
/** What takes the place of those among which a server may choose a compression with loss. */
const LOSSLESS = { "auto-lz": "lz", "auto-glz": "glz" };
const HIGHEST = 9;

/** Adds noVNC's names to an element. */
export const NoVncNames = (Base) => class extends Base {
    #quality = null;
    #compression = null;

    /** A key by its code, pressed, released, or both when `down` is left out. */
    sendKey(_keysym, code, down) {
        if (down === undefined) {
            this.sendKeys([code]);
        } else {
            this.sendKeyEvent(code, down);
        }
    }

    clipboardPasteFrom(text) {
        this.sendClipboardData(text).catch(() => {});
    }

    get scaleViewport() {
        return this.scaling !== "none";
    }

    set scaleViewport(scale) {
        this.scaling = scale ? "fit" : "none";
    }

    get resizeSession() {
        return this.scaling === "follow";
    }

    set resizeSession(follow) {
        if (Boolean(follow) !== this.resizeSession) {
            this.scaling = follow ? "follow" : "fit";
        }
    }

    get clipViewport() {
        return this.scaling === "none";
    }

    set clipViewport(clip) {
        this.scaling = clip ? "none" : "fit";
    }

    get background() {
        return this.style.getPropertyValue("--spice-background");
    }

    set background(colour) {
        this.style.setProperty("--spice-background", colour);
    }

    /** 0 to 9. At 9 pictures come without loss, below it as the server likes. Null until it is set. */
    get qualityLevel() {
        return this.#quality;
    }

    set qualityLevel(level) {
        this.#quality = checked(level);
        this.#prefer();
    }

    /** 0 (none) to 9 (fewest bytes). Null until it is set: the server chooses. */
    get compressionLevel() {
        return this.#compression;
    }

    set compressionLevel(level) {
        this.#compression = checked(level);
        this.#prefer();
    }

    /** As HTMLCanvasElement's. */
    toBlob(callback, type, quality) {
        this.screenshot(type, quality).then(callback, () => callback(null));
    }

    /** What is on the canvas now, as HTMLCanvasElement's. */
    toDataURL(type, quality) {
        return this.shownCanvas().toDataURL(type, quality);
    }

    #prefer() {
        const name = this.#compression === null ? "auto-glz" : COMPRESSIONS[this.#compression];
        const wish = this.#quality === HIGHEST ? LOSSLESS[name] ?? name : this.#compression === null ? "server" : name;
        this.preferCompression(wish).catch(() => {});
    }
};

function checked(level) {
    if (!Number.isInteger(level) || level < 0 || level > HIGHEST) {
        throw new RangeError(`a level is a whole number from 0 to ${HIGHEST}`);
    }
    return level;
}
