// The first bytes of every session: who speaks, and what this client can do. They need nothing of the server, so the worker
// sends them while it still waits for the library; a test of the library compares them with its own.

export const HELLO = Uint8Array.from([
    82, 69, 68, 81, 2, 0, 0, 0, 2, 0, 0, 0, 26, 0, 0, 0,
    0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 18, 0, 0, 0, 9, 0, 0, 0, 6, 0, 0, 0,
]);
