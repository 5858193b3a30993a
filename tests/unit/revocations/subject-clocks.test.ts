// `revokeSubject` where the log's clock steps, as in a failover to a server whose clock is behind, and
// where a node doesn't know of it yet: within five minutes of error no session is missed.
import fc from "fast-check";
import { mergingCookies } from "kocha-session/merge";
import { describe, expect, test } from "vitest";
import type { RevocationFollower } from "../../../src/revocations/follower.ts";
import {
  type Client,
  Clock,
  makeStore,
  makeWorld as makeEngine,
  type World,
} from "../engine/client.ts";
import { makeWorld } from "./follower-world.ts";

const seed = Number(process.env["FC_SEED"] ?? 42);
const numRuns = Number(process.env["FC_RUNS"] ?? 100);
const DAY = 86_400;
const MINUTE = 60_000;
const SKEW = 5 * MINUTE;

type Act =
  | { readonly kind: "log in"; readonly node: number }
  | { readonly kind: "revoke"; readonly node: number }
  | { readonly kind: "step"; readonly ahead: number }
  | { readonly kind: "wait"; readonly ms: number };

const node = fc.constantFrom(0, 1);
const acts: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ kind: fc.constant("log in" as const), node }),
  fc.record({ kind: fc.constant("revoke" as const), node }),
  // From one end of the five minutes to the other at most.
  fc.record({ kind: fc.constant("step" as const), ahead: fc.constantFrom(0, 1, MINUTE, SKEW) }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(1000, 2000, 4 * MINUTE) }),
);

describe("a log whose clock steps within five minutes", () => {
  test("each revocation ends all that were bound before it, and none that knew of it", async () => {
    const property = fc.asyncProperty(
      fc.array(acts, { maxLength: 30, size: "max" }),
      async (schedule) => {
        const { time, log, follow } = makeWorld();
        const nodes = [follow(), follow()] as [RevocationFollower, RevocationFollower];
        await Promise.all(nodes.map(async (one) => one.ready()));
        let bound: { readonly id: string; readonly boundAt: number }[] = [];
        let count = 0;
        for (const act of schedule) {
          if (act.kind === "step") log.ahead = act.ahead;
          if (act.kind === "wait") await time.advance(act.ms / 1000);
          if (act.kind === "log in") {
            const boundAt = nodes[act.node]?.bindingTime("alice") ?? 0;
            bound.push({ id: `session ${count++}`, boundAt });
          }
          if (act.kind !== "revoke") continue;
          await nodes[act.node]?.revokeSubject("alice");
          // By then every node knows of it, and of the log's new time.
          await time.advance(1);
          for (const session of bound) {
            for (const one of nodes) {
              expect(one.verdict({ ...session, subject: "alice" })).toBe("revoked");
            }
          }
          bound = [];
        }
        for (const session of bound) {
          for (const one of nodes) {
            expect(one.verdict({ ...session, subject: "alice" })).toBeUndefined();
          }
        }
      },
    );
    await fc.assert(property, { seed, numRuns });
  });

  test("a process that begins after the step misses none either", async () => {
    const { time, log, follow } = makeWorld();
    log.ahead = SKEW;
    const before = follow();
    await before.ready();
    const session = { id: "one", subject: "alice", boundAt: before.bindingTime("alice") };
    await time.advance(0.001);
    log.ahead = 0;
    const admin = follow();
    await admin.revokeSubject("alice");
    await time.advance(1);
    await admin.ready();
    for (const list of [before, admin]) expect(list.verdict(session)).toBe("revoked");
  });
});

describe.each([false, true])("a node that hasn't polled, with merge %s", (merge) => {
  async function makeNodes() {
    const { time, follow } = makeWorld();
    const store = makeStore("cookie", new Clock(), {
      ...(merge && { merge: mergingCookies() }),
    });
    const lists = [follow(), follow()] as [RevocationFollower, RevocationFollower];
    await Promise.all(lists.map(async (list) => list.ready()));
    const [here, there] = lists.map((revocations) =>
      makeEngine(store, { revocations, sessionExpires: DAY, now: time.now }),
    ) as [World, World];
    const at = (world: World, client: Client): Client => {
      const copy = world.newClient();
      copy.jar.take(client.jar.cookies.map(({ name, value }) => `${name}=${value}`));
      return copy;
    };
    return { time, list: lists[0], here, there, at };
  }

  test("brings no session back by binding it to its subject again", async () => {
    const { time, list, here, there, at } = await makeNodes();
    const client = here.newClient();
    await client.request((session) => session.bind("alice"));
    await time.advance(600);
    // One that reaches no further than it says.
    await list.revokeSubject("alice", { before: new Date(time.now() - MINUTE) });
    const copy = at(there, client);
    await copy.request((session) => {
      session.bind("alice");
      session.set("back", "1");
    });
    await time.advance(600);
    expect(await copy.read()).toEqual({});
    expect(await at(here, copy).read()).toEqual({});
  });

  test("binding again with a regenerate is a login, at a node that knows", async () => {
    const { time, list, here, there, at } = await makeNodes();
    const client = here.newClient();
    await client.request((session) => session.bind("alice"));
    await list.revokeSubject("alice", { before: new Date(time.now() - 1) });
    await time.advance(600);
    await client.request(async (session) => {
      await session.regenerate();
      session.bind("alice");
      session.set("again", "1");
    });
    // The binding of before would be meant by this one.
    await list.revokeSubject("alice", { before: new Date(time.now() - 300_001) });
    await time.advance(2);
    expect(await at(there, client).read()).toEqual({ again: "1" });
    await list.revokeSubject("alice");
    expect(await client.read()).toEqual({});
  });
});
