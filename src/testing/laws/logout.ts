// Law L2: after a logout nothing makes the session load again.
import { type ConformanceCase, must, mustEqual } from "../case.ts";
import { openLater, ours, RACERS, type LawSetting } from "./stage.ts";

/** The most that a merging store may leave at a logout, in bytes of the Cookie header. */
const MAX_TOMBSTONE = 200;

/** Its cases. */
export function logoutCases({
  define,
  options: { merges },
  applies: { joined, revocable },
}: LawSetting): ConformanceCase[] {
  return [
    define("L2 logout: it ends the session in this browser", true, async ({ client }) => {
      await client.get("/set/a/1");
      await client.get("/destroy");
      const left = await client.cookieHeader();
      // A merging store leaves a note of the session's end.
      if (merges) must(left.length < MAX_TOMBSTONE, `the browser still sends ${left.length} bytes`);
      else mustEqual(left, "", "what the browser still sends");
      mustEqual((await client.get("/dump")).body, "[]", "what the next request sees");
    }),
    define(
      "L2 race: in this browser a slow request that ends after the logout brings nothing back",
      joined,
      async ({ client, state }) => {
        await client.get("/set/a/1");
        await client.get("/set/b/2");
        const gate = openLater(state, "slow", RACERS);
        const cookie = await client.cookieHeader();
        const slow = Array.from({ length: RACERS }, (_, index) =>
          client.raw(`/get/a/gate/slow/set/late${index}/1`, cookie),
        );
        await gate.arrived;
        await client.get("/destroy");
        gate.open();
        for (const reply of await Promise.all(slow)) await client.keep(reply);
        mustEqual((await client.get("/dump")).body, "[]", "what the browser's next request sees");
        await client.get("/set/fresh/1");
        mustEqual(
          (await client.get("/dump")).body,
          '[["fresh","1"]]',
          "what its next session holds",
        );
      },
    ),
    define(
      "L2 replay: a copied credential is dead after the logout",
      revocable,
      async ({ client }) => {
        await client.get("/set/a/1");
        const thief = await client.copy();
        await client.get("/destroy");
        mustEqual((await thief.get("/dump")).body, "[]", "what a copied credential reads");
        await thief.raw("/set/b/2", await thief.cookieHeader());
        mustEqual((await thief.get("/dump")).body, "[]", "what it reads after it wrote");
      },
    ),
    define(
      "L2 late: a slow request that ends after the logout brings nothing back",
      revocable,
      async ({ client, state, refused }) => {
        await client.get("/set/a/1");
        const cookie = await client.cookieHeader();
        const gate = openLater(state, "slow");
        const slow = client.raw("/get/a/gate/slow/set/a/late", cookie);
        await gate.arrived;
        await client.get("/destroy");
        gate.open();
        const late = await slow;
        mustEqual(ours(late), [], "the cookies of the late response");
        mustEqual(
          (await client.raw("/dump", cookie)).body,
          "[]",
          "what the credential reads afterwards",
        );
        mustEqual(refused, ["stale"], "what the observers heard");
      },
    ),
  ];
}
