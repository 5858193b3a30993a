// Random histories of a store against the reference semantics, `applyChange`: answers and content must
// be equal after each step. A peer dependency, loaded when it is needed, draws the histories.
import type * as FastCheck from "fast-check";
import { type AppliedChange, applyChange, endingChange, toSaved } from "../store/change.ts";
import type { SessionChange, SessionStore, StoredSession } from "../store/contract.ts";
import { mustEqual, plain } from "./case.ts";
import type { TestClock } from "./clock.ts";

/** One step, independent of the store's content. */
interface Step {
  readonly op: "create" | "update" | "destroy" | "renew";
  readonly row: number;
  readonly clear: boolean;
  readonly bump: boolean;
  readonly shrinks: boolean;
  readonly isStale: boolean;
  readonly set: readonly (readonly [string, string])[];
  readonly del: readonly string[];
  /** Keys that the change expects something of: what they hold, nothing, or one of the values. */
  readonly expect: readonly (readonly [string, "held" | "absent" | "other", string])[];
  readonly ttl: number;
  readonly deadline: number;
  readonly meta: string | undefined;
  readonly subject: string | null | undefined;
  readonly wait: number;
}

const HOUR = 3_600_000;
const keyNames = [
  "a",
  "b",
  "",
  "__proto__",
  "constructor",
  "quo\"te's\\",
  "\0",
  "\u{1F36A}",
  "é",
  "%",
];
const values = [
  "",
  "1",
  "two words",
  "\0\u0001",
  "\u{1F36A}\uFEFF",
  '{"json":[1]}',
  "x".repeat(300),
];

/** Steps over a few rows; waits and ends are far apart, so that no clock decides a tie. */
function stepArbitrary(fc: typeof FastCheck): FastCheck.Arbitrary<Step> {
  const key = fc.constantFrom(...keyNames);
  return fc.record({
    op: fc.constantFrom("create", "update", "update", "update", "renew", "destroy"),
    row: fc.integer({ min: 0, max: 1 }),
    clear: fc.boolean(),
    bump: fc.boolean(),
    shrinks: fc.boolean(),
    isStale: fc.integer({ min: 0, max: 4 }).map((dice) => dice === 0),
    set: fc.array(fc.tuple(key, fc.constantFrom(...values)), { maxLength: 4 }),
    del: fc.array(key, { maxLength: 2 }),
    expect: fc.array(
      fc.tuple(
        key,
        fc.constantFrom("held", "held", "held", "absent", "other"),
        fc.constantFrom(...values),
      ),
      { maxLength: 2 },
    ),
    ttl: fc.constantFrom(HOUR, 2 * HOUR, Infinity),
    deadline: fc.constantFrom(5 * HOUR, Infinity),
    meta: fc.constantFrom(undefined, undefined, "m1", "m2"),
    subject: fc.constantFrom(undefined, undefined, "alice", null),
    wait: fc.constantFrom(0, 0, HOUR / 2, HOUR + 1000),
  });
}

/** How a history is run. */
export interface HistoryOptions {
  readonly seed: number;
  readonly runs: number;
  readonly clock: TestClock;
  /** True on a fake clock: then time passes in histories, too. */
  readonly canWait: boolean;
  /** Whether updates name what their keys must hold: only where the store looks at it. */
  readonly expects: boolean;
  /** Whether its sessions are in cookies: they have no generation and no notes. */
  readonly sealed: boolean;
  /** Whether rows have no revision, generation, subject and notes, and always an end. */
  readonly foreignRows: boolean;
}

/**
 * Runs random histories.
 * @throws {Error} with the seed and the shortest history that shows the difference.
 */
export async function checkHistories(
  makeStore: () => Promise<{
    readonly store: SessionStore;
    readonly close: () => Promise<void> | void;
  }>,
  options: HistoryOptions,
): Promise<void> {
  const fc = await import("fast-check");
  const { seed, runs } = options;
  const property = fc.asyncProperty(
    fc.array(stepArbitrary(fc), { maxLength: 20 }),
    async (steps) => {
      const { store, close } = await makeStore();
      try {
        await runHistory(store, steps, options);
      } finally {
        await close();
      }
    },
  );
  const result = await fc.check(property, { seed, numRuns: runs });
  if (!result.failed) return;
  const history = (result.counterexample?.[0] ?? []).map((step) => `\n  ${plain(step)}`).join("");
  const reason = result.errorInstance instanceof Error ? result.errorInstance.message : "";
  throw new Error(`${reason} (seed ${seed}), after the history:${history}`);
}

