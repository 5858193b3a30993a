// The history of a race: every request with its start and end by one clock, its changes and its view. Values
// are represented by marks: the name of the save that wrote them. It knows no store.

/** The outcome of a save, as its client was told; unknown: the request failed. */
export type Outcome = "saved" | "refused" | "unknown";

/** One save that a request asked for. */
export interface Save {
  /** Its name in the history, and the mark of every value that it writes. */
  readonly mark: string;
  /**
   * `create`, `clear` and `regenerate` are barriers: each sets the key {@link EPOCH} with its other changes,
   * so that every later read shows the barrier that it comes after.
   */
  readonly kind: "create" | "change" | "bind" | "clear" | "regenerate" | "destroy";
  /** The session that it went to, which may differ from the request's. */
  readonly session: number;
  /** The keys that it sets, {@link EPOCH} and tombstones included. */
  readonly set: readonly string[];
  /** The keys that it removes; each gets a tombstone in the same save: see {@link tombstoneOf}. */
  readonly del: readonly string[];
  readonly outcome: Outcome;
  /** The subject that this save binds, if any: a `bind` does, and a `regenerate` may. */
  readonly subject?: string;
  /** The result of an increment of {@link COUNTER}. */
  readonly count?: number;
  /** The mark of the value of {@link TOKEN} that it took. */
  readonly taken?: string;
}

/** A look at a subject's sessions, and the end of all of them. */
export interface SignOut {
  readonly subject: string;
  /** The session that was to stay. */
  readonly except: number | undefined;
  /** The sessions that were listed just before; undefined: it was not answered. */
  readonly listed: readonly number[] | undefined;
}

/** One request, as its client saw it. */
export interface RaceRequest {
  readonly id: number;
  readonly client: number;
  /** The session whose credential it carried; undefined: none. */
  readonly session: number | undefined;
  /** The credential's generation, from 1; 0: no credential. */
  readonly generation: number;
  /** Ticks of the one clock of all clients: a request that ends before another starts has less. */
  readonly start: number;
  readonly end: number;
  /** The same instants in milliseconds of real time. */
  readonly startMs: number;
  readonly endMs: number;
  /** True if it was answered; else its effect is unknown. */
  readonly answered: boolean;
  /** The marks by key, as it was loaded; undefined: no session was found. */
  readonly seen: ReadonlyMap<string, string> | undefined;
  /** {@link COUNTER} as it was loaded; 0: it was absent. */
  readonly count: number;
  /** The session's end as it was loaded, Unix milliseconds; undefined: not told. */
  readonly expires: number | undefined;
  readonly saves: readonly Save[];
  /** The sessions that it signed out, or may have. */
  readonly signOut?: SignOut;
}

/** The input of the checker. */
export interface History {
  readonly requests: readonly RaceRequest[];
  /** The idle timeout of the race, in milliseconds. */
  readonly idleMs: number;
  /** The absolute timeout, in milliseconds. */
  readonly absoluteMs: number;
}

/** The key that every barrier sets. */
export const EPOCH = "epoch";

/** The key that increments raise: its values are numbers, and no marks. */
export const COUNTER = "n";

/** The key whose values are taken: each by only one request. */
export const TOKEN = "t";

/** Begins the key of an entry of the collection that requests add to. */
export const ENTRY = "_map.bag.";

/** The key that every `bind` sets. */
export const BOUND = "bound";

/** Two keys that are only ever written and removed together. */
export const PAIR = ["p", "q"] as const;

/** The key that names the remover of `key`: absence by itself would not tell one removal from another. */
export function tombstoneOf(key: string): string {
  return `-${key}`;
}

/** True for the tombstone of another key. */
export function isTombstone(key: string): boolean {
  return key.startsWith("-");
}
