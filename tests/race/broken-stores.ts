// Stores that are right but for one fault each, slow at every step: what a history checker is for.
import {
  applyChange,
  type SavedSession,
  type SessionChange,
  type SessionStore,
  type StoredSession,
  toSaved,
} from "kocha-session";
import type { RaceOptions } from "../../trials/race/driver.ts";
import { decodeMeta, encodeMeta } from "../../src/engine/ticketed/meta.ts";
import type { SeededRandom } from "../../trials/fuzz/random.ts";
import type { RuleName } from "../../trials/race/violation.ts";
import { PlainStore } from "./plain-store.ts";
import type { SlowStore, VirtualTime } from "./virtual.ts";

/** A change that any row takes, whatever it was made from. */
function unfenced(change: SessionChange, row: StoredSession | undefined): SessionChange {
  return change.op === "update" && row !== undefined ? { ...change, rev: row.rev } : change;
}

/** An update that inserts what it finds missing. */
function inserting(change: SessionChange, row: StoredSession | undefined): SessionChange {
  if (change.op !== "update" || row !== undefined) return change;
  return { ...change, op: "create", meta: change.meta ?? "[2,0,null,0,null,0,null,null,0]" };
}

/** Reads everything, dawdles, and writes everything: what express-session's stores do. */
class BlobUpsert extends PlainStore {
  override async apply(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    const row = this.find(selector);
    await this.pause(30);
    const whole = inserting(unfenced(change, row), row);
    const { refused, stored } = applyChange(row, whole, this.time.now());
    return refused ? undefined : this.put(selector, stored);
  }
}

class BlobUpdate extends PlainStore {
  override async apply(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    const row = this.find(selector);
    await this.pause(30);
    if (change.op === "update" && this.find(selector) === undefined) return undefined;
    const { refused, stored } = applyChange(row, unfenced(change, row), this.time.now());
    return refused ? undefined : this.put(selector, stored);
  }
}

class UpsertOnUpdate extends PlainStore {
  override apply(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    return super.apply(selector, inserting(change, this.find(selector)));
  }
}

class TornKeys extends PlainStore {
  override async apply(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    const [first, ...rest] = change.set;
    if (change.op !== "update" || first === undefined || rest.length === 0) {
      return super.apply(selector, change);
    }
    const saved = await super.apply(selector, { ...change, set: new Map([first]) });
    await this.pause(10);
    if (saved === undefined) return undefined;
    return super.apply(selector, {
      ...change,
      rev: saved.rev,
      bump: false,
      clear: false,
      set: new Map(rest),
    });
  }
}

class AcksRefused extends PlainStore {
  override async apply(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    const saved = await super.apply(selector, change);
    return (
      saved ??
      toSaved(
        this.find(selector) ?? { data: new Map(), rev: 1, generation: 1, expires: 1, meta: "" },
      )
    );
  }
}

class NoFence extends PlainStore {
  override apply(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    return super.apply(selector, unfenced(change, this.find(selector)));
  }
}

/** Takes a binding from whoever comes, whatever it was made from. */
class BindsUnfenced extends PlainStore {
  override apply(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    const isBind = change.subject !== undefined && change.bump !== true;
    return super.apply(selector, isBind ? unfenced(change, this.find(selector)) : change);
  }
}

/** Takes an update whatever its keys hold. */
class IgnoresExpect extends PlainStore {
  override apply(selector: string, { expect: _, ...change }: SessionChange) {
    return super.apply(selector, change);
  }
}

/** Looks at what its keys hold, dawdles, and writes. */
class LooksFirst extends PlainStore {
  override async apply(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    const { expect, ...rest } = change;
    if (expect === undefined) return super.apply(selector, change);
    if (applyChange(this.find(selector), change, this.time.now()).refused) return undefined;
    await this.pause(10);
    return super.apply(selector, rest);
  }
}

/** Changes a row as it is written. */
class Rewriting extends PlainStore {
  rewrite(
    _after: StoredSession,
    _before: StoredSession | undefined,
    _change: SessionChange,
  ): Partial<StoredSession> {
    return {};
  }

  override async apply(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    const before = this.find(selector);
    const { refused, stored } = applyChange(before, change, this.time.now());
    if (refused) return undefined;
    if (stored === undefined) return this.put(selector, stored);
    return this.put(selector, { ...stored, ...this.rewrite(stored, before, change) });
  }
}

/** Counts a barrier in the engine's own notes wherever they change. */
class NotesAreBarriers extends Rewriting {
  override rewrite(
    after: StoredSession,
    before: StoredSession | undefined,
    change: SessionChange,
  ): Partial<StoredSession> {
    if (before === undefined || change.meta === undefined) return {};
    const notes = decodeMeta(after.meta);
    if (notes === undefined) throw new Error("these notes are no engine's");
    return { meta: encodeMeta({ ...notes, barriers: notes.barriers + 1 }) };
  }
}

