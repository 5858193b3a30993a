// `npm run compare`: what happens to a session in each library, tried over HTTP with a browser's
// cookie jar, and written as docs/results/comparison.md with versions and commit. It times nothing.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Client, type Reply } from "../../src/testing/client.ts";
import { Gate } from "../../src/testing/probe.ts";
import { readArguments } from "../../trials/lib/arguments.ts";
import { table, writeRun } from "../../trials/lib/report.ts";
import { progress } from "../../trials/lib/verdict.ts";
import type { Routes } from "./routes.ts";
import { type Subject, subjects } from "./subjects.ts";

readArguments("compare", {});
// The libraries are imported when their servers start.
const npm = ["ci", "--no-engine-strict", "--prefer-offline", "--loglevel=error"];
execFileSync("npm", npm, { cwd: new URL("..", import.meta.url), stdio: "inherit" });

const NAME = "sid";
/** Long enough for every other fact, in seconds. */
const LONG = 3600;
/** Short enough to wait for, in seconds. */
const SHORT = 1;
/** Iron, which two of them use, grants a minute for clocks that differ; in milliseconds. */
const PAST_ANY_SKEW = 65_000;
/** RFC 6265bis section 5.6: a browser keeps no longer name and value. */
const MAX_COOKIE_BYTES = 4096;

/** One library's server, and a browser that is logged in as alice. */
interface Stage {
  readonly subject: Subject;
  readonly client: Client;
  readonly routes: Routes;
  /** What the login's response set, also when the browser has forgotten it since. */
  readonly cookie: string;
  /** A request that waits at a gate after the session was loaded; its response is kept by hand. */
  readonly slow: (path: string) => Promise<{ readonly finish: () => Promise<void> }>;
  /** Requests that go on when each has loaded its session; their cookies are kept one by one. */
  readonly atOnce: (paths: readonly string[]) => Promise<readonly Reply[]>;
}

/** A fact: how it is found out. */
interface Fact {
  readonly title: string;
  /** What it is a question for; default: all. */
  readonly kind?: Subject["kind"];
  readonly lifetime?: number;
  readonly find: (stage: Stage) => Promise<string>;
}

const pairsOf = ({ setCookie }: Reply): string[] =>
  setCookie.map((cookie) => cookie.split(";", 1)[0] ?? "");

const read = async (client: Client, key: string): Promise<string> =>
  (await client.get(`/get/${key}`)).body;

const facts: readonly Fact[] = [
  {
    title: "two requests at once set different keys",
    find: async ({ client, slow }) => {
      const late = await slow("/set/a/1");
      await client.get("/set/b/2");
      await late.finish();
      const both = (await read(client, "a")) === "1" && (await read(client, "b")) === "2";
      return both ? "both are kept" : "one is lost";
    },
  },
  {
    title: "five items added at once",
    find: async ({ client, atOnce }) => {
      await atOnce(["/add/a", "/add/b", "/add/c", "/add/d", "/add/e"]);
      return `${(await client.get("/items")).body} of 5 are kept`;
    },
  },
  {
    title: "a counter raised ten times at once",
    find: async ({ client, atOnce }) => {
      await atOnce(Array<string>(10).fill("/raise/n"));
      return `it stands at ${await read(client, "n")}`;
    },
  },
  {
    title: "a one-time token used by twenty requests",
    find: async ({ client, atOnce }) => {
      await client.get("/set/token/secret");
      const replies = await atOnce(Array<string>(20).fill("/take/token"));
      if (replies.every(({ status }) => status >= 400)) return "an error: a cookie can be put back";
      return `${replies.filter(({ body }) => body === "secret").length} may use it`;
    },
  },
  {
    title: "a request that began before the logout ends after it",
    find: async ({ client, slow }) => {
      const late = await slow("/set/a/1");
      await client.get("/end");
      await late.finish();
      return (await read(client, "name")) === "alice" ? "logged in again" : "stays logged out";
    },
  },
  {
    title: "a cookie that was copied before the logout",
    find: async ({ client }) => {
      const thief = await client.copy();
      await client.get("/end");
      return (await read(thief, "name")) === "alice" ? "still logged in" : "refused";
    },
  },
  {
    title: "a cookie that is sent again after its lifetime",
    lifetime: SHORT,
    find: async ({ client, cookie }) => {
      await new Promise((resolve) => setTimeout(resolve, PAST_ANY_SKEW));
      return (await client.raw("/get/name", cookie)).body === "alice" ? "accepted" : "refused";
    },
  },
  {
    title: "6 KB in a session",
    find: async ({ client, subject }) => {
      const reply = await client.get("/fill/big/6000");
      const longest = Math.max(0, ...pairsOf(reply).map((pair) => pair.length - 1));
      if (reply.status >= 400) return "an error";
      if (longest > MAX_COOKIE_BYTES) return `a cookie of ${longest} bytes, which browsers drop`;
      if ((await read(client, "big")).length !== 6000) return "gone without a word";
      return subject.kind === "on a server" ? "kept" : `kept, in ${pairsOf(reply).length} cookies`;
    },
  },
  {
    title: "the cookie under another name of the same application",
    kind: "in a cookie",
    find: async ({ client, subject, routes }) => {
      const value = (await client.cookieHeader()).replaceAll(NAME, "other");
      const other = await subject.start({ name: "other", lifetime: LONG, routes });
      const { body } = await new Client(other.url).raw("/get/name", value);
      await other.close();
      return body === "alice" ? "accepted" : "refused";
    },
  },
  {
    title: "cookies set for a visitor without one, who only looks",
    find: async ({ client }) => {
      const { setCookie } = await client.raw("/get/name", undefined);
      return setCookie.length === 0 ? "none" : String(setCookie.length);
    },
  },
  {
    title: "cookies set by a request that only reads",
    find: async ({ client }) => {
      const { setCookie } = await client.get("/get/name");
      return setCookie.length === 0 ? "none" : String(setCookie.length);
    },
  },
];

