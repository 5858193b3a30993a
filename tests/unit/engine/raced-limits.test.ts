// What racing requests can make of a session together: each sees only its own changes, so the limit
// is passed once, by what was open at the same time, and never again.
import { SessionMemoryStore } from "kocha-session";
import { expect, test } from "vitest";
import { slowly } from "../../support/latency.ts";
import { Visitor } from "../../support/visitor.ts";

const REQUESTS = 8;
const LIMIT = 1000;

/** A visitor whose requests have raced past the limit. */
async function racedVisitor(): Promise<Visitor> {
  const visitor = new Visitor(slowly(new SessionMemoryStore()), {
    maxSessionBytes: LIMIT,
    maxKeys: 4,
  });
  await visitor.visit((session) => session.set("key0", "x".repeat(100)));
  const race = Array.from({ length: REQUESTS }, (_, index) =>
    visitor.visit((session) => session.set(`race${index}`, "x".repeat(LIMIT - 200))),
  );
  await Promise.all(race);
  return visitor;
}

const sizeOf = (visitor: Visitor): Promise<number> =>
  visitor.visit((session) =>
    [...session].reduce((sum, [key, value]) => sum + key.length + value.length, 0),
  );

test("together they make at most as many sessions' sizes as there were requests", async () => {
  const size = await sizeOf(await racedVisitor());
  expect(size).toBeGreaterThan(LIMIT);
  expect(size).toBeLessThanOrEqual(REQUESTS * LIMIT);
});

test("a session that is over its limit can't grow, by one request or by many", async () => {
  const visitor = await racedVisitor();
  const before = await sizeOf(visitor);
  const growths = Array.from({ length: REQUESTS }, (_, index) => [
    visitor.visit((session) => session.set(`again${index}`, "x")),
    visitor.visit((session) => session.set("key0", "x".repeat(101))),
    visitor.visit((session) => {
      session.del("key0");
      session.set("other", "x".repeat(200));
    }),
  ]).flat();
  for (const growth of await Promise.allSettled(growths)) {
    expect(growth).toMatchObject({ status: "rejected", reason: { name: "LimitError" } });
  }
  expect(await sizeOf(visitor)).toBe(before);
});

test("it can be read, made smaller and cleared", async () => {
  const visitor = await racedVisitor();
  const before = await sizeOf(visitor);
  expect(await visitor.visit((session) => session.get("key0"))).toBe("x".repeat(100));
  await visitor.visit((session) => session.set("key0", "y".repeat(99)));
  await visitor.visit((session) => session.del("race0"));
  expect(await sizeOf(visitor)).toBe(before - 1 - (LIMIT - 200 + 5));
  await visitor.visit((session) => {
    session.clear();
    session.set("new", "x".repeat(LIMIT - 3));
  });
  expect(await sizeOf(visitor)).toBe(LIMIT);
});
