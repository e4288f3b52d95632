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

/**
 * Whether an address that anybody may have put into a link leads to another host than the page's own, past its gateway. The page
 * names hosts that are none: <meta name="spice-hosts" content="node1.example *.vms.example">.
 */
export function isForeign({ url, host, direct }) {
    if (!url && !direct) {
        return false;
    }
    let name = host?.toLowerCase();
    try {
        name = url ? new URL(url, document.baseURI).hostname : name;
    } catch {
        return true;
    }
    const own = document.querySelector("meta[name=spice-hosts]")?.content.toLowerCase().split(/\s+/) ?? [];
    return ![location.hostname, ...own].some((known) =>
        known.startsWith("*.") ? name.endsWith(known.slice(1)) : known !== "" && known === name);
}
