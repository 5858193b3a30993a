// Two isolates that share Durable Objects: races, a logout that both know, and versions that differ.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Plugin } from "esbuild";
import type { Miniflare } from "miniflare";
import { afterAll, describe, expect, test } from "vitest";
import { ourObjects } from "./objects.ts";
import { bundle, COMPATIBILITY_DATE, start } from "./workerd.ts";

const running: Miniflare[] = [];
afterAll(() => Promise.all(running.map((one) => one.dispose())));

const key = (): string => randomBytes(32).toString("base64");
const bindings = { SIGNING_KEY: key(), SECRET_KEY: key() };

/** The protocol's source with one text in place of another. */
function edited(text: string, replacement: string): Plugin {
  return {
    name: "another version of the calls",
    setup(bundler) {
      bundler.onLoad({ filter: /durable\/protocol\.ts$/ }, ({ path }) => {
        const source = readFileSync(path, "utf8");
        if (!source.includes(text)) throw new Error(`the protocol has no ${text}`);
        return { contents: source.replace(text, replacement), loader: "ts" };
      });
    },
  };
}

interface Visited {
  readonly status: number;
  readonly text: string;
  readonly cookie: string;
}

/** One client of two isolates. */
class Visitor {
  readonly #miniflare: Miniflare;
  cookie = "";

  constructor(miniflare: Miniflare) {
    this.#miniflare = miniflare;
  }

  async visit(isolate: "a" | "b", path: string): Promise<Visited> {
    const worker = await this.#miniflare.getWorker(isolate);
    const headers = this.cookie === "" ? {} : { cookie: this.cookie };
    const response = await worker.fetch(`http://localhost${path}`, { headers });
    const cookie = response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
    if (cookie !== "") this.cookie = cookie;
    return { status: response.status, text: await response.text(), cookie };
  }
}

/** Two isolates of the application, and the objects in a third. */
async function startIsolates(
  worker: readonly Plugin[] = [],
  objects: readonly Plugin[] = [],
): Promise<Visitor> {
  const common = { modules: true, compatibilityDate: COMPATIBILITY_DATE } as const;
  const script = await bundle("app.mjs", { plugins: [...worker] });
  const elsewhere = Object.fromEntries(
    Object.entries(ourObjects).map(([name, object]) => [
      name,
      { ...object, scriptName: "objects" },
    ]),
  );
  const miniflare = await start([
    {
      name: "objects",
      ...common,
      script: await bundle("objects.mjs", { plugins: [...objects] }),
      durableObjects: ourObjects,
    },
    ...["a", "b"].map((name) => {
      return { name, ...common, script, bindings, durableObjects: elsewhere };
    }),
  ]);
  running.push(miniflare);
  return new Visitor(miniflare);
}

const isolates = ["a", "b"] as const;
const many = <T>(count: number, call: (isolate: "a" | "b", index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => call(isolates[index % 2] ?? "a", index)));

describe("two isolates", async () => {
  const visitor = await startIsolates();

  test("see one session, and its end", async () => {
    await visitor.visit("a", "/fetch?login=alice");
    expect((await visitor.visit("b", "/hono?")).text).toBe("alice welcome");
    await visitor.visit("b", "/fetch?logout");
    expect((await visitor.visit("a", "/h3?")).text).toBe("");
  });

  test("keep what 100 racing writers write", async () => {
    await visitor.visit("a", "/fetch?set=first");
    const { cookie } = visitor;
    const answers = await many(100, (isolate, index) =>
      visitor.visit(isolate, `/fetch?set=k${index}`),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    visitor.cookie = cookie;
    expect((await visitor.visit("b", "/fetch?keys")).text).toBe("101");
  });

  test("count, edit and take exactly", async () => {
    await visitor.visit("a", "/fetch?set=token");
    const counts = await many(60, (isolate) => visitor.visit(isolate, "/fetch?increment=count"));
    const numbers = counts.map(({ text }) => Number(text)).toSorted((one, other) => one - other);
    expect(numbers).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    await many(40, (isolate) => visitor.visit(isolate, "/fetch?append=edits"));
    expect((await visitor.visit("a", "/fetch?append=edits")).text).toBe("+".repeat(41));
    const taken = await many(20, (isolate) => visitor.visit(isolate, "/fetch?set=x&take=token"));
    expect(taken.filter(({ text }) => text === "token")).toHaveLength(1);
  });

  test("both know a logout after two poll intervals", async () => {
    const client = await startIsolates();
    await client.visit("a", "/cookie?login=alice");
    const stolen = client.cookie;
    expect((await client.visit("b", "/cookie?")).text).toBe("alice welcome");
    client.cookie = stolen;
    await client.visit("a", "/cookie?logout");
    client.cookie = stolen;
    expect((await client.visit("a", "/cookie?")).text).toBe("");
    client.cookie = stolen;
    // The promise is about this time; more of it doesn't make the list newer, since b has no timer by now.
    await new Promise((resolve) => setTimeout(resolve, 2 * 500));
    expect((await client.visit("b", "/cookie?")).text).toBe("");
  });
});

const YESTERDAY = edited("PROTOCOL = 1", "PROTOCOL = 0");
const WITHOUT_EXPECT = edited("  expect: {\n    write", "  expected: {\n    write");

describe("a worker and objects of different versions", () => {
  test.each([
    ["yesterday's object and today's worker", [], [YESTERDAY]],
    ["today's object and yesterday's worker", [YESTERDAY], []],
  ])("%s", async (_, worker, objects) => {
    const visitor = await startIsolates(worker, objects);
    for (const path of ["/fetch?set=a", "/cookie?login=alice"]) {
      const { status, text, cookie } = await visitor.visit("a", path);
      expect(text).toMatch(/^ERR_SESSION_STORE_FAILED: /);
      expect([status, cookie]).toEqual([503, ""]);
    }
    expect((await visitor.visit("a", "/fetch?set=a")).text).toContain(
      "deploy the worker and its objects from one version",
    );
  });

  test("an object that doesn't know a field of a change refuses the change", async () => {
    const visitor = await startIsolates([], [WITHOUT_EXPECT]);
    await visitor.visit("a", "/fetch?set=a");
    const { status, text } = await visitor.visit("a", "/fetch?increment=count");
    expect(status).toBe(503);
    expect(text).toContain("SessionObject doesn't know the field expect of a change");
    expect((await visitor.visit("b", "/fetch?keys")).text).toBe("1");
  });
});
