// `npm run costs:device`: what device-bound sessions cost. A request that opens, reads and commits, without
// `deviceBinding`, with it and an unbound session, and with a bound one; and a refresh, in both of its forms.
// Processor time of one process, the subjects taking turns. Writes bench/results/device.json.
import { mkdirSync, writeFileSync } from "node:fs";
import {
  memoryRevocations,
  type SessionConfig,
  SessionCookieStore,
  SessionMemoryStore,
  SessionMiddleware,
} from "../../src/index.ts";
import { deviceBinding } from "../../src/device/index.ts";
import { challengeIn, DeviceKeyPair, type Reply } from "../../tests/support/device-browser.ts";
import { freshKey, freshKeys } from "../../tests/support/keys.ts";
import { readArguments } from "../../trials/lib/arguments.ts";
import { collect, startClock } from "../lib/clock.ts";
import { describeMachine } from "../lib/machine.ts";
import { interleave, spread, type Spread } from "../lib/stats.ts";

readArguments("costs:device", {});
const ROUNDS = 31;
const REQUESTS = 20_000;
const REFRESHES = 100;
const DAY = 86_400;

const stores: Readonly<Record<string, () => SessionConfig>> = {
  memory: () => ({ store: new SessionMemoryStore(), signingKey: freshKey() }),
  "cookie, revocations": () => ({
    store: new SessionCookieStore(freshKeys()),
    revocations: memoryRevocations(),
    sessionExpires: DAY,
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

/** An engine's endpoint, asked without a network. */
async function post(
  engine: SessionMiddleware,
  headers: Readonly<Record<string, string>>,
): Promise<Reply> {
  const answer = await engine.devices?.answer(
    { method: "POST", header: (name) => headers[name] },
    engine,
  );
  const { status = 0, headers: given = [], body = "" } = answer ?? {};
  const of = (name: string): string[] =>
    given.flatMap(([key, value]) => (key.toLowerCase() === name ? [value] : []));
  return { status, body, header: (name) => of(name)[0], setCookie: of("set-cookie") };
}

function pairOf(setCookie: string | undefined): string {
  return setCookie?.split(";", 1)[0] ?? "";
}

/** Opens a session, and gives the response's cookie and offer. */
async function login(engine: SessionMiddleware): Promise<Reply> {
  const session = await engine.open(undefined);
  session.set("user", "ann");
  session.bindDevice();
  const { setCookie, headers } = await engine.commit(session);
  const offer = headers[0]?.[1];
  return { status: 200, body: "", setCookie, header: () => offer };
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
  const unbound = pairOf((await login(plain)).setCookie[0]);
  const device = await DeviceKeyPair.make();
  const offer = await login(engine);
  const first = pairOf(offer.setCookie[0]);
  const proof = await device.proof(challengeIn(offer), { jwk: device.jwk });
  const registered = await post(engine, { cookie: first, "secure-session-response": proof });
  const { session_identifier: id } = JSON.parse(registered.body) as { session_identifier: string };
  const signed = await device.proof(
    /^"([^"]+)"/.exec(registered.header("secure-session-challenge") ?? "")?.[1] ?? "",
  );
  const headers = { "sec-secure-session-id": id, "secure-session-response": signed };
  const refreshed = await post(engine, { ...headers, cookie: first });
  const cookies = refreshed.setCookie.map(pairOf);
  const cookie = [...(cookies.length === 1 ? [first] : []), ...cookies].join("; ");
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
      const answer = await post(engine, { ...sent, cookie });
      if (answer.status !== status) throw new Error(`${what}: ${answer.status}`);
    },
  });
  return [
    request("a request, without deviceBinding", plain, unbound),
    request("a request, not bound", engine, unbound),
    request("a request, bound", engine, cookie),
    refresh("a refresh, challenged", { "sec-secure-session-id": id }, 403),
    refresh("a refresh, proven", headers, 200),
  ];
}

/** A subject's costs, in microseconds of the processor for one. */
interface DeviceRow {
  readonly store: string;
  readonly what: string;
  readonly bytes: number;
  readonly cpu: Spread;
}

async function measureAll(): Promise<DeviceRow[]> {
  const subjects: Subject[] = [];
  for (const [store, make] of Object.entries(stores)) {
    subjects.push(...(await subjectsOf(store, make())));
  }
  const figures = new Map<Subject, number[]>(subjects.map((subject) => [subject, []]));
  await interleave(subjects, ROUNDS, async (subject, round) => {
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

const rows = await measureAll();
console.log("microseconds of processor time, median and quartiles; bytes that the client sends");
for (const { store, what, bytes, cpu } of rows) {
  const time = `${cpu.median.toFixed(2)} (${cpu.low.toFixed(2)} to ${cpu.high.toFixed(2)})`;
  console.log(
    `${store.padEnd(20)} ${what.padEnd(34)} ${time.padStart(26)} ${String(bytes).padStart(5)}`,
  );
}
const folder = new URL("../results/", import.meta.url);
mkdirSync(folder, { recursive: true });
const result = { machine: describeMachine(new URL("../../", import.meta.url)), rows };
writeFileSync(new URL("device.json", folder), `${JSON.stringify(result, undefined, 1)}\n`);
