// What sealing and opening cost with one scheme, for one size of session: slices of the limit and of
// the scheme in turn. A server loads one scheme, so each has a process of its own: in one process with
// all of them, V8 compiles what they share for the calls of all.
import { startClock } from "../lib/clock.ts";
import { sessions, type Size } from "../lib/data.ts";
import { tell } from "../lib/child.ts";
import { loadSubjects, type SealScheme, type Subject } from "../lib/subject.ts";

/** What the parent asks for. */
export interface SealOrder {
  readonly subject: string;
  readonly size: Size;
  readonly rounds: number;
  /** How long a round takes: milliseconds. */
  readonly budget: number;
  /** How long each scheme runs before it is measured: milliseconds, enough for V8 to compile it. */
  readonly warmup: number;
}

/** What the child answers: CPU microseconds of one seal and one open, one entry a round. */
export interface SealAnswer {
  readonly node: string;
  readonly openssl: string;
  readonly bytes: number;
  readonly seal: number[];
  readonly open: number[];
  /** Seal and open together, as a ratio to the limit's a moment before. */
  readonly ratio: number[];
}

interface Entrant {
  readonly scheme: SealScheme;
  /** How many are sealed before they are opened. */
  count: number;
}

/** CPU microseconds of a slice. */
interface Slice {
  readonly sealed: number;
  readonly opened: number;
}

/** So many values at most are held at a time: few enough to die young, as a request's do. */
const MAX_SLICE = 64;
/** A slice of a slow scheme is no longer than this: milliseconds. */
const SLICE_MS = 2;

/** Seals a few values and opens each once: a cache of opened values must not flatter anybody. */
async function slice({ scheme, count }: Entrant): Promise<Slice> {
  const values: string[] = [];
  let clock = startClock();
  for (let i = 0; i < count; i++) {
    const value = scheme.seal();
    // A scheme that answers at once isn't made to wait for the next tick.
    values.push(typeof value === "string" ? value : await value);
  }
  const sealed = clock().cpu;
  let length = 0;
  clock = startClock();
  for (const value of values) {
    const name = scheme.open(value);
    length += (name instanceof Promise ? await name : name)?.length ?? 0;
  }
  const opened = clock().cpu;
  if (length !== count * "alice".length) throw new Error("a value didn't open to what was sealed");
  return { sealed, opened };
}

/** A scheme that has run for so long that V8 has compiled it. */
async function prepare(
  { seal: make }: Subject,
  { size, warmup }: SealOrder,
): Promise<Entrant | undefined> {
  const scheme = await make?.(sessions[size]);
  if (scheme === undefined) return undefined;
  const entrant: Entrant = { scheme, count: 2 };
  const end = Date.now() + warmup;
  while (Date.now() < end) {
    const { sealed, opened } = await slice(entrant);
    const fits = (SLICE_MS * 1000 * entrant.count) / Math.max(1, sealed, opened);
    entrant.count = Math.max(2, Math.min(MAX_SLICE, Math.round(fits)));
  }
  return entrant;
}

/** Slices of the limit and of the scheme in turn: what slows the machine slows both. */
async function measureRound(
  limit: Entrant,
  entrant: Entrant,
  budget: number,
): Promise<{ seal: number; open: number; ratio: number }> {
  const spent = { sealed: 0, opened: 0, count: 0 };
  const base = { spent: 0, count: 0 };
  const end = Date.now() + budget;
  const runLimit = async (): Promise<void> => {
    const { opened, sealed } = await slice(limit);
    base.spent += sealed + opened;
    base.count += limit.count;
  };
  const runEntrant = async (): Promise<void> => {
    const { opened, sealed } = await slice(entrant);
    spent.sealed += sealed;
    spent.opened += opened;
    spent.count += entrant.count;
  };
  // Now the one first and now the other: who comes second pays for more of the other's garbage.
  for (let turn = 0; Date.now() < end; turn++) {
    const [first, second] = turn % 2 === 0 ? [runLimit, runEntrant] : [runEntrant, runLimit];
    await first();
    await second();
  }
  const seal = spent.sealed / spent.count;
  const open = spent.opened / spent.count;
  return { seal, open, ratio: (seal + open) / (base.spent / base.count) };
}

async function measure(order: SealOrder): Promise<SealAnswer> {
  const subjects = await loadSubjects();
  const subject = subjects.get(order.subject);
  const raw = [...subjects.values()].find(({ kind, seal }) => kind === "limit" && seal);
  const limit = raw && (await prepare(raw, order));
  const entrant = subject && (await prepare(subject, order));
  if (limit === undefined || entrant === undefined) throw new Error("it seals nothing");
  const rounds: { seal: number; open: number; ratio: number }[] = [];
  for (let round = 0; round < order.rounds; round++) {
    rounds.push(await measureRound(limit, entrant, order.budget));
  }
  const { node, openssl } = process.versions;
  return {
    node,
    openssl,
    bytes: (await entrant.scheme.seal()).length,
    seal: rounds.map(({ seal }) => seal),
    open: rounds.map(({ open }) => open),
    ratio: rounds.map(({ ratio }) => ratio),
  };
}

process.on("message", (order: SealOrder) => {
  void measure(order).then(tell);
});
tell({ ready: true });