class KeepsGeneration extends Rewriting {
  override rewrite(): Partial<StoredSession> {
    return { generation: 1 };
  }
}

class ClearIsNoBarrier extends Rewriting {
  override rewrite(
    after: StoredSession,
    before: StoredSession | undefined,
    { bump }: SessionChange,
  ) {
    return { rev: bump === true ? after.rev : (before?.rev ?? 1) };
  }
}

class BumpIsNoBarrier extends Rewriting {
  override rewrite(
    after: StoredSession,
    before: StoredSession | undefined,
    { bump }: SessionChange,
  ) {
    return { rev: bump === true ? (before?.rev ?? 1) : after.rev };
  }
}

class CutsValues extends Rewriting {
  override rewrite(after: StoredSession): Partial<StoredSession> {
    return { data: new Map(Array.from(after.data, ([key, value]) => [key, value.slice(0, 1000)])) };
  }
}

class ForgetsRemovals extends Rewriting {
  override rewrite(after: StoredSession, before: StoredSession | undefined, change: SessionChange) {
    const kept = change.del.flatMap((key) => {
      const value = before?.data.get(key);
      return value === undefined || change.clear === true ? [] : [[key, value] as const];
    });
    return { data: new Map([...after.data, ...kept]) };
  }
}

class DropsSets extends PlainStore {
  override apply(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    const drops = change.op === "update" && change.set.size === 1 && this.chance(10);
    return super.apply(selector, drops ? { ...change, set: new Map() } : change);
  }
}

class SavesWhatItRefuses extends PlainStore {
  override async apply(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    const saved = await super.apply(selector, change);
    return change.op === "update" && this.chance(3) ? undefined : saved;
  }
}

class RefusesAtRandom extends PlainStore {
  override async apply(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    if (change.op === "update" && change.set.size > 0 && this.chance(3)) return undefined;
    return super.apply(selector, change);
  }
}

class SwapsRows extends PlainStore {
  override find(selector: string): StoredSession | undefined {
    const [other] = this.rows.values();
    return this.chance(1) ? (other ?? super.find(selector)) : super.find(selector);
  }
}

class Evicts extends PlainStore {
  override find(selector: string): StoredSession | undefined {
    if (this.chance(1)) this.rows.delete(selector);
    return super.find(selector);
  }
}

class NeverExpires extends PlainStore {
  override find(selector: string): StoredSession | undefined {
    const row = this.rows.get(selector);
    // The engine itself takes a row for dead that is long past the end that it names.
    return row && { ...row, expires: Math.max(row.expires, this.time.now() + 1000) };
  }
}

class ShrinksAtRenewal extends Rewriting {
  override rewrite(after: StoredSession, before: StoredSession | undefined, change: SessionChange) {
    const isRenewal = change.op === "update" && change.set.size === 0 && change.bump !== true;
    return { expires: isRenewal && before ? before.expires - 1100 : after.expires };
  }
}

/** Answers from what it held some time ago, as a replica does that lags. */
class LagsBehind extends PlainStore {
  readonly #past: {
    readonly at: number;
    readonly selector: string;
    readonly row: StoredSession | undefined;
  }[] = [];

  override put(selector: string, stored: StoredSession | undefined): SavedSession {
    this.#past.push({ at: this.time.now(), selector, row: stored });
    return super.put(selector, stored);
  }

  override find(selector: string): StoredSession | undefined {
    const then = this.time.now() - 15;
    const known = this.#past.findLast(
      (version) => version.selector === selector && version.at <= then,
    );
    return known === undefined ? super.find(selector) : known.row;
  }
}

/** Acknowledges at once and writes a little later. */
class WritesBehind extends PlainStore {
  override async apply(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    const { refused, stored } = applyChange(this.rows.get(selector), change, this.time.now());
    if (refused) return undefined;
    void this.time.sleep(12).then(() => super.apply(selector, change));
    return toSaved(stored);
  }
}

class MissesInTheIndex extends PlainStore {
  override bind(selector: string, subject: string): void {
    if (this.chance(70)) super.bind(selector, subject);
  }
}

class KeepsOldSubjects extends PlainStore {
  override bind(selector: string, subject: string): void {
    if (!this.subjects.has(selector)) super.bind(selector, subject);
  }
}

class EndsSome extends PlainStore {
  override end(selector: string): void {
    if (this.chance(50)) super.end(selector);
  }
}

