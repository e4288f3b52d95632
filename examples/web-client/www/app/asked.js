// What a connection is asked for.

import { webSocketUrl } from "../lib/address.js";

/** The machine that the page's address names. */
export function asked(query) {
    const [host, port, url, token] = ["host", "port", "url", "token"].map((name) => query.get(name));
    if (token) {
        return { token };
    }
    if (url) {
        return { url };
    }
    if (host) {
        return { host, port: Number(port ?? 5900), direct: query.has("direct") };
    }
    return query.has("demo") ? { demo: true } : null;
}

/** A machine's record as `connect` takes it. */
export function target({ host, port, url, token, direct, demo }) {
    return demo ? {} : url ? { url } : token ? { token } : { host, port, direct };
}

/** Where a machine's record leads to: the address of a WebSocket, or null if it leads nowhere. */
export function destination(record) {
    try {
        return new URL(webSocketUrl(target(record)));
    } catch {
        return null;
    }
}

/**
 * Whether an address that anybody may have put into a link leads to another host than the page's own, past its gateway. The page
 * names hosts that are none: <meta name="spice-hosts" content="node1.example *.vms.example:5900-5999">.
 */
export function isForeign(record) {
    if (!record.url && !record.direct) {
        return false;
    }
    // As the browser reads it: what an address looks like is not where it leads.
    const url = destination(record);
    const own = document.querySelector("meta[name=spice-hosts]")?.content.toLowerCase().split(/\s+/) ?? [];
    return !url || url.hostname !== location.hostname && !own.some((known) => isKnown(url, known));
}

/** A host, a domain with what is below it as "*.DOMAIN"; with a port, or a range of ports, or none for all. */
const KNOWN = /^(?<host>(?:\*\.)?[^*:[\]]+|\[[^\]]+\])(?::(?<from>\d+)(?:-(?<to>\d+))?)?$/;
const PORTS = { "ws:": 80, "wss:": 443 };

function isKnown({ protocol, hostname, port }, known) {
    const { host, from, to = from } = KNOWN.exec(known)?.groups ?? {};
    if (!host || !(host.startsWith("*.") ? hostname.endsWith(host.slice(1)) : hostname === host)) {
        return false;
    }
    // The browser leaves a scheme's own port out.
    const number = Number(port || PORTS[protocol]);
    return from === undefined || Number(from) <= number && number <= Number(to);
}
