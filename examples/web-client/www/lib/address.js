// From what an application names to the WebSocket that a session's channels open.

/** What would end the host in an address, or stand before it: the rest would be another host, or none. */
const NOT_IN_HOST = /[/?#@\\\s]/;

/**
 * The WebSocket for a machine, or null for the built-in demo.
 *
 * `url`: a WebSocket of a server, websockify or a gateway, as it is; `token`: a gateway's signed permission;
 * `host` and `port`: a server, through the gateway at `gateway` (by default `spice` beside the page), or straight to
 * its own WebSocket with `direct`.
 */
export function webSocketUrl({ url, token, host, port, gateway = "spice", direct = false } = {}) {
    if (url) {
        return checked(url);
    }
    if (token) {
        return withQuery(gateway, { token });
    }
    if (!host) {
        return null;
    }
    const number = Number(port);
    if (!Number.isInteger(number) || number < 1 || number > 65535) {
        throw new AddressError("port", `'${port}' is not a port number from 1 to 65535`);
    }
    if (direct) {
        if (NOT_IN_HOST.test(host)) {
            throw new AddressError("host", `'${host}' is not the name or address of a host`);
        }
        const name = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
        return checked(`${location.protocol === "https:" ? "wss" : "ws"}://${name}:${number}/`);
    }
    return withQuery(gateway, { host, port: String(number) });
}

/** The address as errors may show it: without what a query may hold. */
export function shownAddress(target, url) {
    if (target.host) {
        return `${target.host}:${target.port}`;
    }
    if (!url) {
        return "demo";
    }
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${host}${pathname}`;
}

export class AddressError extends Error {
    constructor(code, message) {
        super(message);
        this.name = "AddressError";
        this.code = code;
    }
}

function withQuery(gateway, query) {
    const url = new URL(gateway, document.baseURI);
    url.search = new URLSearchParams(query).toString();
    return checked(url.href);
}

function checked(text) {
    let url;
    try {
        url = new URL(text, document.baseURI);
    } catch {
        throw new AddressError("url", `'${text}' is not an address: write ws://HOST:PORT/ or wss://HOST/PATH`);
    }
    url.protocol = { "http:": "ws:", "https:": "wss:" }[url.protocol] ?? url.protocol;
    if (url.protocol !== "ws:" && url.protocol !== "wss:") {
        throw new AddressError("url", `'${text}' is not a WebSocket address: write ws://HOST:PORT/ or wss://HOST/PATH`);
    }
    url.hash = "";
    return url.href;
}
