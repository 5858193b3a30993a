// What device-bound sessions cost an engine: a request that opens, reads and commits, without `deviceBinding`,
// with it and an unbound session, and with a bound one; and a refresh, in both of its forms. Processor time of
// one process, the subjects taking turns.
import {
  memoryRevocations,
  type SessionConfig,
  SessionCookieStore,
  SessionMemoryStore,
  SessionMiddleware,
} from "../../src/index.ts";
import { deviceBinding } from "../../src/device/index.ts";
import { askEndpoint, bindOn, cookiesIn, logIn } from "../../tests/support/device-engine.ts";
import { freshKey, freshKeys } from "../../tests/support/keys.ts";
import { collect, startClock } from "../lib/clock.ts";
import { interleave, spread, type Spread } from "../lib/stats.ts";

const ROUNDS = 31;
const REQUESTS = 20_000;
const REFRESHES = 100;
const DAY = 86_400;

/** After the binding: in its first minute, requests count without a device cookie. */
const LATER = 70_000;
let turned = 0;
const now = (): number => Date.now() + turned;

const stores: Readonly<Record<string, () => SessionConfig>> = {
  memory: () => ({ store: new SessionMemoryStore({ now }), signingKey: freshKey(), now }),
  "cookie, revocations": () => ({
    store: new SessionCookieStore(freshKeys()),
    revocations: memoryRevocations({ now }),
    sessionExpires: DAY,
    now,
  }),
};

/** One kind of request, and how often it is made before the clock is looked at. */
interface Subject {
  readonly store: string;
  readonly what: string;
  readonly times: number;
  readonly work: () => unknown;
  /** Of the Cookie header, or of the headers of a refresh. */
  readonly bytes: number;
}

async function subjectsOf(store: string, config: SessionConfig): Promise<Subject[]> {
  const plain = new SessionMiddleware(config);
  const engine = new SessionMiddleware({ ...config, deviceBinding: deviceBinding() });
  const request = (what: string, used: SessionMiddleware, cookie: string): Subject => ({
    store,
    what,
    times: REQUESTS,
    bytes: cookie.length,
    work: async () => {
      const session = await used.open(cookie);
      if (session.get("user") !== "ann") throw new Error(`${what}: the session wasn't found`);
      await used.commit(session);
    },
  });
  const unbound = cookiesIn((await logIn(plain)).setCookie);
  const { cookie, identified, proven } = await bindOn(engine);
  const refresh = (
    what: string,
    sent: Readonly<Record<string, string>>,
    status: number,
  ): Subject => ({
    store,
    what,
    times: REFRESHES,
    bytes: Object.values(sent).join("").length,
    work: async () => {
      const answer = await askEndpoint(engine, { ...sent, cookie });
      if (answer.status !== status) throw new Error(`${what}: ${answer.status}`);
    },
  });
  return [
    request("a request, without deviceBinding", plain, unbound),
    request("a request, not bound", engine, unbound),
    request("a request, bound", engine, cookie),
    refresh("a refresh, challenged", identified, 403),
    refresh("a refresh, proven", proven, 200),
  ];
}

/** A subject's costs, in microseconds of the processor for one. */
export interface EngineRow {
  readonly store: string;
  readonly what: string;
  readonly bytes: number;
  readonly cpu: Spread;
}

/** Measures all subjects; `quick`: a look. */
export async function measureEngine(quick: boolean): Promise<EngineRow[]> {
  const subjects: Subject[] = [];
  for (const [store, make] of Object.entries(stores)) {
    subjects.push(...(await subjectsOf(store, make())));
  }
  turned = LATER;
  const figures = new Map<Subject, number[]>(subjects.map((subject) => [subject, []]));
  await interleave(subjects, quick ? 4 : ROUNDS, async (subject, round) => {
    collect();
    const stop = startClock();
    for (let time = 0; time < subject.times; time++) await subject.work();
    // The first rounds compile.
    if (round > 1) figures.get(subject)?.push(stop().cpu / subject.times);
  });
  return subjects.map((subject) => {
    const { store, what, bytes } = subject;
    return { store, what, bytes, cpu: spread(figures.get(subject) ?? []) };
  });
}
