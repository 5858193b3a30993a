// Law L13: update, increment and take are one step. And what collections do instead: entries that are
// keys of their own merge one by one, as law L1 has it.
import { type ConformanceCase, mustEqual } from "../case.ts";
import { mustOk, openLater, RACERS, type LawSetting } from "./stage.ts";

/** Its cases. */
export function exactCases({
  define,
  options: { exact },
  applies: { atomic, exact: applies, counted },
}: LawSetting): ConformanceCase[] {
  /** A request that has loaded the session waits, while others change it; then it goes on. */
  const lateCase = (
    id: string,
    meanwhile: string,
    wanted: { readonly status: number; readonly body: string; readonly kept: string },
    heard: readonly string[],
    needs: true | string = true,
  ): ConformanceCase =>
    define(id, applies === true ? needs : applies, async ({ client, state, refused }) => {
      await client.get("/set/n/1");
      const gate = openLater(state, "late");
      const late = client.raw(
        "/get/n/gate/late/set/mine/1/increment/n",
        await client.cookieHeader(),
      );
      await gate.arrived;
      await client.get(meanwhile);
      gate.open();
      const reply = await late;
      mustEqual(reply.status, wanted.status, "the status of the late request");
      if (reply.status === 200) mustEqual(reply.body, wanted.body, "what the late request got");
      mustEqual((await client.get("/dump")).body, wanted.kept, "what is stored then");
      mustEqual(refused, heard, "what the observers heard");
    });
  const refused = (kept: string): { status: number; body: string; kept: string } => ({
    status: 409,
    body: "",
    kept,
  });
  return [
    lateCase(
      "L13 update: it sees the write that came between, and keeps the request's other changes",
      "/set/n/10",
      { status: 200, body: "11", kept: '[["mine","1"],["n","11"]]' },
      [],
    ),
    lateCase(
      "L13 clear: one from before a clear is the host's 409, and nothing of it is saved",
      "/clear/set/fresh/1",
      refused('[["fresh","1"]]'),
      ["stale"],
      counted,
    ),
    lateCase(
      "L13 regenerate: one from before a regenerate is the host's 409, and nothing of it is saved",
      "/regenerate/set/n/5",
      refused('[["n","5"]]'),
      ["stale"],
      counted,
    ),
    lateCase(
      "L13 destroy: one from before a logout is the host's 409, and brings nothing back",
      "/destroy",
      refused("[]"),
      ["stale"],
    ),
    define(
      "L13 race: of updates at once, on two processes, each sees the one before it",
      applies,
      async ({ client, state, elsewhere }) => {
        await client.get("/set/n/0");
        const cookie = await client.cookieHeader();
        const other = await elsewhere();
        const gate = openLater(state, "race", 2 * RACERS);
        const replies = Array.from({ length: 2 * RACERS }, (_, at) =>
          (at % 2 === 0 ? client : other).raw("/get/n/gate/race/increment/n/append/log/x", cookie),
        );
        await gate.arrived;
        gate.open();
        const all = await Promise.all(replies);
        mustOk(all);
        const { body } = await client.get("/dump");
        const wanted = [
          ["log", "x".repeat(2 * RACERS)],
          ["n", String(2 * RACERS)],
        ];
        mustEqual(JSON.parse(body), wanted, `after ${2 * RACERS} updates at once`);
      },
    ),
    define(
      "L13 take: of requests at once, on two processes, one gets the value",
      applies,
      async ({ client, state, elsewhere }) => {
        await client.get("/set/token/secret");
        const cookie = await client.cookieHeader();
        const other = await elsewhere();
        const gate = openLater(state, "race", 2 * RACERS);
        const replies = Array.from({ length: 2 * RACERS }, (_, at) =>
          (at % 2 === 0 ? client : other).raw("/get/token/gate/race/take/token", cookie),
        );
        await gate.arrived;
        gate.open();
        const all = await Promise.all(replies);
        mustOk(all);
        const taken = all.filter(({ body }) => body === "secret").length;
        mustEqual(taken, 1, `how many of ${2 * RACERS} requests got it`);
        mustEqual((await client.get("/dump")).body, "[]", "what is left");
      },
    ),
    define(
      "L13 promise: take gives a value once, or is an error where that can't be",
      true,
      async ({ client }) => {
        await client.get("/set/token/secret");
        const { status, body } = await client.get("/take/token");
        mustEqual(status, exact ? 200 : 500, "the status of a take");
        if (exact) mustEqual(body, "secret", "what it gave");
        const left = (await client.get("/get/token")).body;
        mustEqual(left, exact ? "" : "secret", "the value afterwards");
        mustEqual((await client.get("/increment/n/increment/n")).body, "2", "a counter");
      },
    ),
    define(
      "L1 collections: entries that requests add at once all survive",
      atomic,
      async ({ client, state }) => {
        await client.get("/put/first/1");
        const gate = openLater(state, "race", RACERS);
        const names = Array.from({ length: RACERS }, (_, at) => `tea ${at}`);
        const replies = names.map((id, at) => client.get(`/entries/gate/race/put/${id}/${at}`));
        await gate.arrived;
        gate.open();
        mustOk(await Promise.all(replies));
        const wanted = [["first", 1], ...names.map((id, at) => [id, at])].toSorted(
          ([one = ""], [other = ""]) => (one < other ? -1 : 1),
        );
        mustEqual(JSON.parse((await client.get("/entries")).body), wanted, "the entries");
        mustEqual((await client.get("/size")).body, "0", "the size, which leaves them out");
      },
    ),
  ];
}
