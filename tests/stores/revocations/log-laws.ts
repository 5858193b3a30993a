// What must hold of every log of revocations, R1 to R4 of revocations/revocations.ts, and of two processes'
// lists that follow one: as cases, since logs with a fault must fail them.
import fc from "fast-check";
import { type Revocations } from "kocha-session";
import {
  mergeRecords,
  type RevocationEntry,
  type RevocationLog,
  type RevocationRecord,
  toRecord,
} from "kocha-session/contract";
import { describe, expect, test } from "vitest";
import { DeadList } from "../../../src/revocations/dead-list.ts";
import type { FollowOptions } from "../../../src/revocations/follower.ts";
import { newSelector } from "../../../src/testing/history.ts";
import { until } from "../../support/until.ts";

/** One engine's log, as the tests need it. */
export interface LogSubject {
  readonly name: string;
  /** A log in a place of its own, with so many records in an answer. */
  readonly makeLog: (page?: number) => Promise<LogPlace>;
}

/** A place that a log is kept in. */
export interface LogPlace {
  readonly log: RevocationLog & Required<Pick<RevocationLog, "sweep">>;
  /** Revocations that follow it, as a user makes them. */
  readonly follow: (options: FollowOptions) => Revocations;
  /** All that is in it is gone, as after a restore of an empty backup. */
  readonly empty: () => Promise<void>;
}

const HOUR = 3_600_000;
/** How far clocks may be apart. */
const MINUTES_5 = 300_000;
const seed = Number(process.env["FC_SEED"] ?? 42);
const numRuns = Math.ceil(Number(process.env["FC_RUNS"] ?? 100) / 5);

const hostile = [
  "a'b\"c\\d",
  "\0",
  "a\0b",
  "~",
  "~0",
  " a  b ",
  "\n\r\t",
  "é\u{1F36A}",
  "-",
  "x".repeat(256),
];

/** All that a log has from a cursor on. */
async function readAll(
  log: RevocationLog,
  from?: string,
): Promise<{ records: RevocationRecord[]; cursor: string; pages: number }> {
  const records: RevocationRecord[] = [];
  let cursor = from;
  for (let pages = 1; ; pages++) {
    const page = await log.read(cursor);
    records.push(...page.records);
    cursor = page.cursor;
    if (!page.more) return { records, cursor, pages };
  }
}

async function comesBack(log: RevocationLog, subject: string): Promise<void> {
  const entry = { kind: "subject", id: subject, ttl: HOUR, except: newSelector() } as const;
  for (let round = 0; round < 2; round++) {
    const { record } = await log.append(entry);
    expect(record).toMatchObject({ id: subject, except: entry.except });
    const found = idsOf((await readAll(log)).records).filter((id) => id === subject);
    expect(found).toEqual([subject]);
  }
}

function idsOf(records: readonly RevocationRecord[]): string[] {
  return records.map(({ id }) => id);
}

/** An entry that ends a credential, with a nonce of its own unless one is given. */
function retirementOf(
  id: string,
  nonce: string = newSelector(),
  ttl: number = HOUR,
): RevocationEntry {
  return { kind: "credential", id, ttl, nonce };
}

const bob: RevocationEntry = { kind: "subject", id: "bob", ttl: HOUR };
const carol: RevocationEntry = { kind: "subject", id: "carol", ttl: HOUR };

/** What records say of every session that one of them could mean. */
function verdicts(subject: string, records: readonly RevocationRecord[]): unknown[] {
  const list = new DeadList();
  for (const record of records) list.add(record, 0);
  return [...spared, "else"].flatMap((id) =>
    Array.from({ length: 12 }, (_, step) => list.verdict({ id, subject, boundAt: step * STEP }, 0)),
  );
}
/** Instants so far apart that none is within another one's five minutes. */
const STEP = 2 * MINUTES_5;
const spared = ["one", "other", "third"] as const;

/** What must hold of one log. */
export interface LogCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** Registers what must hold. */
export function describeLog(subject: LogSubject): void {
  describe(`the log, ${subject.name}`, () => {
    test.each(logCases(subject))("$name", async ({ run }) => run());
  });
}

