// The races for one key, with their required results: nothing lost, nothing twice, one winner, and nothing
// that comes back to life.
import type { SeededRandom } from "../../fuzz/random.ts";
import { begin, type Course, type ExactReply } from "./course.ts";
import type { Counts } from "./server.ts";

/** The size of the races. */
export interface Sizes {
  /** The number of concurrent writers, and of each one's writes. */
  readonly racers: number;
  readonly each: number;
  /** The number of concurrent takers, and of values. */
  readonly takers: number;
  readonly rounds: number;
  /** The number of rounds against each barrier, for each kind of step. */
  readonly barriers: number;
}

/** The result of a race. */
export interface Outcome {
  readonly race: string;
  /** In words, for the table. */
  readonly found: string;
  /** The faults; empty: none. */
  readonly faults: readonly string[];
  /** Loads and saves for each step, if they matter. */
  readonly costs?: Counts;
}

/** The number of racers against a barrier. */
const AGAINST = 12;
/** The upper limit of a request's pause between its load and its step, in milliseconds. */
const HOLD = 12;

/** A race of `racers` on one session, each with its requests one after the other. */
async function raceOn(
  course: Course,
  { racers, each }: Sizes,
  entries: Readonly<Record<string, string>>,
  pathOf: (item: string) => string,
): Promise<{ replies: ExactReply[]; items: string[]; cookie: string; costs: Counts }> {
  const cookie = await begin(course, entries);
  await course.counts();
  const items: string[] = [];
  const replies: ExactReply[] = [];
  const run = async (racer: number): Promise<void> => {
    for (let nth = 0; nth < each; nth++) {
      const item = `${racer}-${nth}`;
      items.push(item);
      replies.push(await course.ask(pathOf(item), cookie, racer));
    }
  };
  await Promise.all(Array.from({ length: racers }, (_, racer) => run(racer)));
  const { loads, saves } = await course.counts();
  const steps = racers * each;
  return { replies, items, cookie, costs: { loads: loads / steps, saves: saves / steps } };
}

/** One counter, raised by all: each number is given once. */
export async function increments(course: Course, sizes: Sizes): Promise<Outcome> {
  const { replies, cookie, costs } = await raceOn(course, sizes, {}, () => "/increment/n");
  const total = sizes.racers * sizes.each;
  const { entries } = await course.dump(cookie);
  const stored = new Map(entries).get("n");
  const given = new Set(replies.map(({ value }) => value));
  const faults = [
    ...unanswered(replies),
    ...(stored === String(total) ? [] : [`the counter is ${stored ?? "absent"}, not ${total}`]),
    ...(given.size === total ? [] : [`${given.size} different numbers were given to ${total}`]),
  ];
  return { race: "increments", found: `${stored} of ${total}`, faults, costs };
}

/** One value that all append to. */
export async function updates(course: Course, sizes: Sizes): Promise<Outcome> {
  const race = await raceOn(course, sizes, {}, (item) => `/append/cart/${item}`);
  const { entries } = await course.dump(race.cookie);
  const lines = (new Map(entries).get("cart") ?? "").trim().split(" ");
  return collected("cart updates", race, lines);
}

/** One collection that all add to, each an entry of its own. */
export async function adds(course: Course, sizes: Sizes): Promise<Outcome> {
  const race = await raceOn(course, sizes, {}, (item) => `/add/${item}`);
  const { ids } = await course.dump(race.cookie);
  const outcome = collected("collection adds", race, ids);
  const { saves } = race.costs;
  const dear = saves === 1 ? [] : [`an add cost ${saves} saves`];
  return { ...outcome, faults: [...outcome.faults, ...dear] };
}

/** One value that all take: one gets it. */
export async function takes(course: Course, { takers, rounds }: Sizes): Promise<Outcome> {
  const cookie = await begin(course, {});
  const faults: string[] = [];
  let winners = 0;
  await course.counts();
  for (let round = 0; round < rounds; round++) {
    await course.ask(`/set/t/${round}`, cookie, round);
    const asked = Array.from({ length: takers }, (_, taker) =>
      course.ask("/take/t", cookie, taker),
    );
    const replies = await Promise.all(asked);
    const values = replies.flatMap(({ value }) => (value === undefined ? [] : [value]));
    winners += values.length;
    if (values.length !== 1) faults.push(`round ${round}: ${values.length} took it`);
    if (values.some((value) => value !== String(round))) faults.push(`round ${round}: another's`);
    faults.push(...unanswered(replies));
  }
  const { loads, saves } = await course.counts();
  const steps = takers * rounds;
  const found = `${winners} winners in ${rounds} rounds of ${takers}`;
  return {
    race: "takes",
    found,
    faults,
    costs: { loads: loads / steps, saves: (saves - rounds) / steps },
  };
}

const steps = ["increment", "append", "add", "take"] as const;
type Step = (typeof steps)[number];
const barriers = ["destroy", "clear", "regenerate"] as const;
type Barrier = (typeof barriers)[number];