class EndsTheException extends PlainStore {
  override destroyAll(subject: string): Promise<number> {
    return super.destroyAll(subject);
  }
}

/** A fault, and the rules by whose names a history of it must be convicted. */
export interface BrokenStore {
  readonly fault: string;
  readonly convictedOf: readonly RuleName[];
  readonly make: SlowStore;
  /** What a full race must be like to bring a rare fault to light. */
  readonly race: Partial<RaceOptions>;
  /** How many requests do so with the seed 1; undefined: only a full race is long enough. */
  readonly brief: number | undefined;
}

type StoreClass = new (time: VirtualTime, random: SeededRandom) => SessionStore;

function broken(fault: string, Store: StoreClass, ...convictedOf: RuleName[]): BrokenStore {
  return {
    fault,
    convictedOf,
    make: (time, random) => new Store(time, random),
    race: {},
    brief: 300,
  };
}

/** A race of people who sign each other out, for faults of the index. */
const busySignOuts = { people: 2, signOuts: 40, operations: 3000, longestLife: 300 } as const;

/** One store for each fault. */
export const brokenStores: readonly BrokenStore[] = [
  broken(
    "writes whole sessions, and inserts what is gone",
    BlobUpsert,
    "L1 lost update",
    "L2 resurrection",
    "L2 write after logout",
    "L3 barrier undone",
  ),
  broken(
    "writes whole sessions over what is there",
    BlobUpdate,
    "L1 lost update",
    "L3 barrier undone",
  ),
  {
    ...broken("inserts by an update", UpsertOnUpdate, "L2 resurrection", "L2 write after logout"),
    race: { operations: 3000 },
    brief: undefined,
  },
  broken("saves the keys of one change one by one", TornKeys, "S2 half a save"),
  broken(
    "acknowledges what it refuses",
    AcksRefused,
    "L3 two barriers from one",
    "L4 two successors",
  ),
  broken("ignores the fence", NoFence, "L3 change across a barrier", "L3 two barriers from one"),
  broken(
    "keeps the generation at a regenerate",
    KeepsGeneration,
    "L4 old credential reads",
    "L4 old credential writes",
  ),
  broken("doesn't raise the fence at a clear", ClearIsNoBarrier, "L3 change across a barrier"),
  {
    ...broken("doesn't raise the fence at a regenerate", BumpIsNoBarrier, "L4 two successors"),
    brief: undefined,
  },
  broken("refuses a write for a binding", NotesAreBarriers, "L1 refused without a barrier"),
  {
    ...broken("takes a binding from whoever comes", BindsUnfenced, "L1 two bindings from one"),
    race: { operations: 3000 },
    brief: 1500,
  },
  {
    ...broken(
      "doesn't look at what is expected",
      IgnoresExpect,
      "L13 lost increment",
      "L13 double take",
    ),
    race: { operations: 4000 },
    brief: 1500,
  },
  {
    ...broken(
      "looks at what is expected before it writes",
      LooksFirst,
      "L13 lost increment",
      "L13 double take",
    ),
    race: { operations: 4000 },
    brief: undefined,
  },
  broken("cuts long values", CutsValues, "S8 value that nobody wrote"),
  broken("forgets to remove", ForgetsRemovals, "L1 lost update"),
  broken("drops a set now and then", DropsSets, "L1 lost update"),
  broken("saves what it refuses", SavesWhatItRefuses, "L8 refused but visible"),
  broken("refuses at random", RefusesAtRandom, "L1 refused without a barrier"),
  broken("gives another's row now and then", SwapsRows, "S8 value that nobody wrote"),
  broken("loses a session now and then", Evicts, "L9 vanished"),
  broken("never lets a session expire", NeverExpires, "S7 alive after its end"),
  { ...broken("shortens at a renewal", ShrinksAtRenewal, "S6 end shrank"), race: { slowOneIn: 1 } },
  broken(
    "answers from a replica that lags",
    LagsBehind,
    "L1 lost update",
    "L2 resurrection",
    "L3 barrier undone",
  ),
  broken("acknowledges before it writes", WritesBehind, "L1 lost update"),
  {
    ...broken("misses sessions in its index", MissesInTheIndex, "L2 not listed"),
    race: busySignOuts,
  },
  {
    ...broken("keeps a session under its first subject", KeepsOldSubjects, "L2 not listed"),
    // A session that is bound to another subject seldom lives on until that one's are listed.
    race: { ...busySignOuts, operations: 9000 },
    brief: undefined,
  },
  { ...broken("signs out only some", EndsSome, "L2 resurrection"), race: busySignOuts },
  {
    ...broken("signs out the one that is to stay", EndsTheException, "L9 vanished"),
    race: busySignOuts,
  },
];
