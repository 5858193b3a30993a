// The conformance kit's cases, failures and assertions. It knows no test runner and no assertion
// library.

/** The laws of docs/stores.md, each in one line. */
export const laws = {
  L1: "merge: concurrent requests that change different keys all keep their change",
  L2: "final logout: after destroy() nothing makes the session load again",
  L3: "barrier: a change made from data that a clear or regenerate replaced is refused",
  L4: "fixation: after regenerate() the old credential never reads the session",
  L5: "reads don't write: renewal is throttled and never creates, overwrites or shortens",
  L6: "idle is free: no cookie, no store access; unchanged, no write and no Set-Cookie",
  L7: "saved before seen: no byte of the response before the change is stored",
  L8: "nothing in silence: what can't be kept is an error or an observer's event",
  L9: "outage is not logout: a store that can't answer never looks like no session",
  L10: "two timeouts: idle and absolute are enforced by the data itself",
  L11: "at rest: what a store holds is no credential, what a cookie holds can't be read or changed",
  L12: "total: no header, row or token throws past open",
  L13: "exact: `update`, `increment` and `take` are one step: each sees the one before it, one request takes, and one from before a barrier or logout is an error",
} as const;

/** The name of a law. */
export type Law = keyof typeof laws;

/** One requirement; a runner registers it under its id and calls `run`. */
export interface ConformanceCase {
  /** Unique in its list, and begins with the law: "L1 merge: different keys". */
  readonly id: string;
  readonly law: Law;
  /** The clause of the store's contract that it tests, if it is one: S1 to S10 of store/contract.ts. */
  readonly clause?: string;
  /** True if it applies to this store or host, else the reason for the report. */
  readonly applies: true | string;
  /**
   * Resolves when the law holds.
   * @throws {ConformanceError} with the law, the case, what was tested, and the history.
   */
  readonly run: () => Promise<void>;
}

/** The failure of a law, with the case and the history. */
export class ConformanceError extends Error {
  override readonly name = "ConformanceError";
  /** The case's id. */
  readonly id: string;

  /** @internal */
  constructor(id: string, subject: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`${subject} breaks ${id}: ${reason}`, { cause });
    this.id = id;
  }
}

/** Builds a case whose failure says which law, of what, and why. */
export function defineCase(
  subject: string,
  definition: {
    readonly id: string;
    readonly clause?: string;
    readonly applies?: true | string;
    readonly run: () => Promise<void>;
  },
): ConformanceCase {
  const { id, clause, applies = true } = definition;
  const law = id.split(" ", 1)[0] as Law;
  const run = async (): Promise<void> => {
    try {
      await definition.run();
    } catch (error) {
      throw new ConformanceError(id, subject, error);
    }
  };
  return { id, law, ...(clause !== undefined && { clause }), applies, run };
}

/** Throws unless `condition` holds. */
export function must(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Throws unless both are the same by their JSON; Maps count as their sorted entries. */
export function mustEqual(actual: unknown, expected: unknown, what: string): void {
  const [found, wanted] = [plain(actual), plain(expected)];
  if (found !== wanted) throw new Error(`${what}: expected ${wanted}, found ${found}`);
}

/** A value as text for a comparison and for a message. */
export function plain(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) => {
      if (inner instanceof Map) {
        return {
          map: [...inner].toSorted(([one], [other]) => (String(one) < String(other) ? -1 : 1)),
        };
      }
      return typeof inner === "number" && !Number.isFinite(inner) ? String(inner) : inner;
    }) ?? "undefined"
  );
}
