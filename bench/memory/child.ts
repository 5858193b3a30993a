// One store in memory with many sessions: what each takes of the heap, and what a read and a change
// cost among so many. A process of its own, since heaps don't forget.
import { collect, startClock } from "../lib/clock.ts";
import type { Pairs } from "../lib/data.ts";
import { tell } from "../lib/child.ts";
import { loadSubjects, type RowScheme } from "../lib/subject.ts";

/** What the parent asks for. */
export interface MemoryOrder {
  readonly sessions: number;
  readonly rounds: number;
}

/** What the child answers: bytes a session, and CPU nanoseconds an operation, one entry a round. */
export interface MemoryAnswer {
  readonly bytes: number;
  readonly get: readonly number[];
  readonly change: readonly number[];
}

/** Answers that are awaited at once. */
const BATCH = 500;
/** Prime to every number of sessions that is asked for, so that all come in no order. */
const STRIDE = 7919;

/** A string of its own, in one piece, as one that came out of a request. */
function fresh(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

function idOf(index: number): string {
  return fresh(String(index).padStart(22, "A"));
}

/** The small session, with values that are its own. */
function pairsOf(index: number): Pairs {
  return {
    name: fresh("alice"),
    id: fresh(String(index).padStart(22, "i")),
    userId: fresh(String(index).padStart(6, "0").slice(-6)),
    csrf: fresh(String(index).padStart(43, "c")),
  };
}

/** Calls it for every index; what isn't there at once is awaited in batches. */
async function each(count: number, call: (index: number) => unknown): Promise<void> {
  let pending: unknown[] = [];
  for (let index = 0; index < count; index++) {
    const answer = call(index);
    if (!(answer instanceof Promise)) continue;
    pending.push(answer);
    if (pending.length < BATCH) continue;
    await Promise.all(pending);
    pending = [];
  }
  await Promise.all(pending);
}

function heapBytes(): number {
  for (let i = 0; i < 4; i++) collect();
  const { external, heapUsed } = process.memoryUsage();
  return heapUsed + external;
}

async function measure(
  scheme: RowScheme,
  { rounds, sessions }: MemoryOrder,
): Promise<MemoryAnswer> {
  // The store's keys are these very strings: ids aren't counted for anybody.
  const ids = Array.from({ length: sessions }, (_, index) => idOf(index));
  const idAt = (index: number): string => ids[(index * STRIDE) % sessions] ?? "";
  const before = heapBytes();
  await each(sessions, (index) => scheme.create(ids[index] ?? "", pairsOf(index)));
  const bytes = (heapBytes() - before) / sessions;
  const nanoseconds = async (call: (index: number) => unknown): Promise<number> => {
    const stop = startClock();
    await each(sessions, call);
    return (stop().cpu * 1000) / sessions;
  };
  const get: number[] = [];
  const change: number[] = [];
  for (let round = 0; round < rounds; round++) {
    collect();
    get.push(await nanoseconds((index) => scheme.get(idAt(index))));
    collect();
    change.push(
      await nanoseconds((index) =>
        scheme.change(idAt(index), fresh(String(index + round).padStart(43, "d"))),
      ),
    );
  }
  if ((await scheme.get(idAt(0))) !== "alice") throw new Error("the store forgot a session");
  return { bytes, get, change };
}

const [name = ""] = process.argv.slice(2);
const subject = (await loadSubjects()).get(name);
process.on("message", (order: MemoryOrder) => {
  void (async () => {
    const scheme = await subject?.memory?.();
    if (scheme === undefined) throw new Error(`no subject "${name}" keeps sessions in memory`);
    tell(await measure(scheme, order));
  })();
});
tell({ ready: true });
