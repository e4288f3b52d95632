// What the agent inside the guest makes possible: clipboard and files. Part of <spice-desktop>.

const TEXT = "text/plain";
const PICTURES = ["image/png", "image/jpeg", "image/bmp", "image/tiff"];
/** Most bytes of one content that is offered to the guest. */
const LARGEST_CONTENT = 64 << 20;

/** The guest's clipboard, as the `clipboard` event has it: types, and the content when it is asked for. */
export class GuestClipboard {
    #ask;
    #contents = new Map();
    #queue = Promise.resolve();

    constructor(types, ask) {
        this.types = types;
        this.#ask = ask;
    }

    /** The content in one of the types, as bytes. The guest is asked once, and for one type after the other. */
    getData(type) {
        if (!this.#contents.has(type)) {
            const content = this.#queue.then(() => this.#ask("requestClipboard", type));
            this.#queue = content.catch(() => this.#contents.delete(type));
            this.#contents.set(type, content);
        }
        return this.#contents.get(type);
    }

    /** The text, empty when there is none. */
    async getText() {
        return this.types.includes(TEXT) ? new TextDecoder().decode(await this.getData(TEXT)) : "";
    }

    /** The first picture as a Blob, or null. */
    async getImage() {
        const type = PICTURES.find((name) => this.types.includes(name));
        return type ? new Blob([await this.getData(type)], { type }) : null;
    }
}

/** Turns what an application gives (a text, a Blob, or an object of types and contents) into types and bytes. */
export async function contents(data) {
    const offered = typeof data === "string" ? { [TEXT]: data }
        : data instanceof Blob ? { [data.type || TEXT]: data } : data ?? {};
    const types = [];
    const bytes = [];
    for (const [type, content] of Object.entries(offered)) {
        const value = typeof content === "string" ? new TextEncoder().encode(content)
            : content instanceof Blob ? new Uint8Array(await content.arrayBuffer()) : new Uint8Array(content);
        if (value.length > LARGEST_CONTENT) {
            throw new RangeError(`a clipboard of ${value.length} bytes, at most ${LARGEST_CONTENT} can be sent`);
        }
        types.push(type);
        bytes.push(value);
    }
    return { types, bytes };
}

/** What a paste brings: a text or pictures for the clipboard, and files. */
export function pasted(transfer) {
    const files = [...transfer.files];
    const text = transfer.getData(TEXT);
    const picture = files.find((file) => PICTURES.includes(file.type));
    const data = {};
    if (text) {
        data[TEXT] = text;
    }
    if (picture && !text) {
        data[picture.type] = picture;
    }
    return { data, files: picture ? [] : files };
}

/** One file on its way into the guest. */
export class Transfer {
    #cancel;
    /** Called with the bytes sent and the size. */
    onprogress = null;

    constructor(id, file, done, cancel) {
        this.id = id;
        this.name = file.name;
        this.size = file.size;
        this.sent = 0;
        /** Resolves when the guest has the whole file. */
        this.done = done;
        this.#cancel = cancel;
    }

    cancel() {
        this.#cancel();
    }

    /** Takes in how far it is. */
    advance(sent, size) {
        this.sent = sent;
        this.onprogress?.(sent, size);
    }
}
