// Law L1: concurrent requests that change different keys all keep their changes.
import { type ConformanceCase, must, mustEqual } from "../case.ts";
import { mustOk, openLater, RACERS, type LawSetting } from "./stage.ts";

/** Its cases. */
export function mergeCases({
  define,
  options: { sealed },
  applies: { atomic, counted },
}: LawSetting): ConformanceCase[] {
  return [
    define(
      "L1 merge: requests at once that change different keys all survive",
      atomic,
      async ({ client, state }) => {
        await client.get("/set/base/0");
        const gate = openLater(state, "race", RACERS);
        const names = Array.from({ length: RACERS }, (_, index) => `k${index}`);
        const replies = names.map((key) => client.get(`/gate/race/set/${key}/${key}`));
        await gate.arrived;
        gate.open();
        mustOk(await Promise.all(replies));
        const { body } = await client.get("/dump");
        const wanted = [["base", "0"], ...names.map((key) => [key, key])].toSorted(
          ([one = ""], [other = ""]) => (one < other ? -1 : 1),
        );
        mustEqual(JSON.parse(body), wanted, `after ${RACERS} requests at once`);
      },
    ),
    define(
      "L1 notes: a binding or a lifetime refuses no write of another key",
      sealed
        ? "a cookie carries what is known of it, and merging ones begin anew with it"
        : atomic === true
          ? counted
          : atomic,
      async ({ client, state, refused }) => {
        await client.get("/set/base/0");
        const gate = openLater(state, "write", 3);
        const late = ["set/k0/k0", "set/k1/k1", "set/k2/k2/lifetime/7200"].map((what) =>
          client.get(`/get/base/gate/write/${what}`),
        );
        await gate.arrived;
        await client.get("/set/bound/1/bind/alice");
        await client.get("/set/chosen/1/lifetime/3600");
        gate.open();
        mustOk(await Promise.all(late));
        const wanted = ["base", "bound", "chosen", "k0", "k1", "k2"];
        const found = JSON.parse((await client.get("/dump")).body) as [string, string][];
        mustEqual(
          found.map(([key]) => key),
          wanted,
          "the keys that were kept",
        );
        mustEqual(refused, [], "what the observers heard");
      },
    ),
    define(
      "L1 whole: of requests at once one state survives, none in parts",
      true,
      async ({ client }) => {
        await client.get("/set/base/0");
        const values = Array.from({ length: RACERS }, (_, index) => String(index));
        mustOk(
          await Promise.all(values.map((value) => client.get(`/set/a/${value}/set/b/${value}`))),
        );
        const found = new Map(JSON.parse((await client.get("/dump")).body) as [string, string][]);
        must(values.includes(found.get("a") ?? ""), "a value that was never written");
        mustEqual(
          [found.get("a"), found.get("base")],
          [found.get("b"), "0"],
          "two keys of one write, and what was there",
        );
      },
    ),
  ];
}