async function runHistory(
  store: SessionStore,
  steps: readonly Step[],
  { clock, canWait, expects, sealed, foreignRows }: HistoryOptions,
): Promise<void> {
  const rows = Array.from({ length: 2 }, () => ({
    selector: newSelector(),
    stored: undefined as StoredSession | undefined,
    deadline: Infinity,
  }));
  for (const drawn of steps) {
    const row = rows[drawn.row];
    if (row === undefined) continue;
    // Most steps need a session; every fifth runs without one.
    const isMissing = row.stored === undefined && drawn.op !== "destroy" && !drawn.isStale;
    const step: Step = isMissing ? { ...drawn, op: "create" } : drawn;
    if (canWait) await clock.advance(step.wait);
    const isLive = row.stored !== undefined && row.stored.expires > clock.now();
    // A sealed session that is created takes the place of what its client brought.
    if (sealed && step.op === "create" && isLive) continue;
    const kept = foreignRows ? withoutNotes(step) : step;
    const change = toChange(expects ? kept : { ...kept, expect: [] }, row, sealed, clock.now());
    const applied = applyChange(row.stored, change, clock.now());
    const expected = foreignRows ? withoutCounters(applied) : applied;
    const saved = await store.save(row.selector, change);
    const wanted = expected.refused ? undefined : toSaved(expected.stored);
    if (wanted === undefined || saved === undefined) {
      mustEqual(saved, wanted, `what save answers to ${plain(step)}`);
    } else if (!expected.refused) {
      mustEqual(saved.rev, wanted.rev, "rev");
      if (!sealed) mustEqual(saved.generation, wanted.generation, "generation");
      mustBeNear(saved.expires, wanted.expires);
    }
    row.stored = expected.stored;
    if (change.op === "create" && !expected.refused) row.deadline = change.deadline;
    await compare(store, row.selector, row.stored, clock.now(), sealed || foreignRows);
  }
}

/** The step, as far as rows without notes can hold its outcome. */
function withoutNotes(step: Step): Step {
  const ttl = step.ttl === Infinity ? 3 * HOUR : step.ttl;
  return { ...step, ttl, bump: false, meta: undefined, subject: undefined };
}

function withoutCounters({ refused, stored }: AppliedChange): AppliedChange {
  return { refused, stored: stored && { ...stored, rev: 1, generation: 1 } };
}

function toChange(
  step: Step,
  row: { readonly stored: StoredSession | undefined; readonly deadline: number },
  sealed: boolean,
  now: number,
): SessionChange {
  const { set, del, ttl, meta, subject } = step;
  if (step.op === "destroy") return endingChange();
  // The deadline is fixed at creation: it is the row's own from then on.
  const deadline = step.op === "create" ? now + step.deadline : row.deadline;
  const extra = { ...(meta !== undefined && { meta }), ...(subject !== undefined && { subject }) };
  if (step.op === "create") {
    return { op: "create", set: new Map(set), del: [], ttl, deadline, meta: "m0", ...extra };
  }
  const rev = (row.stored?.rev ?? 1) + (step.isStale ? 1 : 0);
  if (step.op === "renew") return { op: "update", rev, set: new Map(), del: [], ttl, deadline };
  return {
    op: "update",
    rev,
    ...(step.clear && { clear: true }),
    ...(step.bump && { bump: true }),
    ...(step.expect.length > 0 && { expect: expectationOf(step, row.stored) }),
    // A sealed session ends earlier only by a lifetime of its own.
    ...(step.shrinks && { shrinks: true, ...(sealed && { meta: "a lifetime" }) }),
    set: new Map(set),
    del,
    ttl,
    deadline,
    ...extra,
  };
}

function expectationOf(
  { expect }: Step,
  stored: StoredSession | undefined,
): ReadonlyMap<string, string | undefined> {
  const valueOf = { held: (key: string) => stored?.data.get(key), absent: () => undefined };
  return new Map(
    expect.map(([key, kind, other]) => [key, kind === "other" ? other : valueOf[kind](key)]),
  );
}

async function compare(
  store: SessionStore,
  selector: string,
  stored: StoredSession | undefined,
  now: number,
  hasNoNotes: boolean,
): Promise<void> {
  const live = stored !== undefined && stored.expires > now ? stored : undefined;
  const loaded = await store.load(selector);
  if (live === undefined || loaded === undefined) {
    mustEqual(loaded, live, "what load gives");
    return;
  }
  mustEqual(loaded.data, live.data, "the data");
  mustEqual(loaded.rev, live.rev, "rev");
  if (!hasNoNotes) {
    mustEqual([loaded.generation, loaded.meta], [live.generation, live.meta], "generation, meta");
  }
  mustBeNear(loaded.expires, live.expires);
}

/** Stores may keep whole seconds, rounded up, and a real clock goes on between two calls. */
function mustBeNear(actual: number, expected: number): void {
  const near = actual === expected || Math.abs(actual - expected) <= 2000;
  if (!near) throw new Error(`expires: expected ${expected}, found ${actual}`);
}

/** A row's id as the engine mints it: base64url of 16 random bytes. */
export function newSelector(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
