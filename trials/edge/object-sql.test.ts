// Sessions and revocations in the SQL of one Durable Object, on real workerd: the laws, and its limit.
import { afterAll, expect, test } from "vitest";
import { newSelector } from "../../src/testing/history.ts";
import { change, creation, newTable } from "../../tests/stores/sql.ts";
import { askerOf, describePlace, remoteStore } from "./place.ts";
import { bundle, COMPATIBILITY_DATE, start } from "./workerd.ts";

const miniflare = await start([
  {
    name: "place",
    modules: true,
    script: await bundle("object-sql.mjs"),
    compatibilityDate: COMPATIBILITY_DATE,
    durableObjects: { PLACE: { className: "PlaceObject", useSQLite: true } },
  },
]);
afterAll(() => miniflare.dispose());
const ask = askerOf(miniflare);

await describePlace("ctx.storage.sql", ask);

test("it answers at once, as the storage does", async () => {
  expect(await ask("isAtOnce", newTable())).toBe(true);
});

test("a row over the object's limit is a LimitError, and the session stays as it was", async () => {
  const store = remoteStore(ask, newTable(), Date.now);
  const selector = newSelector();
  const large = "x".repeat(1_500_000);
  await store.save(selector, creation({ a: large }));
  const grown = change({
    set: new Map([
      ["b", large],
      ["c", large],
    ]),
  });
  await expect(store.save(selector, grown)).rejects.toMatchObject({
    name: "LimitError",
    message: expect.stringMatching(
      /45000\d\d bytes in the database.*no row over 2000000/,
    ) as string,
  });
  expect([...((await store.load(selector))?.data.keys() ?? [])]).toEqual(["a"]);
});
