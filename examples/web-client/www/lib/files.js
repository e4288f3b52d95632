// Files on their way into the guest. Part of <spice-desktop>.

import { Transfer } from "./guest.js";

export class Files {
    #connection;
    #transfers = new Map();
    #next = 1;

    constructor(connection) {
        this.#connection = connection;
    }

    /** Begins to send a File. */
    send(file) {
        const id = this.#next++;
        const done = this.#send(file, id);
        done.catch(() => {}).then(() => this.#transfers.delete(id));
        const transfer = new Transfer(id, file, done, () => this.#connection.call("cancelFile", id));
        this.#transfers.set(id, transfer);
        return transfer;
    }

    /** The guest has so many bytes of a file. */
    advance(id, sent, size) {
        this.#transfers.get(id)?.advance(sent, size);
    }

    async #send(file, id) {
        try {
            await this.#connection.need("sendFile", file.name, file, id);
        } catch (error) {
            error.code ??= "failed";
            throw error;
        }
    }
}
