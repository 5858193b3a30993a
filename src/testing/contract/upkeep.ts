// A store's optional methods: lists of a subject's sessions, and sweeps.
import type { StoredSession } from "../../store/contract.ts";
import { type ConformanceCase, must, mustEqual } from "../case.ts";
import { newSelector } from "../history.ts";
import { type ContractSetting, Row } from "./setting.ts";

/** Its cases. */
export function upkeepCases({
  define,
  options: { clock, resolutionMs },
  applies: { lists, sweeps },
}: ContractSetting): ConformanceCase[] {
  return [
    define("L2 lists: a subject's sessions are listed and ended", "S3", lists, async (store) => {
      const subject = `subject ${newSelector()}`;
      const rows = [0, 1, 2].map(() => new Row(store));
      const other = new Row(store);
      for (const [index, row] of rows.entries())
        await row.create({ n: String(index) }, { subject });
      await other.create({ n: "other" }, { subject: `${subject}!` });
      const listed = new Map<string, StoredSession>();
      for await (const { id, stored } of store.list?.(subject) ?? []) listed.set(id, stored);
      mustEqual(
        [...listed.keys()].toSorted(),
        rows.map(({ selector }) => selector).toSorted(),
        "the listed ids",
      );
      const [first, second] = rows;
      await second?.save({ rev: 1, subject: null });
      const destroyed = await store.destroyAll?.(subject, { except: first?.selector ?? "" });
      mustEqual(destroyed, 1, "how many destroyAll ended");
      mustEqual(await rows[2]?.load(), undefined, "a session that destroyAll ended");
      must((await first?.load()) !== undefined, "the excepted session is gone");
      must((await second?.load()) !== undefined, "a session that was unbound is gone");
      must((await other.load()) !== undefined, "another subject's session is gone");
    }),
    define(
      "L10 sweep: it removes what is expired, nothing else, and no more than its limit",
      "S7",
      sweeps,
      async (store) => {
        const dying = Array.from({ length: 5 }, () => new Row(store));
        const living = new Row(store);
        for (const row of dying) await row.create({}, { ttl: 2 * resolutionMs });
        await living.create({ a: "1" });
        await clock.advance(3 * resolutionMs + 1000);
        mustEqual(await store.sweep?.(2), 2, "how many a sweep of two removed");
        mustEqual(await store.sweep?.(100), 3, "how many the next one removed");
        must((await living.load()) !== undefined, "a live session was swept");
      },
    ),
  ];
}
