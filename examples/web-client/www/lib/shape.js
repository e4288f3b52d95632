// The pointer's shape: the browser's own cursor where that shows it right, otherwise pictures laid over the screen.

/** Browsers show no cursors beyond this size. */
const LARGEST_CURSOR = 128;

export class PointerShape {
    #stage;
    #target;
    #normal;
    #inverse;
    #hot = [0, 0];
    #url = "";
    #shape = null;
    #overlay = false;
    #place = null;
    #serial = 0;
    /** Whether the server says what the pointer looks like. */
    #led = false;
    scale = 1;

    /** Lays pictures over `stage`, whose screen is `target`. */
    constructor(stage, target) {
        this.#stage = stage;
        this.#target = target;
        this.#normal = picture("pointer");
        this.#inverse = picture("pointer inverse");
        stage.append(this.#normal, this.#inverse);
        this.reset();
    }

    /** The server's pointer: straight RGBA, and which pixels invert the screen. */
    show(width, height, hotX, hotY, rgba, inverts) {
        const serial = ++this.#serial;
        this.#led = true;
        const visible = rgba.some((value, index) => index % 4 === 3 && value > 0);
        if (!visible) {
            this.hide();
            return;
        }
        this.#shape = { width, height, inverts: Boolean(inverts) };
        this.#hot = [hotX, hotY];
        const plain = new Uint8ClampedArray(rgba);
        const white = new Uint8ClampedArray(inverts ? rgba.length : 0);
        inverts?.forEach((value, index) => {
            if (value) {
                plain.fill(0, index * 4, index * 4 + 4);
                white.fill(255, index * 4, index * 4 + 4);
            }
        });
        paint(this.#normal, plain, width, height);
        if (inverts) {
            paint(this.#inverse, white, width, height);
        }
        const source = document.createElement("canvas");
        paint(source, new Uint8ClampedArray(rgba), width, height);
        source.toBlob((blob) => {
            if (blob && serial === this.#serial) {
                URL.revokeObjectURL(this.#url);
                this.#url = URL.createObjectURL(blob);
                this.#apply();
            }
        });
        this.#apply();
    }

    hide() {
        this.#serial += 1;
        this.#led = true;
        this.#shape = null;
        this.#apply();
    }

    /** Forgets the server's pointer: the browser's own shows again. */
    reset() {
        this.hide();
        this.#led = false;
        this.#apply();
    }

    /** Gives back what the browser keeps for it. */
    close() {
        this.reset();
        URL.revokeObjectURL(this.#url);
        this.#url = "";
    }

    /** Whether pictures are laid over the screen in any case, because the server leads the pointer. */
    set overlay(overlay) {
        this.#overlay = overlay;
        this.#apply();
    }

    /** Where the pointer is, in pixels of the screen; null when it is elsewhere. */
    moveTo(place) {
        this.#place = place;
        this.#position();
    }

    /** Takes up another scale of the screen. */
    rescale(scale) {
        this.scale = scale;
        this.#apply();
    }

    #apply() {
        const shape = this.#shape;
        const large = shape && Math.max(shape.width, shape.height) > LARGEST_CURSOR;
        const laid = Boolean(shape) && (this.#overlay || shape.inverts || large);
        this.#normal.hidden = !laid;
        this.#inverse.hidden = !(laid && shape.inverts);
        if (!this.#led) {
            this.#target.style.cursor = "";
        } else if (!shape || laid || !this.#url) {
            this.#target.style.cursor = "none";
        } else {
            const [x, y] = this.#hot;
            this.#target.style.cursor = `url("${this.#url}") ${x} ${y}, default`;
        }
        this.#position();
    }

    #position() {
        const shape = this.#shape;
        for (const layer of [this.#normal, this.#inverse]) {
            if (layer.hidden || !shape) {
                continue;
            }
            layer.style.visibility = this.#place ? "visible" : "hidden";
            const [x, y] = this.#place ?? [0, 0];
            layer.style.width = `${shape.width * this.scale}px`;
            layer.style.height = `${shape.height * this.scale}px`;
            const [hotX, hotY] = this.#hot;
            layer.style.transform = `translate(${(x - hotX) * this.scale}px, ${(y - hotY) * this.scale}px)`;
        }
    }
}

function picture(name) {
    const canvas = document.createElement("canvas");
    canvas.className = name;
    canvas.setAttribute("aria-hidden", "true");
    return canvas;
}

function paint(canvas, pixels, width, height) {
    canvas.width = width;
    canvas.height = height;
    canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
}
