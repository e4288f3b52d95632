/** The screen of a virtual machine on a page: the custom element `<spice-desktop>`. */

/** Where to connect. Exactly one of `url`, `token` and `host`; none for the built-in demo. */
export interface SpiceTarget {
    /** A WebSocket of a SPICE server, of websockify, or of a gateway: `ws://…`, `wss://…`. */
    url?: string;
    /** A permission signed by the panel, for the gateway. */
    token?: string;
    /** A SPICE server; through the gateway unless `direct` is set. */
    host?: string;
    port?: number | string;
    /** Straight to the WebSocket on the server's own port. */
    direct?: boolean;
    /** The gateway's address; `spice` beside the page by default. */
    gateway?: string;
    /** Kept in memory only, for as long as the element is on the page. */
    password?: string;
}

export type SpiceState = "idle" | "connecting" | "connected" | "waiting" | "disconnected";
export type SpiceScaling = "fit" | "none" | "follow";
export type SpiceLayout = "us" | "gb" | "de" | "fr" | "es" | "it" | "jp";

/** Why a connection ended; stays the same from version to version, unlike the English text beside it. */
export type SpiceReason =
    | "closed" | "refused" | "timeout" | "connect" | "not-spice" | "password-missing" | "password-wrong"
    | "password-impossible" | "needs-tls" | "protocol" | "broken" | "server-closed" | "crashed" | "address" | "token" | "not-allowed" | "idle-closed" | "full" | "upstream-tls" | "failed";

/** The error of a failed `connect`; without a code when another connection took its place. */
export interface SpiceError extends Error {
    code?: SpiceReason;
}

/** One frame: what changed on the screen. */
export interface SpiceFrame {
    /** Left, top, width and height of each rectangle, in pixels, one after the other. */
    rects: Int32Array;
    /** The rectangles' pixels, one after the other: rows of r, g, b, 255. */
    pixels: Uint8Array;
    width: number;
    height: number;
}

/** The guest's clipboard; content is fetched when it is asked for. */
export interface SpiceClipboard {
    /** MIME types: text/plain, image/png, image/jpeg, image/bmp, image/tiff. Empty when nothing is offered any more. */
    readonly types: string[];
    getData(type: string): Promise<Uint8Array>;
    getText(): Promise<string>;
    getImage(): Promise<Blob | null>;
}

export type SpiceClipboardData = string | Blob | Record<string, string | Blob | ArrayBuffer | Uint8Array>;

/** Why a file did not arrive: the `code` of the error, which stays the same from version to version. */
export type SpiceTransferReason =
    | "no-agent" | "files-disabled" | "unreadable" | "cancelled" | "cancelled-by-guest" | "no-space" | "gone" | "silent" | "failed";

/** A file on its way into the guest. */
export interface SpiceTransfer {
    readonly name: string;
    readonly size: number;
    readonly sent: number;
    /** Resolves when the guest has the whole file; rejects with an Error that has a `code`, see `SpiceTransferReason`. */
    readonly done: Promise<void>;
    onprogress: ((sent: number, size: number) => void) | null;
    cancel(): void;
}

/** Counts since the connection began. Times are sums of milliseconds in the worker. */
export interface SpiceStats {
    frames: number;
    pixels: number;
    messages: number;
    drawMs: number;
    showMs: number;
    /** From a key or button to the next change on the screen, smoothed; 0 before the first. */
    answerMs: number;
    /** Frames of videos that were left out because a newer one was due; those that were shown are `images.video`. */
    dropped: number;
    received: number;
    sent: number;
    surfaceBytes: number;
    /** The library's WebAssembly memory, which never shrinks. */
    memoryBytes: number;
    renderer: "webgl2" | "2d" | "none";
    images: Record<"bitmap" | "quic" | "lz" | "glz" | "zlib-glz" | "jpeg" | "lz4" | "cache" | "surface" | "video", number>;
}

/** What a download tells. */
export interface SpiceDownload {
    name: string;
    size: number;
    received: number;
    blob?: Blob;
}

