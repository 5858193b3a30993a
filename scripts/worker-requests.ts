// Requests in workerd, whose timers, continuations and connections belong to them: others go on when one
// is cancelled, and each has a client of its own for a server over TCP.
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { repository } from "../tests/support/cli.ts";
import { freshKeys } from "../tests/support/keys.ts";
import { startPostgres } from "../tests/support/servers/postgres.ts";
import type { Row } from "./foreign-runtimes.ts";
import { versions } from "./runtimes.ts";
import { bundleWorker, startWorkerd } from "./workerd.ts";

const where = `workerd ${versions.workerd}`;
const keys = freshKeys();
const keyTexts = { SIGNING_KEY: keys.signingKey, SECRET_KEY: keys.secretKey };
/** By then a request hangs: its store may take a second, and a lane ten of them. */
const HANGS = 20_000;

/** What a request was answered. */
interface Answer {
  readonly status: number;
  readonly text: string;
  readonly cookie: string;
}

/** A client of one worker, with one session. */
class Client {
  readonly #url: string;
  #cookie = "";

  constructor(url: string) {
    this.#url = url;
  }

  /** @throws when no answer comes. */
  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const response = await fetch(this.#url + path, {
      headers: { ...headers, cookie: this.#cookie },
      signal: AbortSignal.timeout(HANGS),
    });
    const [cookie = ""] = response.headers.getSetCookie().map((one) => one.split(";", 1)[0] ?? "");
    return { status: response.status, text: await response.text(), cookie };
  }

  /** The same, whose cookie is kept. */
  async visit(path: string): Promise<Answer> {
    const answer = await this.get(path);
    if (answer.cookie !== "") this.#cookie = answer.cookie;
    return answer;
  }

  /** A request that is cancelled when so many calls have come to the store. */
  cancelled(path: string, calls: number): Promise<Answer> {
    return this.get(path, { "x-cancel-after": String(calls) });
  }

  /** Waits until so many calls have come to the store. */
  async called(calls: number): Promise<void> {
    for (const end = Date.now() + HANGS; Date.now() < end;) {
      const state = JSON.parse((await this.get("/state")).text) as { readonly calls: number };
      if (state.calls >= calls) return;
    }
    throw new Error(`the store had fewer than ${calls} calls`);
  }
}

/** The failures of a scene; each has a session of its own. */
type Scene = (client: Client) => Promise<string[]>;

/** What was answered, compared with what must be. */
function differing(what: string, found: readonly Answer[], wanted: readonly string[]): string[] {
  const texts = found.map(({ status, text }) => `${status} ${text}`).toSorted();
  return texts.join() === wanted.join() ? [] : [`${what}: ${texts.join(", ")}`];
}

/** Three requests wait in the lane of one that is cancelled; then another comes. */
const cancelledHolder: Scene = async (client) => {
  await client.visit("/lane");
  await client.get("/tell?answer=never");
  // Its load and its save, and the loads of three others.
  const first = client.cancelled("/lane", 5);
  await client.called(2);
  const waiting = [client.get("/lane"), client.get("/lane"), client.get("/lane")];
  return [
    ...differing("who was cancelled", [await first], ["499 AbortError"]),
    ...differing("who waited", await Promise.all(waiting), ["200 2", "200 3", "200 4"]),
    ...differing("who came later", [await client.get("/lane")], ["200 5"]),
  ];
};

/** Of two requests that wait in a lane the first is cancelled, and then the lane goes on. */
const cancelledWaiter: Scene = async (client) => {
  await client.visit("/lane");
  await client.get("/tell?answer=when-told");
  const holder = client.get("/lane");
  await client.called(2);
  const first = client.cancelled("/lane", 4);
  await client.called(3);
  const second = client.get("/lane");
  const cancelled = await first;
  await client.get("/tell?told");
  return [
    ...differing("who was cancelled", [cancelled], ["499 AbortError"]),
    ...differing("who held the lane", [await holder], ["200 2"]),
    ...differing("who waited", [await second], ["200 3"]),
    ...differing("who came later", [await client.get("/lane")], ["200 4"]),
  ];
};

/** A row of a store whose saves take turns: the next one takes over. */
const cancelledTurn: Scene = async (client) => {
  await client.visit("/queue");
  await client.get("/tell?answer=never");
  // Its load, and its save: a read and a write.
  const first = client.cancelled("/queue", 3);
  const cancelled = await first;
  return [
    ...differing("who was cancelled", [cancelled], ["499 AbortError"]),
    ...differing("who came later", [await client.get("/queue")], ["200 2"]),
    ...differing("who came last", [await client.get("/queue")], ["200 3"]),
  ];
};

const scenes: readonly (readonly [string, Scene])[] = [
  ["a cancelled request held a lane", cancelledHolder],
  ["a cancelled request waited in a lane", cancelledWaiter],
  ["a cancelled request held a row's turn", cancelledTurn],
];

/** Until another isolate knows of a logout: twice the worker's poll interval, in milliseconds. */
const TWO_POLLS = 1000;
/** Until its list of revocations is too old. */
const STALE = 4000;

/** So many milliseconds later. */
async function later<T>(ms: number, then: () => Promise<T>): Promise<T> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return then();
}

/** A request is cancelled while it reads the log, and others must know which sessions live. */
const cancelledPoll: Scene = async (client) => {
  await client.visit("/login");
  await client.get("/tell?unanswered=1");
  const cancelled = await later(STALE, () => client.cancelled("/", 1));
  const others = [client.get("/"), client.get("/")];
  return [
    ...differing("who was cancelled", [cancelled], ["499 AbortError"]),
    ...differing("who came then", await Promise.all(others), ["200 alice", "200 alice"]),
    ...differing("who came later", [await client.get("/")], ["200 alice"]),
  ];
};

