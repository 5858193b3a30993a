// A race's server's notes on one request, as JSON to its client: the found session, and each save with its
// outcome as the application learns it.
import { EPOCH, type Outcome, type Save, tombstoneOf } from "./history.ts";
import { valueOf } from "./values.ts";

/** A save as the server notes it; `session` is the server's own name of the session. */
export interface SaveNote {
  mark: string;
  kind: Save["kind"];
  session: string;
  set: string[];
  del: string[];
  /** `none`: there was nothing to save. */
  outcome: Outcome | "none";
  subject?: string;
  count?: number;
  /** The mark of the value that it took. */
  taken?: string;
}

/** A sign-out as the server notes it, by its own names of the sessions. */
export interface SignOutNote {
  readonly subject: string;
  readonly except: string | undefined;
  readonly listed: readonly string[];
}

/** The session that a request found. */
export interface Found {
  /** The server's own name of the session; undefined: none was found. */
  readonly session: string | undefined;
  readonly entries: readonly (readonly [string, unknown])[];
  /** Unix milliseconds; undefined: it isn't told. */
  readonly expires: number | undefined;
}

/** All notes on a request. */
export interface Answer {
  readonly found: Found;
  readonly saves: readonly SaveNote[];
  readonly signOut?: SignOutNote | undefined;
}

/** A string map, of any library, on which plans are carried out. */
export interface RaceMap {
  has(key: string): boolean;
  set(key: string, value: string): void;
  del(key: string): void;
}

/** The saves of one request, as they come. */
export class Notes {
  readonly saves: SaveNote[] = [];
  signOut: SignOutNote | undefined;
  readonly #id: number;

  constructor(id: number) {
    this.#id = id;
  }

  /** The save that is being prepared. */
  get current(): SaveNote | undefined {
    return this.saves.at(-1);
  }

  /** Notes the outcome of the save that is being prepared. */
  settle(outcome: Outcome, session: string): void {
    const { current } = this;
    if (current === undefined) return;
    current.outcome = outcome;
    current.session = session;
  }

  /** Begins a save. */
  begin(kind: Save["kind"], session = ""): SaveNote {
    const mark = `${this.#id}${".".repeat(this.saves.length)}`;
    const save: SaveNote = { mark, kind, session, set: [], del: [], outcome: "none" };
    this.saves.push(save);
    return save;
  }

  /** Sets keys to values that name this save. */
  set(map: RaceMap, keys: readonly string[]): void {
    const { current } = this;
    for (const key of keys) {
      map.set(key, valueOf(current?.mark ?? "", key));
      if (current?.set.includes(key) === false) current.set.push(key);
    }
  }

  /** Removes the present ones of these keys, with tombstones. */
  del(map: RaceMap, keys: readonly string[]): void {
    for (const key of keys) {
      if (!map.has(key)) continue;
      map.del(key);
      this.current?.del.push(key);
      this.set(map, [tombstoneOf(key)]);
    }
  }

  /** Names the save that makes a new session. */
  setEpochIfNew(map: RaceMap): void {
    if (!map.has(EPOCH)) this.set(map, [EPOCH]);
  }
}