export interface SpiceDesktopEventMap {
    statechange: CustomEvent<{ state: SpiceState }>;
    /** The server has let the client in; pictures follow. */
    opened: CustomEvent<Record<string, never>>;
    /** The first complete picture is there. */
    connect: CustomEvent<Record<string, never>>;
    /** The connection is over, and nothing connects again by itself. */
    disconnect: CustomEvent<{ clean: boolean; code: SpiceReason; reason: string }>;
    /** The connection broke and another attempt follows in so many seconds; the last picture stays. */
    reconnecting: CustomEvent<{ attempt: number; seconds: number; code: SpiceReason; text: string }>;
    /** Answer with `sendCredentials`, or give up with `disconnect`; `connect` waits for either. */
    credentialsrequired: CustomEvent<{ types: ["password"]; wrong: boolean; text: string }>;
    /**
     * Server or gateway does not let this client in. `status`: 7 for a wrong password and 5 where TLS is needed, as SPICE numbers
     * them; 401 and 403 from a gateway. `credentialsrequired` or `disconnect` follows.
     */
    securityfailure: CustomEvent<{ status: number; code: SpiceReason; reason: string }>;
    desktopname: CustomEvent<{ name: string }>;
    capabilities: CustomEvent<{ agent: boolean }>;
    resize: CustomEvent<{ width: number; height: number }>;
    /** Only while `onFrameReceived` is set. */
    frame: CustomEvent<SpiceFrame>;
    clipboard: CustomEvent<SpiceClipboard>;
    /** The guest has fetched what was offered to its clipboard. */
    clipboardtaken: CustomEvent<Record<string, never>>;
    /** The browser does not let the page write its clipboard. */
    clipboardrefused: CustomEvent<{ text: string }>;
    transfer: CustomEvent<{ transfer: SpiceTransfer }>;
    download: CustomEvent<SpiceDownload>;
    mousemode: CustomEvent<{ absolute: boolean }>;
    locks: CustomEvent<{ scroll: boolean; num: boolean; caps: boolean }>;
    /** A text of the server for the user. */
    notice: CustomEvent<{ severity: "info" | "warning" | "error"; text: string }>;
    /** Something could not be shown or done; the session goes on. */
    trouble: CustomEvent<{ text: string }>;
    /** Ctrl+Alt+Shift was pressed: the keyboard belongs to the page again. */
    keyboardleft: CustomEvent<Record<string, never>>;
    idle: CustomEvent<{ seconds: number }>;
    active: CustomEvent<Record<string, never>>;
    /** The computer has slept. */
    wake: CustomEvent<{ seconds: number }>;
}

/**
 * Attributes: `url`, `token`, `host`, `port`, `gateway`, `direct` with `autoconnect`; `scaling`, `hidpi`, `view-only`, `label`, `hint`,
 * `reconnect="no"`, `idle-disconnect` (after `idleSeconds` without input), `renderer="auto | webgl2 | 2d"` (before the first connection).
 */
export class SpiceDesktop extends HTMLElement {
    /**
     * Loads what a connection needs, before there is one. With a target begins to connect there without a password; an
     * element goes on with that if the page's next connection leads there, else it is closed.
     */
    static warmUp(target?: SpiceTarget): void;

    /**
     * Connects; resolves with the first complete picture. Without a host: the built-in demo. Rejects when the connection
     * fails, when another `connect` takes its place, and when the element leaves the page.
     */
    connect(host?: string, port?: number | string, options?: Omit<SpiceTarget, "host" | "port">): Promise<this>;
    connect(target: SpiceTarget): Promise<this>;
    reconnect(): Promise<this>;
    disconnect(): void;
    sendCredentials(credentials: { password?: string }): Promise<this>;

    readonly state: SpiceState;
    /** As the machine chose it, without characters that do not show. */
    readonly machineName: string;
    readonly agentConnected: boolean;
    readonly screenSize: [width: number, height: number];