/** A logout in one isolate is known in another after two poll intervals. */
const otherIsolate: Scene = async (client) => {
  const there = { "x-app": "OTHER" };
  await client.visit("/login");
  const before = await client.get("/", there);
  await client.get("/logout");
  const after = await later(TWO_POLLS, () => client.get("/", there));
  return [
    ...differing("before the logout", [before], ["200 alice"]),
    ...differing("after two polls", [after], ["200 "]),
  ];
};

/** A log that never answers is an outage, and ends when it answers again. */
const silentLog: Scene = async (client) => {
  await client.visit("/login");
  await client.get("/tell?unanswered=1000");
  const outage = await later(STALE, () => client.get("/"));
  await client.get("/tell?unanswered=0");
  const again = await later(STALE, () => client.get("/"));
  return [
    ...differing("meanwhile", [outage], ["503 ERR_SESSION_STORE_FAILED"]),
    ...differing("when it answers", [again], ["200 alice"]),
  ];
};

const revocationScenes: readonly (readonly [string, Scene])[] = [
  ["a cancelled request read the revocations, and others went on", cancelledPoll],
  ["a logout was known in another isolate after two poll intervals", otherIsolate],
  ["a log of revocations that never answers was an outage", silentLog],
];

async function testRevocations(folder: string): Promise<Row[]> {
  await bundleWorker(folder, "revocations-worker.mjs");
  await bundleWorker(folder, "log-worker.mjs");
  const app = { file: "revocations-worker.js", texts: keyTexts, services: { LOG: "log" } };
  const rows: Row[] = [];
  for (const [what, scene] of revocationScenes) {
    const { url, child } = await startWorkerd(folder, [
      { name: "front", file: "front.js", services: { APP: "app", OTHER: "other" } },
      { ...app, name: "app" },
      { ...app, name: "other" },
      { name: "log", file: "log-worker.js" },
    ]);
    rows.push(await rowOf(what, () => scene(new Client(url))));
    child.kill("SIGKILL");
  }
  return rows;
}

async function testCancelled(folder: string): Promise<Row[]> {
  await bundleWorker(folder, "front.mjs");
  await bundleWorker(folder, "cancelled-worker.mjs");
  const rows: Row[] = [];
  for (const [what, scene] of scenes) {
    // Of its own, since what is cancelled stays in the worker's memory.
    const { url, child } = await startWorkerd(folder, [
      { name: "front", file: "front.js", services: { APP: "app" } },
      { name: "app", file: "cancelled-worker.js", texts: keyTexts },
    ]);
    rows.push(await rowOf(`${what}, and others went on`, () => scene(new Client(url))));
    child.kill("SIGKILL");
  }
  return rows;
}

/** A login, a flash message, a race for one key and a logout, over PostgreSQL. */
async function live(client: Client, path: string): Promise<string[]> {
  await client.visit(`${path}?login`);
  const counts = Array.from({ length: 5 }, () => client.get(`${path}?count`));
  const raced = await Promise.all(counts);
  const read = [await client.get(path), await client.get(path)];
  await client.get(`${path}?logout`);
  return [
    ...differing("a race", raced, ["200 1", "200 2", "200 3", "200 4", "200 5"]),
    ...differing("a read with its flash message", read, ["200 alice", "200 alice hello"]),
    ...differing("after the logout", [await client.get(path)], ["200 "]),
  ];
}

/** The reason for `perRequest`: one client for all requests fails at the second one. */
async function shared(client: Client): Promise<string[]> {
  const first = await client.visit("/shared?login");
  const second = await client.get("/shared");
  return first.status === 200 && second.status !== 200
    ? []
    : [`one client for all requests gave ${first.status} and ${second.status}`];
}

async function testPostgres(folder: string): Promise<Row[]> {
  await bundleWorker(folder, "per-request-worker.mjs", ["cloudflare:sockets", "node:*"]);
  const server = await startPostgres();
  const { url, child } = await startWorkerd(folder, [
    {
      name: "app",
      file: "per-request-worker.js",
      flags: ["nodejs_compat"],
      texts: { ...keyTexts, POSTGRES_URL: server.url },
    },
  ]);
  try {
    await new Client(url).get("/table");
    const rows: Row[] = [];
    for (const host of ["fetch", "hono", "h3"]) {
      const what = `${host}: sessions in PostgreSQL, a client for each request`;
      rows.push(await rowOf(what, () => live(new Client(url), `/${host}`)));
    }
    rows.push(await rowOf("one client for all requests can't work", () => shared(new Client(url))));
    return rows;
  } finally {
    child.kill("SIGKILL");
    await server.close();
  }
}

async function rowOf(what: string, run: () => Promise<string[]>): Promise<Row> {
  const failed = await run().catch((error: unknown) => [String(error)]);
  return { where, what, crypto: "", passed: failed.length === 0 ? 1 : 0, failed };
}

const workers = [
  "front.mjs",
  "cancelled-worker.mjs",
  "revocations-worker.mjs",
  "log-worker.mjs",
  "per-request-worker.mjs",
];

/**
 * Everything, by the package that is installed in `consumer`.
 * @param folder - a folder inside of it.
 */
export async function testWorkerRequests(consumer: string): Promise<Row[]> {
  const folder = join(consumer, "worker-requests");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  const programs = join(repository, "tests", "runtimes");
  for (const name of workers) await cp(join(programs, name), join(folder, name));
  return [
    ...(await testCancelled(folder)),
    ...(await testRevocations(folder)),
    ...(await testPostgres(folder)),
  ];
}
