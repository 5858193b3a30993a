// What a race leaves behind: every request with its start and end by one clock, what it changed and
// what it saw. Values stand here as marks: the name of the save that wrote them. It knows no store.

/** What became of a save, as its client was told; unknown: the request failed. */
export type Outcome = "saved" | "refused" | "unknown";

/** One save that a request asked for. */
export interface Save {
  /** Its name in the history, and the mark of every value that it writes. */
  readonly mark: string;
  /**
   * `create`, `clear` and `regenerate` are barriers: each sets the key {@link EPOCH} along with what
   * else it changes, so that whatever reads the session later says which barrier it comes after.
   */
  readonly kind: "create" | "change" | "bind" | "clear" | "regenerate" | "destroy";
  /** The session that it went to: not always the one that the request came with. */
  readonly session: number;
  /** The keys that it sets, {@link EPOCH} and tombstones included. */
  readonly set: readonly string[];
  /** The keys that it removes; each gets a tombstone in the same save: see {@link tombstoneOf}. */
  readonly del: readonly string[];
  readonly outcome: Outcome;
  /** Whose session it is from this save on, if it says so: a `bind` does, and a `regenerate` may. */
  readonly subject?: string;
  /** What an increment of {@link COUNTER} gave. */
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
  /** How many regenerates that credential comes after, from 1; 0: no credential. */
  readonly generation: number;
  /** Ticks of the one clock of all clients: a request that ends before another starts has less. */
  readonly start: number;
  readonly end: number;
  /** The same instants in milliseconds of real time. */
  readonly startMs: number;
  readonly endMs: number;
  /** Whether it was answered; else nothing is known of it. */
  readonly answered: boolean;
  /** The marks by key, as it was loaded; undefined: no session was found. */
  readonly seen: ReadonlyMap<string, string> | undefined;
  /** {@link COUNTER} as it was loaded; 0: it was absent. */
  readonly count: number;
  /** When the session was to end as it was loaded, Unix milliseconds; undefined: not told. */
  readonly expires: number | undefined;
  readonly saves: readonly Save[];
  /** What it signed out, or may have. */
  readonly signOut?: SignOut;
}

/** All that a checker looks at. */
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

/** The key whose values are taken: each may be by one request only. */
export const TOKEN = "t";

/** Begins the key of an entry of the collection that requests add to. */
export const ENTRY = "_map.bag.";

/** The key that every `bind` sets. */
export const BOUND = "bound";

/** Two keys that are only ever written and removed together. */
export const PAIR = ["p", "q"] as const;

/** The key that says who removed `key`: absence alone would not tell one removal from another. */
export function tombstoneOf(key: string): string {
  return `-${key}`;
}

/** Whether a key is one that tells of another. */
export function isTombstone(key: string): boolean {
  return key.startsWith("-");
}