/** What must hold. */
export function logCases({ makeLog }: Pick<LogSubject, "makeLog">): LogCase[] {
  const cases: LogCase[] = [];
  const add = (name: string, run: () => Promise<void>): void => void cases.push({ name, run });

  add("R1 what was taken is read by whoever begins, and once by whoever goes on", async () => {
    const { log } = await makeLog();
    const begun = await log.read(undefined);
    expect(begun).toMatchObject({ records: [], more: false });
    const [first, second] = [newSelector(), newSelector()];
    const before = begun.now;
    const { record: taken } = await log.append({ kind: "session", id: first, ttl: HOUR });
    expect(taken).toMatchObject({ kind: "session", id: first, before: 0, exceptBefore: 0 });
    expect(taken.except).toBeUndefined();
    expect(taken.until - taken.at).toBe(HOUR);
    expect(taken.at).toBeGreaterThanOrEqual(Math.floor(before));
    const { records, cursor, now } = await log.read(begun.cursor);
    expect(records).toEqual([taken]);
    expect(now).toBeGreaterThanOrEqual(taken.at);
    const { record: late } = await log.append(retirementOf(second));
    expect((await log.read(undefined)).records).toHaveLength(2);
    const next = await log.read(cursor);
    expect(next.records).toContainEqual(late);
  });

  add("a subject is dead until five minutes past the log's now, or until earlier", async () => {
    const { log } = await makeLog();
    const { record: now } = await log.append({ kind: "subject", id: "alice", ttl: HOUR });
    expect(now.before).toBe(now.at + MINUTES_5);
    const { record: early } = await log.append({ ...bob, before: 5 });
    expect(early.before).toBe(5);
    const { record: never } = await log.append({ ...carol, before: 9e15 });
    expect(never.before).toBe(never.at + MINUTES_5);
  });

  add("a subject's next entry reaches past who logged in knowing of the one before", async () => {
    const { log } = await makeLog();
    const reachOf = async (entry: Partial<RevocationEntry>): Promise<number> =>
      (await log.append({ ...bob, ...entry })).record.before;
    expect(await reachOf({ before: 7 * STEP })).toBe(7 * STEP);
    // Who logs in knowing of it is bound a millisecond past it.
    expect(await reachOf({ before: 7 * STEP - MINUTES_5 })).toBe(7 * STEP + 1);
    expect(await reachOf({ before: 6 * STEP })).toBe(7 * STEP + 1);
    const ofNow = await reachOf({});
    expect(await reachOf({})).toBeGreaterThan(ofNow);
    // It is of the subject alone.
    const { record } = await log.append({ ...carol, before: 7 });
    expect(record.before).toBe(7);
  });

  add("a subject comes back byte for byte", async () => {
    const { log } = await makeLog();
    for (const subject of hostile) await comesBack(log, subject);
  });

  add("many entries of one subject are one record, which says what all of them say", async () => {
    const { log } = await makeLog();
    const entries = fc.array(
      fc.record({
        before: fc.integer({ min: 0, max: 9 }).map((step) => step * STEP),
        except: fc.option(fc.constantFrom(...spared), { nil: undefined }),
        ttl: fc.integer({ min: HOUR, max: 2 * HOUR }),
      }),
      { minLength: 1, maxLength: 5 },
    );
    let subjects = 0;
    const property = fc.asyncProperty(entries, async (list) => {
      const id = `subject ${++subjects}`;
      let expected: RevocationRecord | undefined;
      let found: RevocationRecord | undefined;
      for (const more of list) {
        const entry: RevocationEntry = { kind: "subject", id, ...more };
        const record = toRecord(entry, 9e9);
        expected = expected === undefined ? record : mergeRecords(expected, record);
        found = (await log.append(entry)).record;
      }
      const { records } = await readAll(log);
      const own = records.filter((record) => record.id === id);
      expect(own).toEqual([found]);
      expect(verdicts(id, own)).toEqual(verdicts(id, [expected as RevocationRecord]));
    });
    await fc.assert(property, { seed, numRuns });
  });

  add("entries at once are all there, and those of one subject are all in its record", async () => {
    const { log } = await makeLog();
    const ids = Array.from({ length: 40 }, newSelector);
    const begun = await log.read(undefined);
    await Promise.all(
      ids.map(async (id, index) => {
        await log.append({ kind: "session", id, ttl: HOUR });
        await log.append({
          kind: "subject",
          id: "alice",
          ttl: HOUR,
          before: index * STEP,
          except: id,
        });
      }),
    );
    const { records } = await readAll(log, begun.cursor);
    expect(new Set(idsOf(records))).toEqual(new Set([...ids, "alice"]));
    const alice = records.findLast(({ kind }) => kind === "subject");
    expect(alice).toMatchObject({
      before: 39 * STEP,
      except: ids[39],
      exceptBefore: 38 * STEP,
    });
  });

  add("R1 what comes while a long answer is read is found too", async () => {
    const { log } = await makeLog(20);
    const ids = Array.from({ length: 90 }, newSelector);
    await Promise.all(ids.map((id) => log.append({ kind: "session", id, ttl: HOUR })));
    const first = await log.read(undefined);
    expect(first.more).toBe(true);
    const late = newSelector();
    await log.append({ kind: "session", id: late, ttl: HOUR });
    const rest = await readAll(log, first.cursor);
    expect(rest.pages).toBeGreaterThan(1);
    const next = await readAll(log, rest.cursor);
    const found = new Set(idsOf([...first.records, ...rest.records, ...next.records]));
    expect(found).toEqual(new Set([...ids, late]));
  });

  add("R2 a cursor of before a restore finds all that is there", async () => {
    const { log, empty } = await makeLog();
    for (let count = 0; count < 5; count++) {
      await log.append({ kind: "session", id: newSelector(), ttl: HOUR });
    }
    const { cursor } = await readAll(log);
    await empty();
    const id = newSelector();
    await log.append({ kind: "session", id, ttl: HOUR });
    expect(idsOf((await readAll(log, cursor)).records)).toContain(id);
  });

  add("R3 what nothing needs any more is removed, and nothing else", async () => {
    const { log } = await makeLog();
    const kept = newSelector();
    const gone = Array.from({ length: 12 }, newSelector);
    for (const id of gone) await log.append({ kind: "session", id, ttl: 1 });
    await log.append({ kind: "subject", id: "alice", ttl: 1, except: kept });
    const { record: last } = await log.append({ kind: "session", id: kept, ttl: HOUR });
    await until("the entries' end", async () => (await log.read(undefined)).now > last.at + 1);
    let removed = 0;
    await until("the sweep", async () => {
      removed = await log.sweep(5);
      return removed < 5;
    });
    expect(idsOf((await readAll(log)).records)).toEqual([kept]);
    // The subject is as if nobody had spared anyone.
    const { record: again } = await log.append({
      kind: "subject",
      id: "alice",
      ttl: HOUR,
      before: 3,
    });
    expect(again).toMatchObject({ before: 3, exceptBefore: 0 });
  });

  add("R4 of the entries of one credential the first is first, and no later one", async () => {
    const { log } = await makeLog();
    const id = newSelector();
    const first = await log.append(retirementOf(id));
    const later = await log.append(retirementOf(id, newSelector(), 2 * HOUR));
    expect([first.isFirst, later.isFirst]).toEqual([true, false]);
    // One record, retired when the first came, and kept as long as either says.
    expect(later.record.at).toBe(first.record.at);
    expect(later.record.until).toBeGreaterThanOrEqual(first.record.until + HOUR);
    expect((await readAll(log)).records.filter((record) => record.id === id)).toEqual([
      later.record,
    ]);
    const other = await log.append(retirementOf(newSelector()));
    expect(other.isFirst).toBe(true);
  });

  add("R4 entries of one credential at once have one first", async () => {
    const { log } = await makeLog();
    for (let round = 0; round < 10; round++) {
      const id = newSelector();
      const appended = await Promise.all(
        Array.from({ length: 8 }, async () => log.append(retirementOf(id))),
      );
      expect(appended.filter(({ isFirst }) => isFirst)).toHaveLength(1);
    }
  });

  add("R4 an entry that comes again is as first as it was", async () => {
    const { log } = await makeLog();
    const id = newSelector();
    const [one, other] = [newSelector(), newSelector()];
    const nonces = [one, one, other, one, other];
    const answers: boolean[] = [];
    for (const nonce of nonces) answers.push((await log.append(retirementOf(id, nonce))).isFirst);
    expect(answers).toEqual([true, true, false, true, false]);
  });

  add("R4 a session and a credential of one id have nothing to do with each other", async () => {
    const { log } = await makeLog();
    const id = newSelector();
    const ended = await log.append({ kind: "session", id, ttl: HOUR });
    await log.append({ kind: "subject", id, ttl: HOUR });
    const retired = await log.append(retirementOf(id));
    expect([ended.isFirst, retired.isFirst]).toEqual([true, true]);
    const kinds = (await readAll(log)).records.map(({ kind }) => kind);
    expect(kinds.toSorted((one, other) => one.localeCompare(other))).toEqual([
      "credential",
      "session",
      "subject",
    ]);
  });

  add("R4 a credential whose record was removed begins anew", async () => {
    const { log } = await makeLog();
    const id = newSelector();
    const { record } = await log.append(retirementOf(id, newSelector(), 1));
    await until("the entry's end", async () => (await log.read(undefined)).now > record.at + 1);
    await until("the sweep", async () => {
      await log.sweep(5);
      return (await readAll(log)).records.length === 0;
    });
    expect((await log.append(retirementOf(id))).isFirst).toBe(true);
  });

  add("two lists that follow it agree", async () => {
    const { follow } = await makeLog();
    const lists = [1, 2].map(() => follow({ pollInterval: 0.02, maxStaleness: 30 }));
    const [here, there] = lists as [Revocations, Revocations];
    try {
      const limits = { idle: HOUR, absolute: HOUR, timeout: 30_000 };
      for (const list of lists) list.cover(limits);
      await Promise.all(lists.map(async (list) => list.ready()));
      const size = (list: Revocations): number => (list as unknown as { size: number }).size;
      await here.revoke(newSelector());
      await here.revokeSubject("alice");
      expect(size(here)).toBe(2);
      await until("the other list", () => size(there) === 2);
    } finally {
      for (const list of lists) list.close();
    }
  });
  return cases;
}