/** Steps against a logout, a clear and a regenerate, which come in their midst. */
export async function againstBarriers(
  course: Course,
  sizes: Sizes,
  random: SeededRandom,
): Promise<Outcome> {
  const faults: string[] = [];
  let refusals = 0;
  let races = 0;
  for (const barrier of barriers) {
    for (const step of steps) {
      for (let round = 0; round < sizes.barriers; round++) {
        const result = await againstBarrier(course, step, barrier, random);
        races++;
        refusals += result.refusals;
        faults.push(...result.faults.map((fault) => `${step} against ${barrier}: ${fault}`));
      }
    }
  }
  // Without a collision nothing was tested.
  if (refusals === 0) faults.push("no step met a barrier: it proves nothing");
  const found = `0 back to life in ${races} races, ${refusals} times 409, each with its event`;
  return { race: "against barriers", found, faults };
}

async function againstBarrier(
  course: Course,
  step: Step,
  barrier: Barrier,
  random: SeededRandom,
): Promise<{ readonly refusals: number; readonly faults: readonly string[] }> {
  const before = await begin(course, { n: "1000", cart: "seed ", t: "secret" });
  await course.ask("/add/seed", before);
  const hold = (): string => `?hold=${random.below(HOLD)}`;
  const paths = { increment: "/increment/n", append: "/append/cart", add: "/add", take: "/take/t" };
  const itemOf = (racer: number): string =>
    step === "append" || step === "add" ? `/${racer}` : "";
  const ask = (racer: number): Promise<ExactReply> =>
    course.ask(`${paths[step]}${itemOf(racer)}${hold()}`, before, racer);
  const first = Array.from({ length: AGAINST / 2 }, (_, racer) => ask(racer));
  const blow = course.ask(`/${barrier}${barrier === "clear" ? "/-/2" : ""}${hold()}`, before, 1);
  const second = Array.from({ length: AGAINST / 2 }, (_, racer) => ask(racer + AGAINST / 2));
  const replies = await Promise.all([...first, ...second]);
  const { status, cookie } = await blow;
  const faults = status === 200 ? [] : [`the ${barrier} was answered with ${status}`];
  for (const reply of replies) {
    if (reply.status !== 200 && reply.status !== 409) faults.push(`status ${reply.status}`);
    if (reply.status === 409 && reply.refused.length !== 1) {
      faults.push(`a 409 with ${reply.refused.length} events`);
    }
  }
  const refusals = replies.filter((reply) => reply.status === 409).length;
  const dump = await course.dump(barrier === "regenerate" ? (cookie ?? before) : before);
  if (barrier === "destroy") {
    if (!dump.isNew) faults.push("the session came back to life");
    return { refusals, faults };
  }
  // A clear keeps only later data; a regenerate keeps everything.
  const isKept = ({ epoch }: ExactReply): boolean => barrier === "regenerate" || epoch === "2";
  const kept = replies.map(
    (reply) => reply.status === 200 && reply.refused.length === 0 && isKept(reply),
  );
  const wanted = stateAfter(step, kept, barrier === "regenerate");
  const found = stateOf(step, dump);
  const takers = replies.filter(({ value }) => step === "take" && value !== undefined);
  if (takers.length > 1) faults.push(`${takers.length} took one value`);
  const isTaken = takers.length > 0 && barrier === "regenerate";
  const right = step === "take" && isTaken ? "" : wanted;
  if (found !== right) faults.push(`found ${found || "nothing"}, not ${right || "nothing"}`);
  return { refusals, faults };
}

/** The required content of the step's key or collection, as text. */
function stateAfter(step: Step, kept: readonly boolean[], hasSeed: boolean): string {
  const racers = [...kept.keys()].filter((racer) => kept[racer]).map(String);
  if (step === "take") return hasSeed ? "secret" : "";
  if (step !== "increment") return [...racers, ...(hasSeed ? ["seed"] : [])].toSorted().join(" ");
  const sum = racers.length + (hasSeed ? 1000 : 0);
  return sum === 0 ? "" : String(sum);
}

function stateOf(
  step: Step,
  { entries, ids }: { entries: readonly (readonly [string, string])[]; ids: readonly string[] },
): string {
  const held = new Map(entries);
  if (step === "add") return [...ids].toSorted().join(" ");
  if (step === "append") return (held.get("cart") ?? "").trim().split(" ").toSorted().join(" ");
  return held.get(step === "take" ? "t" : "n") ?? "";
}

function unanswered(replies: readonly ExactReply[]): string[] {
  const failed = replies.filter(({ status, refused }) => status !== 200 || refused.length > 0);
  const [first] = failed;
  return first === undefined
    ? []
    : [`${failed.length} failed, the first with ${first.status} ${first.refused.join()}`];
}

function collected(
  race: string,
  {
    replies,
    items,
    costs,
  }: { replies: readonly ExactReply[]; items: readonly string[]; costs: Counts },
  found: readonly string[],
): Outcome {
  const there = new Set(found);
  const kept = items.filter((item) => there.has(item)).length;
  const faults = unanswered(replies);
  if (kept !== items.length) faults.push(`${items.length - kept} of ${items.length} are lost`);
  if (found.length !== kept) faults.push(`${found.length - kept} are there twice, or nobody's`);
  return { race, found: `${kept} of ${items.length}`, faults, costs };
}
