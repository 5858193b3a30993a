// What a request does, or finds stored, while its exact step waits in the lane behind another one's.
import { beforeEach, expect, test } from "vitest";
import type { Session } from "../../../src/session/session.ts";
import type { SessionStore } from "../../../src/store/contract.ts";
import { SessionMemoryStore } from "../../../src/stores/memory.ts";
import { Clock, makeWorld, type Client, type World } from "./client.ts";

let world: World;
let client: Client;
let saves: number;
/** What the answer of the next save waits for. */
let answer: Promise<void> | undefined;

beforeEach(() => {
  saves = 0;
  answer = undefined;
  const clock = new Clock();
  const memory = new SessionMemoryStore({ now: clock.now });
  const store: SessionStore = {
    capabilities: memory.capabilities,
    load: async (selector) => memory.load(selector),
    save: async (selector, change) => {
      saves++;
      const saved = memory.save(selector, change);
      const waitsFor = answer;
      answer = undefined;
      await waitsFor;
      return saved;
    },
  };
  world = makeWorld(store, {}, clock);
  client = world.newClient();
});

const opened = async (): Promise<Session> => world.engine.open(client.jar.header);
/** All that goes on by itself has gone on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The first step's save is applied, and its answer is on its way; gives what lets it arrive. */
async function begun(step: () => Promise<unknown>): Promise<() => Promise<unknown>> {
  let arrive: (() => void) | undefined;
  answer = new Promise((resolve) => (arrive = resolve));
  const done = step();
  await settled();
  return () => {
    arrive?.();
    return done;
  };
}

test.each([
  ["sets the key", (session: Session) => session.set("n", "100"), 101],
  ["removes the key", (session: Session) => session.del("n"), 1],
  ["clears the session", (session: Session) => session.clear(), 1],
])("a request that %s while its step waits counts on from there", async (_name, change, wanted) => {
  await client.request((session) => session.set("n", "1"));
  const [first, second] = [await opened(), await opened()];
  const end = await begun(() => first.increment("n"));
  const waiting = second.increment("n");
  await settled();
  change(second);
  saves = 0;
  expect(await end()).toBe(2);
  expect(await waiting).toBe(wanted);
  expect(saves).toBe(1);
  expect(await client.read()).toEqual({ n: String(wanted) });
});

test("a value that was stored after the one that another step is taking can be taken, too", async () => {
  await client.request((session) => session.set("token", "one"));
  const first = await opened();
  const end = await begun(() => first.take("token"));
  await client.request((session) => session.set("token", "two"));
  const [second, third] = [await opened(), await opened()];
  const waiting = [second.take("token"), third.take("token")];
  await settled();
  expect(await end()).toBe("one");
  expect(await Promise.all(waiting)).toEqual(["two", undefined]);
  expect(await client.read()).toEqual({});
});

test("of steps that came at once, the first that saves nothing looks for all of them", async () => {
  await client.request((session) => session.set("token", "one"));
  const sessions = await Promise.all(Array.from({ length: 20 }, opened));
  saves = 0;
  const taken = await Promise.all(sessions.map((session) => session.take("token")));
  expect(taken.filter((value) => value !== undefined)).toEqual(["one"]);
  expect(saves).toBe(2);
});
