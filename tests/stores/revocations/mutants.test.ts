// The log's laws are tested themselves: a log with one fault fails the one case that is there for it.
import {
  type AppendedRevocation,
  mergeRecords,
  type RevocationEntry,
  type RevocationPage,
} from "kocha-session/contract";
import { describe, expect, test } from "vitest";
import { describeLog, logCases } from "./log-laws.ts";
import { PlainLog, type PlainRow } from "./plain-log.ts";

describeLog({ name: "in memory", makeLog: async (page) => PlainLog.place(new PlainLog(page)) });

/** Of one credential it keeps what the first entry said, and not how long a later one needs it. */
class FirstEnd extends PlainLog {
  protected override merge(
    known: PlainRow | undefined,
    entry: RevocationEntry,
  ): Omit<PlainRow, "place"> {
    return known !== undefined && entry.kind === "credential" ? known : super.merge(known, entry);
  }
}

/** It looks, and takes the entry in a moment later. */
class LateLook extends PlainLog {
  override async append(entry: RevocationEntry): Promise<AppendedRevocation> {
    const known = this.rows.get(`${entry.kind} ${entry.id}`);
    await Promise.resolve();
    const { record } = await super.append(entry);
    const isFirst = known === undefined || known.nonce === entry.nonce;
    return { record, isFirst: entry.kind !== "credential" || isFirst };
  }
}

/** An entry that is there already is never the first, though it is the same one. */
class RetryIsLate extends PlainLog {
  override async append(entry: RevocationEntry): Promise<AppendedRevocation> {
    const isKnown = this.rows.has(`${entry.kind} ${entry.id}`);
    const { record } = await super.append(entry);
    return { record, isFirst: entry.kind !== "credential" || !isKnown };
  }
}

/** A session and a credential of one id are one row's. */
class OneIdForAll extends PlainLog {
  override async append(entry: RevocationEntry): Promise<AppendedRevocation> {
    const isKnown = this.rows.has(`session ${entry.id}`);
    const appended = await super.append(entry);
    return { ...appended, isFirst: appended.isFirst && !isKnown };
  }
}

/** Nonces outlive their records. */
class NoncesStay extends PlainLog {
  readonly #nonces = new Map<string, string | undefined>();
  protected override merge(
    known: PlainRow | undefined,
    entry: RevocationEntry,
  ): Omit<PlainRow, "place"> {
    const row = super.merge(known, entry);
    const name = `${entry.kind} ${entry.id}`;
    const nonce = this.#nonces.has(name) ? this.#nonces.get(name) : row.nonce;
    this.#nonces.set(name, nonce);
    return { ...row, nonce };
  }
}

/** A revocation of now reaches to now, as if no clock were ever wrong. */
class ExactNow extends PlainLog {
  protected override merge(
    known: PlainRow | undefined,
    entry: RevocationEntry,
  ): Omit<PlainRow, "place"> {
    const isOfNow = entry.before === undefined || entry.before >= this.now;
    return super.merge(known, isOfNow ? { ...entry, before: this.now - 1 } : entry);
  }
}

/** It takes a subject's entry in without a look at the one before. */
class NoEarlier extends PlainLog {
  protected override merge(
    known: PlainRow | undefined,
    entry: RevocationEntry,
  ): Omit<PlainRow, "place"> {
    const row = super.merge(undefined, entry);
    if (known === undefined) return row;
    return { record: mergeRecords(known.record, row.record), nonce: known.nonce };
  }
}

/** An answer of several pages ends a place too far. */
class SkipsOne extends PlainLog {
  override async read(cursor: string | undefined): Promise<RevocationPage> {
    const page = await super.read(cursor);
    return page.more ? { ...page, cursor: String(Number(page.cursor) + 1) } : page;
  }
}

const mutants: readonly [fault: string, caughtBy: string, make: new (page?: number) => PlainLog][] =
  [
    [
      "that trusts every clock to the millisecond",
      "a subject is dead until five minutes past the log's now, or until earlier",
      ExactNow,
    ],
    [
      "that forgets how far an earlier revocation of the subject reached",
      "a subject's next entry reaches past who logged in knowing of the one before",
      NoEarlier,
    ],
    [
      "that forgets a credential when its first entry ends",
      "R4 of the entries of one credential the first is first, and no later one",
      FirstEnd,
    ],
    [
      "that looks before it takes an entry in",
      "R4 entries of one credential at once have one first",
      LateLook,
    ],
    [
      "that takes an entry that comes again for another one",
      "R4 an entry that comes again is as first as it was",
      RetryIsLate,
    ],
    [
      "that takes a session's id for a credential's",
      "R4 a session and a credential of one id have nothing to do with each other",
      OneIdForAll,
    ],
    [
      "that never forgets a nonce",
      "R4 a credential whose record was removed begins anew",
      NoncesStay,
    ],
    [
      "that passes over an entry between two answers",
      "R1 what comes while a long answer is read is found too",
      SkipsOne,
    ],
  ];

describe("logs with a fault", () => {
  test.each(mutants)("one %s fails: %s", async (_, caughtBy, Mutant) => {
    const cases = logCases({ makeLog: async (page) => PlainLog.place(new Mutant(page)) });
    const failed: string[] = [];
    for (const { name, run } of cases) await run().catch(() => failed.push(name));
    expect(failed).toEqual([caughtBy]);
  });
});
