// Where the screen lies on the page: its scale, its place, and from the page's points to the screen's pixels.

/** Most that a pinch enlarges. */
const LARGEST_ZOOM = 8;

export class Viewport {
    #viewport;
    #stage;
    #screen = [0, 0];
    #zoom = 1;
    #offset = [0, 0];
    /** "fit": the whole screen; "none": one pixel of the screen for one of the page, scrolled where it does not fit. */
    scaling = "fit";
    /** Whether one pixel of the screen is one of the display's, not of the page's. */
    hidpi = false;
    /** CSS pixels for one pixel of the screen. */
    scale = 1;

    constructor(viewport, stage) {
        this.#viewport = viewport;
        this.#stage = stage;
        stage.hidden = true;
    }

    get screen() {
        return this.#screen;
    }

    get zoom() {
        return this.#zoom;
    }

    set screen(size) {
        this.#screen = size;
        this.#stage.hidden = false;
        this.layout();
    }

    /** Whether parts of the screen lie outside of the room. */
    get clips() {
        const room = [this.#viewport.clientWidth, this.#viewport.clientHeight];
        return this.#screen.some((side, index) => side * this.scale > room[index] + 1);
    }

    /** The size in pixels that a screen should have to fill the page's room. */
    get room() {
        const dpr = this.hidpi ? window.devicePixelRatio : 1;
        return [this.#viewport.clientWidth, this.#viewport.clientHeight].map((side) => Math.floor(side * dpr));
    }

    layout() {
        const [width, height] = this.#screen;
        if (!width || !height) {
            return;
        }
        const [roomX, roomY] = [this.#viewport.clientWidth, this.#viewport.clientHeight];
        const natural = this.hidpi ? 1 / window.devicePixelRatio : 1;
        const fitting = Math.min(roomX / width, roomY / height);
        // A screen that just fills the room is shown as it is, not shrunk by the fraction of a pixel.
        const near = Math.abs(fitting / natural - 1) * Math.max(width, height) < 2;
        const base = this.scaling === "none" || near ? natural : fitting;
        this.scale = Math.max(base * this.#zoom, 0.01);
        const size = [width * this.scale, height * this.scale];
        const room = [roomX, roomY];
        const place = size.map((side, index) =>
            side <= room[index] ? Math.round((room[index] - side) / 2) : clamp(this.#offset[index], room[index] - side, 0));
        this.#offset = place;
        this.#stage.style.width = `${size[0]}px`;
        this.#stage.style.height = `${size[1]}px`;
        this.#stage.style.transform = `translate(${place[0]}px, ${place[1]}px)`;
        const whole = Number.isInteger(this.scale * window.devicePixelRatio);
        this.#stage.classList.toggle("crisp", whole);
    }

    /** The pixel of the screen at a point of the page. */
    locate(clientX, clientY) {
        const box = this.#stage.getBoundingClientRect();
        return [clientX - box.left, clientY - box.top].map((value, index) =>
            clamp(Math.floor(value / this.scale), 0, Math.max(this.#screen[index] - 1, 0)));
    }

    /** Enlarges by `factor` around a point of the page. */
    zoomAt(factor, clientX, clientY) {
        const before = this.scale;
        this.#zoom = clamp(this.#zoom * factor, 1, LARGEST_ZOOM);
        const box = this.#viewport.getBoundingClientRect();
        const point = [clientX - box.left, clientY - box.top];
        const old = this.#offset;
        this.layout();
        const grown = this.scale / before;
        this.#offset = old.map((value, index) => point[index] - (point[index] - value) * grown);
        this.layout();
    }

    /** Moves what is seen of a screen that does not fit. */
    pan(x, y) {
        this.#offset = [this.#offset[0] + x, this.#offset[1] + y];
        this.layout();
    }

    /** Brings a pixel of the screen into view, and some of what is around it; whether anything moved. */
    reveal(x, y) {
        const before = this.#offset;
        const room = [this.#viewport.clientWidth, this.#viewport.clientHeight];
        const at = [x, y].map((value, index) => value * this.scale + this.#offset[index]);
        const shift = at.map((value, index) =>
            value < EDGE ? EDGE - value : value > room[index] - EDGE ? room[index] - EDGE - value : 0);
        // What fits lies in the middle.
        const moves = shift.map((way, index) => (this.#screen[index] * this.scale > room[index] ? way : 0));
        if (moves[0] || moves[1]) {
            this.pan(...moves);
        }
        return this.#offset.some((value, index) => value !== before[index]);
    }

    resetZoom() {
        this.#zoom = 1;
        this.layout();
    }
}

/** CSS pixels from the edge within which the view follows the pointer. */
const EDGE = 24;

function clamp(value, least, most) {
    return Math.min(Math.max(value, Math.min(least, most)), Math.max(least, most));
}
