// The warning of stores that can't refuse-or-apply in one step: said once a process and store kind,
// and not at all to those who say that they know.
const warned = new Set<string>();

/** What Node, Bun and Deno have; other runtimes have no place for a warning. */
interface Warner {
  readonly process?: {
    emitWarning?: (message: string, options: { type: string; code: string }) => void;
  };
}

/**
 * Emits a process warning `KochaSessionWarning` with the code `KOCHA_SESSION_NOT_ATOMIC`, once for
 * each `kind`.
 * @param acceptRaces - the option by which the application says that it knows.
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
