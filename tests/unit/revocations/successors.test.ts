// Two requests that replace one credential at two nodes before either knows of the other: one
// successor has the session, also where the log's answer or the whole node was slow.
import { describe, expect, test } from "vitest";
import { mergingCookies } from "kocha-session/merge";
import type { Session } from "../../../src/session/session.ts";
import { type Client, Clock, makeStore, makeWorld, type World } from "../engine/client.ts";
import { makeWorld as makeFollower } from "./follower-world.ts";

const DAY = 86_400;

async function makeNodes(merge: boolean) {
  const { time, log, follow } = makeFollower();
  const store = makeStore("cookie", new Clock(), {
    ...(merge && { merge: mergingCookies() }),
  });
  const nodes = await Promise.all(
    [1, 2].map(async () => {
      const revocations = follow();
      await revocations.ready();
      return makeWorld(store, { revocations, sessionExpires: DAY, now: time.now });
    }),
  );
  const [here, there] = nodes as [World, World];
  return { time, log, here, there };
}

async function finish(world: World, session: Session): Promise<Client> {
  session.set("done", "1");
  const client = world.newClient();
  client.jar.take((await world.engine.commit(session)).setCookie);
  return client;
}

describe.each([false, true])("two successors of one credential, with merge %s", (merge) => {
  test.each(["at once", "one after the other"])("%s: one of them has the session", async (how) => {
    const { time, here, there } = await makeNodes(merge);
    const client = here.newClient();
    await client.request((session) => session.set("name", "alice"));
    const { header } = client.jar;
    const victim = await here.engine.open(header);
    const thief = await there.engine.open(header);
    expect([victim.get("name"), thief.get("name")]).toEqual(["alice", "alice"]);
    const { id } = victim;
    if (how === "at once") await Promise.all([victim.regenerate(), thief.regenerate()]);
    else for (const session of [victim, thief]) await session.regenerate();
    expect(there.told.map(({ name, event }) => [name, event["reason"]])).toContainEqual([
      "refused",
      "stale",
    ]);
    expect([victim.get("name"), thief.get("name")]).toEqual(["alice", ""]);
    expect([victim.id === id, thief.id === id]).toEqual([true, false]);
    const [mine, theirs] = [await finish(here, victim), await finish(there, thief)];
    await time.advance(2);
    expect(await mine.read()).toEqual({ name: "alice", done: "1" });
    expect(await theirs.read()).toEqual({ done: "1" });
  });
});
