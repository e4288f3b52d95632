// What the library tells of the guest and the server, for the element and for whoever listens to it. Part of <spice-desktop>.

/** Characters of a name that do not show, or turn the text around them. */
const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * What becomes of each of the news: functions of `desktop`, which has emit(name, detail) and the parts of an element: connection, hands,
 * shape, clipboard, files, and resized(size), framed(rects, pixels), named(name), agent(connected), completed().
 */
export const NEWS = {
    opened: ({ emit }) => emit("opened"),
    complete: ({ completed }) => completed(),
    resized: ({ resized }, width, height) => resized([width, height]),
    frame: ({ framed }, rects, pixels) => framed(rects, pixels),
    shape: ({ shape }, ...values) => shape.show(...values),
    shapeless: ({ shape }) => shape.hide(),
    pointer: ({ hands }, x, y) => {
        hands.pointer = [x, y];
    },
    absolute: ({ hands, emit }, absolute) => {
        hands.absolute = absolute;
        emit("mousemode", { absolute });
    },
    locks: ({ hands, emit }, bits) => {
        hands.locks = bits;
        emit("locks", { scroll: Boolean(bits & 1), num: Boolean(bits & 2), caps: Boolean(bits & 4) });
    },
    name: ({ named, emit }, text) => {
        const name = text.replace(UNSEEN, "");
        named(name);
        emit("desktopname", { name });
    },
    agent: ({ agent }, connected) => agent(connected),
    grabbed: ({ clipboard }, types) => clipboard.grabbed(types),
    taken: ({ emit }) => emit("clipboardtaken"),
    progress: ({ files }, id, sent, size) => files.advance(id, sent, size),
    notice: ({ emit }, severity, text) => emit("notice", { severity: ["info", "warning", "error"][severity] ?? "info", text }),
    trouble: ({ emit }, text) => emit("trouble", { text }),
};
