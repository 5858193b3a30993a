// The setting of the contract's cases: stores of one kind, a row in one of them, and the cases'
// conditions. It knows no clause.
import type { SessionConfig } from "../../engine/config.ts";
import {
  type AnySessionStore,
  isSealed,
  type SavedSession,
  type SessionChange,
  type SessionStore,
  type StoreCapabilities,
  type StoredSession,
} from "../../store/contract.ts";
import { type ConformanceCase, defineCase } from "../case.ts";
import type { TestClock } from "../clock.ts";
import { newSelector } from "../history.ts";
import { Browsers } from "./browsers.ts";

/** Makes a fresh, empty store, with a function that closes it. */
export type MakeStore = () => Promise<{
  readonly store: AnySessionStore;
  /** What else the laws' configuration needs for it, such as revocations of its own. */
  readonly config?: Omit<SessionConfig, "store">;
  /**
   * Holds the driver's call that writes the next update back until the returned function is called. With
   * it, hanging calls (S10) are tested, too.
   */
  readonly hang?: () => () => void;
  readonly close: () => Promise<void> | void;
}>;

/** The options of the contract's cases. */
export interface ContractOptions {
  readonly name: string;
  readonly clock: TestClock;
  readonly hasFakeClock: boolean;
  readonly seed: number;
  readonly runs: number;
  /** The resolution of the store's times, in milliseconds. */
  readonly resolutionMs: number;
  readonly sealed: boolean;
  readonly capabilities: StoreCapabilities;
  readonly sweeps: boolean;
  /** True if rows have no place for a revision, a generation, a subject and notes. */
  readonly foreignRows: boolean;
}

/** The setting of a group of cases. */
export interface ContractSetting {
  readonly makeStore: MakeStore;
  readonly options: ContractOptions;
  /** For each kind of case true if it applies to the store, else the reason. */
  readonly applies: {
    /** Needs a store that keeps the session itself. */
    readonly atRest: true | string;
    readonly atomic: true | string;
    /** Needs a store that keeps S9. */
    readonly expects: true | string;
    readonly lists: true | string;
    readonly sweeps: true | string;
    /** Needs rows with a revision and a generation. */
    readonly counted: true | string;
  };
  /** A case with a store of its own; a sealed one as its clients make a store of it. */
  readonly define: (
    id: string,
    clause: string,
    applies: true | string,
    test: (store: SessionStore) => Promise<void>,
  ) => ConformanceCase;
}

/** The reason that a case doesn't apply to another library's rows. */
export const UNCOUNTED =
  "another library's rows have no place for a revision, a generation, a subject and notes";

/** The setting of all groups. */
export function settingOf(makeStore: MakeStore, options: ContractOptions): ContractSetting {
  const { name, sealed, capabilities, foreignRows } = options;
  const atRest = sealed ? "a cookie session is not at rest anywhere: its client holds it" : true;
  const isAtomic = capabilities.atomic === true ? true : "the store says that it isn't atomic";
  const isExpecting =
    capabilities.expects === true ? true : "the store says that it doesn't look at `expect`";
  const isListing = capabilities.lists === true && !sealed;
  return {
    makeStore,
    options,
    applies: {
      atRest,
      atomic: sealed ? atRest : isAtomic,
      expects: sealed ? atRest : isExpecting,
      lists: isListing ? true : "the store says that it doesn't list",
      sweeps: options.sweeps ? true : "the store has no sweep: it expires by itself",
      counted: foreignRows ? UNCOUNTED : true,
    },
    define: (id, clause, applies, test) => {
      const run = async (): Promise<void> => {
        const { store, close } = await makeStore();
        try {
          await test(storeOf(store, options.clock));
        } finally {
          await close();
        }
      };
      return defineCase(name, { id, clause, applies, run });
    },
  };
}

/** A store that the contract's cases run on. */
export function storeOf(store: AnySessionStore, clock: TestClock): SessionStore {
  return isSealed(store) ? new Browsers(store, clock) : store;
}

/** Milliseconds. */
export const HOUR = 3_600_000;
/** Keys and values that have broken stores before. */
export const hostile: readonly string[] = [
  "",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "a'b\"c`d\\e",
  "; DROP TABLE",
  "${x}",
  "%00",
  "\0",
  "a\0b",
  "\n\r\t",
  "\u{1F36A}",
  "\u{10FFFF}",
  "\uFEFF",
  "\uFFFD",
  "é",
  "e\u0301",
  "null",
  "undefined",
  "{}",
  "[]",
  "\u2028",
];

/** A session in a store. */
export class Row {
  readonly store: SessionStore;
  readonly selector: string = newSelector();

  constructor(store: SessionStore) {
    this.store = store;
  }

  /** An update that renews by an hour and has no deadline, except what `change` says. */
  async save(change: Partial<SessionChange>): Promise<SavedSession | undefined> {
    const base = { op: "update", set: new Map(), del: [], ttl: HOUR, deadline: Infinity } as const;
    return this.store.save(this.selector, { ...base, ...change });
  }

  create(
    entries: Record<string, string> = {},
    more: Partial<SessionChange> = {},
  ): Promise<SavedSession | undefined> {
    return this.save({ op: "create", set: new Map(Object.entries(entries)), meta: "m", ...more });
  }

  async load(): Promise<StoredSession | undefined> {
    return this.store.load(this.selector);
  }

  async data(): Promise<ReadonlyMap<string, string> | undefined> {
    return (await this.load())?.data;
  }
}

/** Entries of a session. */
export function entriesOf(pairs: Record<string, string>): Map<string, string> {
  return new Map(Object.entries(pairs));
}