async function findOut(subject: Subject, { find, lifetime = LONG }: Fact): Promise<string> {
  const routes: Routes = new Map();
  const { url, close } = await subject.start({ name: NAME, lifetime, routes });
  const client = new Client(url);
  const slow = async (path: string): Promise<{ finish: () => Promise<void> }> => {
    const gate = new Gate();
    routes.set("late", gate);
    const pending = client.raw(`/gate/late${path}`, await client.cookieHeader());
    await gate.arrived;
    return {
      finish: async () => {
        gate.open();
        await client.keep(await pending);
      },
    };
  };
  const atOnce = async (paths: readonly string[]): Promise<readonly Reply[]> => {
    const gate = new Gate(paths.length);
    routes.set("all", gate);
    const header = await client.cookieHeader();
    const pending = paths.map((path) => client.raw(`/gate/all${path}`, header));
    await gate.arrived;
    gate.open();
    const replies = await Promise.all(pending);
    // A browser takes them one after the other.
    for (const reply of replies) await client.keep(reply);
    return replies;
  };
  try {
    const cookie = pairsOf(await client.get("/set/name/alice")).join("; ");
    return await find({ subject, client, routes, cookie, slow, atOnce });
  } finally {
    await close();
  }
}

function versionOf({ package: name }: Subject): string {
  const path = name === undefined ? "../../package.json" : `../node_modules/${name}/package.json`;
  const manifest = readFileSync(new URL(path, import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

function tableOf(
  kind: Subject["kind"],
  found: ReadonlyMap<Subject, readonly (string | undefined)[]>,
): string {
  const columns = [...found].filter(([subject]) => subject.kind === kind);
  const head = columns.map(([subject]) => `${subject.name} ${versionOf(subject)}`);
  const asked = [...facts.entries()].filter(([, fact]) => (fact.kind ?? kind) === kind);
  const rows = asked.map(([row, { title }]) => [
    title,
    ...columns.map(([, cells]) => cells[row] ?? ""),
  ]);
  return table(["", ...head], rows);
}

const found = new Map<Subject, readonly (string | undefined)[]>();
const findAll = async (subject: Subject): Promise<void> => {
  // At once: one of them waits for a minute, and each has a server of its own.
  const asked = facts.map((fact) =>
    (fact.kind ?? subject.kind) === subject.kind ? fact : undefined,
  );
  found.set(subject, await Promise.all(asked.map(async (fact) => fact && findOut(subject, fact))));
  progress(`${subject.name}: done`);
};
// In the order of the table, whoever is ready first.
for (const subject of subjects) found.set(subject, []);
await Promise.all(subjects.map(findAll));
writeRun(
  { document: "comparison", command: "compare" },
  "## Sessions on a server",
  tableOf("on a server", found),
  "## Sessions in a cookie",
  tableOf("in a cookie", found),
);
