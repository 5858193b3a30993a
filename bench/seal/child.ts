// One Node's figures for sealing and opening: all schemes in turn, round by round.
import { collect, startClock } from "../lib/clock.ts";
import { sessions, type Size } from "../lib/data.ts";
import { tell } from "../lib/child.ts";
import { interleave } from "../lib/stats.ts";
import { loadSubjects, type SealScheme, type Subject } from "../lib/subject.ts";

/** What the parent asks for. */
export interface SealOrder {
  readonly rounds: number;
  /** How long each scheme seals, and opens, in each round: milliseconds. */
  readonly budget: number;
}

/** CPU microseconds of one seal and one open, one entry a round. */
export interface SealSamples {
  readonly subject: string;
  readonly size: Size;
  readonly bytes: number;
  readonly seal: number[];
  readonly open: number[];
  /** Seal and open together, as a ratio to the limit's a moment before. */
  readonly ratio: number[];
}

/** What the child answers. */
export interface SealAnswer {
  readonly node: string;
  readonly openssl: string;
  readonly samples: readonly SealSamples[];
}

interface Entrant {
  readonly scheme: SealScheme;
  readonly samples: SealSamples;
  /** Seals that fit the budget. */
  count: number;
}

/** Values are opened once each: a cache of opened values must not flatter anybody. */
async function seal({ scheme, count }: Entrant): Promise<{ values: string[]; each: number }> {
  const values: string[] = [];
  const stop = startClock();
  for (let i = 0; i < count; i++) {
    const value = scheme.seal();
    // A scheme that answers at once isn't made to wait for the next tick.
    values.push(typeof value === "string" ? value : await value);
  }
  return { values, each: stop().cpu / count };
}

async function open({ scheme, count }: Entrant, values: readonly string[]): Promise<number> {
  let length = 0;
  const stop = startClock();
  for (const value of values) {
    const name = scheme.open(value);
    length += (name instanceof Promise ? await name : name)?.length ?? 0;
  }
  const { cpu } = stop();
  if (length !== count * "alice".length) throw new Error("a value didn't open to what was sealed");
  return cpu / count;
}

async function prepare(subject: Subject, size: Size, budget: number): Promise<Entrant | undefined> {
  const scheme = await subject.seal?.(sessions[size]);
  if (scheme === undefined) return undefined;
  const bytes = (await scheme.seal()).length;
  const samples = { subject: subject.name, size, bytes, seal: [], open: [], ratio: [] };
  const entrant: Entrant = { scheme, samples, count: 2 };
  // Doubled until a batch fills the budget, which also warms it up.
  for (;;) {
    const { values, each } = await seal(entrant);
    const opened = await open(entrant, values);
    const fits = (budget * 1000) / Math.max(each, opened);
    if (fits < entrant.count * 2) {
      entrant.count = Math.max(2, Math.round(fits));
      return entrant;
    }
    entrant.count *= 2;
  }
}

/** One batch there and back. */
async function batch(entrant: Entrant): Promise<{ sealed: number; opened: number }> {
  collect();
  const { values, each } = await seal(entrant);
  collect();
  return { sealed: each, opened: await open(entrant, values) };
}

async function measure({ rounds, budget }: SealOrder): Promise<SealAnswer> {
  const entrants: Entrant[] = [];
  const limits = new Map<Size, Entrant>();
  for (const subject of (await loadSubjects()).values()) {
    for (const size of ["small", "large"] as const) {
      const entrant = await prepare(subject, size, budget);
      if (entrant === undefined) continue;
      entrants.push(entrant);
      if (subject.kind === "limit") limits.set(size, entrant);
    }
  }
  await interleave(entrants, rounds, async (entrant) => {
    const limit = limits.get(entrant.samples.size);
    // The limit goes first each time: what slows the machine for a while slows both.
    const base = limit === undefined || limit === entrant ? undefined : await batch(limit);
    const { opened, sealed } = await batch(entrant);
    const { samples } = entrant;
    samples.seal.push(sealed);
    samples.open.push(opened);
    samples.ratio.push(base === undefined ? 1 : (sealed + opened) / (base.sealed + base.opened));
  });
  const { node, openssl } = process.versions;
  return { node, openssl, samples: entrants.map(({ samples }) => samples) };
}

process.on("message", (order: SealOrder) => {
  void measure(order).then(tell);
});
tell({ ready: true });
