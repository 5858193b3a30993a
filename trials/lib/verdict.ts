// How far a long run is, what it found wrong, and the exit code that follows.

let faults = 0;

/** Says how far the run is, after the seconds since its start. */
export function progress(line: string): void {
  console.log(`${String(elapsed()).padStart(4)} s  ${line}`);
}

/** Whole seconds since the process began. */
export function elapsed(): number {
  return Math.round(performance.now() / 1000);
}

/** Says what is wrong, at once; with one fault the process ends with code 1. */
export function fault(line: string): void {
  faults++;
  process.exitCode = 1;
  console.error(`WRONG: ${line}`);
}

/** What came of the run so far. */
export function verdict(): string {
  return faults === 0 ? "no fault" : `${faults} fault${faults === 1 ? "" : "s"}`;
}

/** The last line: what ran, and its verdict. */
export function conclude(what: string): void {
  progress(`${what}: ${verdict()}`);
}