    /** `keyCode`: a `KeyboardEvent.code`, or a scan code of set 1 (0x1e; 0xe01d with its prefix). */
    sendKeyEvent(keyCode: string | number, isDown: boolean): void;
    sendKeys(codes: string[]): void;
    sendKey(keysym: number | null, code: string, down?: boolean): void;
    sendCtrlAltDel(): void;
    /** Resolves with the characters that could not be typed; rejects with code "gone" without a connection. */
    sendText(text: string): Promise<string>;
    /** `buttons` as in MouseEvent.buttons: 1 left, 2 right, 4 middle, 8 back, 16 forward. */
    sendPointerEvent(x: number, y: number, buttons: number): void;
    sendWheel(notches: number): void;
    releaseAll(): void;
    focus(options?: FocusOptions): void;
    blur(): void;
    showKeyboard(show?: boolean): void;
    readonly pointerLocked: boolean;
    lockPointer(): Promise<void>;
    passthroughKeys: Iterable<string>;
    trackpad: boolean;
    naturalScroll: boolean;
    keyboardLayout: SpiceLayout;

    /**
     * Resolves once the guest's agent knows. Rejects with code "gone" without a connection and with "no-agent" without an agent:
     * nothing is kept for later.
     */
    sendClipboardData(data: SpiceClipboardData): Promise<void>;
    /** As `sendClipboardData`; errors are ignored. */
    clipboardPasteFrom(text: string): void;
    onClipboardDataReceived: ((clipboard: SpiceClipboard) => void) | null;
    shareClipboard: boolean;
    /**
     * Resolves with the size that the guest has in the end. While there is no connection it is kept, the last one, and the guest
     * asked as soon as its agent is there; a connection that ends before rejects it as it does `connect`. With an attribute
     * `scaling="follow"` the room on the page has the last word.
     */
    setResolution(width: number, height: number): Promise<[width: number, height: number]>;
    sendFile(file: File): SpiceTransfer;
    notifyDownLoad(params: SpiceDownload): void;
    onFrameReceived: ((frame: SpiceFrame) => void) | null;
    onAudioReceived: ((sound: unknown) => void) | null;
    displays(): Promise<number[]>;
    showDisplay(id: number): void;

    scaling: SpiceScaling;
    hidpi: boolean;
    viewOnly: boolean;
    scaleViewport: boolean;
    resizeSession: boolean;
    clipViewport: boolean;
    background: string;
    /**
     * The mouse, or one finger, moves a screen that does not fit; a click still goes to the guest. Not with a relative mouse, which
     * needs the pointer, unless the element is view-only.
     */
    dragViewport: boolean;
    /** A click takes the keyboard; true unless it is set. */
    focusOnClick: boolean;
    /**
     * 0 to 9; null until it is set. How much loss pictures and videos have is the server's choice and the administrator's, who may
     * allow JPEG; at 9 pictures are asked for in ways that know no loss.
     */
    get qualityLevel(): number | null;
    set qualityLevel(level: number);
    /** 0 (none) to 9 (fewest bytes); null until it is set: the server chooses. As `preferCompression` with off, lz4, auto-lz, auto-glz. */
    get compressionLevel(): number | null;
    set compressionLevel(level: number);
    idleSeconds: number;
    /** Nothing is brought to the page while it is set; for screens that cannot be seen. */
    paused: boolean;
    resetZoom(): void;

    getImageData(): Promise<ImageData | null>;
    /** What the canvas on the page holds, read back from where the browser shows it. */
    readPixels(): Promise<ImageData | null>;
    thumbnail(width?: number, height?: number): Promise<ImageData | null>;
    screenshot(type?: string, quality?: number): Promise<Blob | null>;
    toBlob(callback: (blob: Blob | null) => void, type?: string, quality?: number): void;
    /** What the canvas shows at this moment. */
    toDataURL(type?: string, quality?: number): string;
    /** A copy of the canvas as the page shows it at this moment. */
    shownCanvas(): HTMLCanvasElement;
    stats(): Promise<SpiceStats | undefined>;
    /** Also for connections to come; "server" leaves the choice to their servers. False for what is none of these. */
    preferCompression(name: "server" | "off" | "quic" | "lz" | "glz" | "lz4" | "auto-lz" | "auto-glz"): Promise<boolean>;

    addEventListener<K extends keyof SpiceDesktopEventMap>(
        type: K, listener: (this: SpiceDesktop, event: SpiceDesktopEventMap[K]) => void,
        options?: boolean | AddEventListenerOptions): void;
    addEventListener(type: string, listener: EventListenerOrEventListenerObject,
        options?: boolean | AddEventListenerOptions): void;
}

declare global {
    interface HTMLElementTagNameMap {
        "spice-desktop": SpiceDesktop;
    }
}
