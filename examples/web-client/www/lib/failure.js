// Errors that say what kind they are.

/** An error with a code that stays the same from version to version. */
export function failure(code, text) {
    return Object.assign(new Error(text || "disconnected"), { code });
}
