// Stores that get wrong what an update expects of its keys.
import { applyChange, type SavedSession, type SessionChange } from "kocha-session";
import { PlainStore } from "./plain-store.ts";
import { miskeeping, misreading, type StoreMutant } from "./twists.ts";

type Expectation = NonNullable<SessionChange["expect"]>;
type Comparison = (held: string | undefined, expected: string | undefined) => boolean;

const VALUES = "L13 values: an update applies only while its key holds what it names";
const BYTES = "L13 bytes: what a key holds is compared byte for byte";
const KEYS = "L13 keys: every key that is named counts, and no other";
const STEP = "L13 step: it is looked at beside the revision, in the data before the change";
const WINNER = "L13 winner: of many that expect the same one applies";
const COUNTER = "L13 counter: raised by many at once, it loses nothing";

/** A store that looks at `expect` by another rule. */
function misjudging(
  fault: string,
  caughtBy: string,
  fits: (expect: Expectation, data: ReadonlyMap<string, string>) => boolean,
): StoreMutant {
  return misreading(fault, caughtBy, (change, row) => {
    const { expect, ...rest } = change;
    if (expect === undefined || row === undefined) return change;
    // No revision is 0, so that is refused.
    return fits(expect, row.data) ? rest : { ...rest, rev: 0 };
  });
}

/** A store that compares what a key holds otherwise than byte for byte. */
function miscomparing(fault: string, caughtBy: string, isSame: Comparison): StoreMutant {
  return misjudging(fault, caughtBy, (expect, data) =>
    [...expect].every(([key, value]) => isSame(data.get(key), value)),
  );
}

/** A comparison of what `fold` makes of both. */
function folding(fold: (value: string) => string): Comparison {
  return (held, expected) =>
    (held === undefined ? held : fold(held)) ===
    (expected === undefined ? expected : fold(expected));
}

/** The change with the keys of `expect` that `keeps` says. */
function expecting(change: SessionChange, keeps: (index: number) => boolean): SessionChange {
  const { expect } = change;
  if (expect === undefined) return change;
  return { ...change, expect: new Map([...expect].filter((_, index) => keeps(index))) };
}

/** Looks first and writes later, at what is there by then. */
class LateWriter extends PlainStore {
  override async save(key: string, change: SessionChange): Promise<SavedSession | undefined> {
    const { expect, ...rest } = change;
    if (expect === undefined) return super.save(key, change);
    const { refused } = applyChange(this.rows.get(key), change, this.now());
    await Promise.resolve();
    return refused ? undefined : super.save(key, rest);
  }
}

/** Looks at what its keys hold when the clear is done. */
class ClearFirst extends PlainStore {
  override async save(key: string, change: SessionChange): Promise<SavedSession | undefined> {
    const { expect, ...rest } = change;
    const row = this.rows.get(key);
    if (expect === undefined || change.clear !== true || row === undefined) {
      return super.save(key, change);
    }
    const cleared = { ...row, data: new Map<string, string>() };
    if (applyChange(cleared, { ...change, clear: false }, this.now()).refused) return undefined;
    return super.save(key, rest);
  }
}

/** Says that it refused, and has applied. */
class RefusesButApplies extends PlainStore {
  override async save(key: string, change: SessionChange): Promise<SavedSession | undefined> {
    const { expect, ...rest } = change;
    const { refused } = applyChange(this.rows.get(key), change, this.now());
    const saved = await super.save(key, rest);
    return expect !== undefined && refused ? undefined : saved;
  }
}

/** Takes any other write since the session's creation for a mismatch, as one version of it all would. */
class WholeVersions extends PlainStore {
  readonly #versions = new Map<string, number>();

  override async save(key: string, change: SessionChange): Promise<SavedSession | undefined> {
    const version = this.#versions.get(key) ?? 0;
    const isRead = change.expect === undefined || change.expect.size === 0;
    if (!isRead && version > 1) return undefined;
    const saved = await super.save(key, change);
    if (saved !== undefined) this.#versions.set(key, version + 1);
    return saved;
  }
}

/** Knows a change that comes again by its content: of two that raise a counter alike, one is lost. */
class ContentForNonce extends PlainStore {
  readonly #answers = new Map<string, Promise<SavedSession | undefined>>();

  override async save(key: string, change: SessionChange): Promise<SavedSession | undefined> {
    if (change.expect === undefined || change.set.size === 0) return super.save(key, change);
    const text = JSON.stringify([key, change.rev, [...change.expect], [...change.set]]);
    const known = this.#answers.get(text) ?? super.save(key, change);
    this.#answers.set(text, known);
    return known;
  }
}

/** Several for most cases. */
export const expectMutants: readonly StoreMutant[] = [
  miscomparing('an absent key that passes for ""', VALUES, (held, expected) => {
    return (held ?? "") === (expected ?? "");
  }),
  misjudging("no look at keys that must be absent", VALUES, (expect, data) =>
    [...expect].every(([key, value]) => value === undefined || data.get(key) === value),
  ),
  misjudging("no way to expect that a key is absent", VALUES, (expect, data) =>
    [...expect].every(([key, value]) => value !== undefined && data.get(key) === value),
  ),
  misreading("no look at `expect`", VALUES, (change) => expecting(change, () => false)),
  {
    fault: "a refusal that applies",
    caughtBy: VALUES,
    make: ({ now }) => new RefusesButApplies(now),
  },
  miscomparing(
    "values compared without case",
    BYTES,
    folding((value) => value.toLowerCase()),
  ),
  miscomparing(
    "values compared in NFC",
    BYTES,
    folding((value) => value.normalize("NFC")),
  ),
  miscomparing(
    "values compared without spaces at the end",
    BYTES,
    folding((value) => value.replace(/ +$/, "")),
  ),
  miscomparing(
    "values compared up to NUL",
    BYTES,
    folding((value) => value.split("\0", 1)[0] ?? ""),
  ),
  misreading("the first key looked at only", KEYS, (change) =>
    expecting(change, (index) => index === 0),
  ),
  misjudging(
    "one key that fits for all",
    KEYS,
    (expect, data) =>
      expect.size === 0 || [...expect].some(([key, value]) => data.get(key) === value),
  ),
  {
    fault: "a version of all keys together",
    caughtBy: KEYS,
    make: ({ now }) => new WholeVersions(now),
  },
  misreading("`expect` in place of the revision", STEP, (change, row) =>
    change.expect !== undefined && row !== undefined ? { ...change, rev: row.rev } : change,
  ),
  { fault: "a look after the clear", caughtBy: STEP, make: ({ now }) => new ClearFirst(now) },
  miskeeping("a revision raised by `expect`", STEP, (row, _, { expect }) =>
    expect === undefined ? row : { ...row, rev: row.rev + 1 },
  ),
  misreading("`del` dropped beside `expect`", STEP, (change) =>
    change.expect === undefined ? change : { ...change, del: [] },
  ),
  { fault: "a look before the step", caughtBy: WINNER, make: ({ now }) => new LateWriter(now) },
  {
    fault: "a change taken for another of the same content, sent again",
    caughtBy: COUNTER,
    make: ({ now }) => new ContentForNonce(now),
  },
];
