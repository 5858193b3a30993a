// What a call that hangs must not do to a store's other calls: its driver may never answer, or
// answer when nobody waits any more.
import { isSealed, type SessionStore } from "../../store/contract.ts";
import { type ConformanceCase, defineCase, must, mustEqual } from "../case.ts";
import { entriesOf, type MakeStore, Row } from "./setting.ts";

/** The engine's timeout that the store is given, in milliseconds. */
const PATIENCE = 100;
/** After so long a call counts as never ending; enough for a busy machine. */
const NEVER = 5000;

/** The cases of clause S10. */
export function hangCases(name: string, makeStore: MakeStore): ConformanceCase[] {
  const define = (id: string, test: (row: Row, hang: () => () => void) => Promise<void>) =>
    defineCase(name, {
      id,
      clause: "S10",
      run: async () => {
        const { store, hang, close } = await makeStore();
        try {
          must(hang !== undefined, "makeStore gave no hang");
          must(!isSealed(store), "a sealed store makes no calls that could hang");
          store.answerWithin?.(PATIENCE);
          await test(new Row(store), hang);
        } finally {
          await close();
        }
      },
    });
  return [
    define("L9 hang: a call that never ends holds up no other", async (row, hang) => {
      const rev = (await row.create({ a: "1" }))?.rev ?? 0;
      const release = hang();
      const hanging = settled(row.save({ rev, ttl: 0, set: entriesOf({ hanging: "1" }) }));
      const others = [
        row.save({ rev, ttl: 0, set: entriesOf({ b: "2" }) }),
        row.store.load(row.selector),
        row.save({ rev, ttl: 0, set: entriesOf({ c: "3" }) }),
      ];
      for (const other of others) await inTime(other);
      const data = await inTime(row.data());
      mustEqual([data?.get("b"), data?.get("c")], ["2", "3"], "what was written meanwhile");
      release();
      await hanging;
    }),
    define("L2 hang: what comes late of a call makes nothing newer undone", async (row, hang) => {
      const rev = (await row.create({ a: "1" }))?.rev ?? 0;
      const release = hang();
      const late = settled(row.save({ rev, ttl: 0, set: entriesOf({ late: "1" }) }));
      mustEqual(
        (await inTime(row.save({ rev, ttl: 0, set: entriesOf({ b: "2" }) })))?.rev,
        rev,
        "a write meanwhile",
      );
      release();
      await late;
      mustEqual((await inTime(row.data()))?.get("b"), "2", "what was written meanwhile");
      const releaseAgain = hang();
      const afterLogout = settled(row.save({ rev, ttl: 0, set: entriesOf({ late: "2" }) }));
      must((await inTime(row.save({ op: "destroy" }))) !== undefined, "destroy was refused");
      releaseAgain();
      await afterLogout;
      mustEqual(await inTime(row.load()), undefined, "a session that was destroyed meanwhile");
    }),
  ];
}

/** Settles when a call has ended, also by giving up. */
function settled(call: Promise<unknown>): Promise<void> {
  return call.then(
    () => undefined,
    () => undefined,
  );
}

async function inTime<T>(answer: ReturnType<SessionStore["load"]> | Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const never = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("it waits for a call that never ends")), NEVER);
  });
  try {
    return await Promise.race([answer as Promise<T>, never]);
  } finally {
    clearTimeout(timer);
  }
}
