// What a connection is asked for.

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
