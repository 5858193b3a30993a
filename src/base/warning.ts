// Process warnings, each emitted once for each kind and process.
import { SessionError } from "../errors.ts";

const warned = new Set<string>();

/** The part of Node, Bun and Deno that emits warnings; other runtimes have none. */
interface Warner {
  readonly process?: {
    emitWarning?: (message: string, options: { type: string; code: string }) => void;
  };
}

/**
 * Emits a process warning `KochaSessionWarning`.
 * @param what - the kind: a second warning of it, with the same code, isn't emitted.
 */
export function warnOnce(code: string, what: string, message: string): void {
  const kind = `${code} ${what}`;
  if (warned.has(kind)) return;
  warned.add(kind);
  const { process } = globalThis as Warner;
  process?.emitWarning?.(SessionError.withPage(code, message), {
    type: "KochaSessionWarning",
    code,
  });
}
