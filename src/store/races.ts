// The warning of stores that aren't atomic, emitted once for each kind of store and process, and not at
// all with `acceptRaces`.
const warned = new Set<string>();

/** The part of Node, Bun and Deno that emits warnings; other runtimes have none. */
interface Warner {
  readonly process?: {
    emitWarning?: (message: string, options: { type: string; code: string }) => void;
  };
}

/**
 * Emits a process warning `KochaSessionWarning` with the code `KOCHA_SESSION_NOT_ATOMIC`, once for
 * each `kind`.
 * @param acceptRaces - true: the application accepts races, and there is no warning.
 */
export function warnOfRaces(kind: string, acceptRaces: boolean): void {
  if (acceptRaces || warned.has(kind)) return;
  warned.add(kind);
  const message =
    `${kind} is not atomic: of concurrent requests of one session, from several processes, the ` +
    "last one wins, and one that races a logout can undo it; set acceptRaces if that is all right";
  (globalThis as Warner).process?.emitWarning?.(message, {
    type: "KochaSessionWarning",
    code: "KOCHA_SESSION_NOT_ATOMIC",
  });
}
