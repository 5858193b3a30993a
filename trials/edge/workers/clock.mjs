// A clock that a test turns, for esbuild to put in place of Date.now.
export const turnedClock = () => globalThis.turnedNow || Date.now();
