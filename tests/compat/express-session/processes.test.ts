// Processes of express-session and of its drop-in on one Redis and one PostgreSQL with one secret: the
// races of `npm run race:express-session` in small, and a deploy that replaces one by the other.
import { afterAll, describe, expect, test } from "vitest";
import { openCourse, storesOf } from "../../../trials/race/express-session/course.ts";
import { logoutsUndone, writesKept } from "../../../trials/race/express-session/rounds.ts";

const course = await openCourse();
const applicationOf = await course.start(["express-session", "kocha-session", "kocha-session"]);
const theirs = applicationOf(0);
const ours = applicationOf(1, 2);
afterAll(course.close);

describe.each(storesOf("kocha-session"))("two processes of the drop-in on %s", (store) => {
  test("keep every key of writes at once", async () => {
    expect(await writesKept(ours, store, 2, 8)).toEqual({ found: 18, of: 18 });
  });

  test("undo no logout", async () => {
    expect(await logoutsUndone(ours, store, 3)).toEqual({ found: 0, of: 3 });
  });
});

describe.each(storesOf("express-session"))("express-session itself on %s", (store) => {
  test("loses keys and undoes logouts, so that the races are some", async () => {
    expect((await writesKept(theirs, store, 1, 8)).found).toBeLessThan(9);
    expect(await logoutsUndone(theirs, store, 1)).toEqual({ found: 1, of: 1 });
  });
});

describe.each(storesOf("express-session"))("a deploy while both run on %s", (store) => {
  const sides = [
    ["express-session", theirs, ours],
    ["the drop-in", ours, theirs],
  ] as const;

  test.each(sides)("whoever logged in at %s is logged in at the other", async (_, one, other) => {
    const cookie = await one.login(0, store);
    for (let round = 0; round < 3; round++) {
      await other.ask(0, `${store}/set/other${round}`, cookie);
      await one.ask(0, `${store}/set/one${round}`, cookie);
    }
    const wanted = ["user", ...[0, 1, 2].flatMap((round) => [`other${round}`, `one${round}`])];
    for (const side of [one, other]) {
      expect(Object.keys((await side.ask(0, `${store}/read`, cookie)) as object)).toEqual(wanted);
    }
  });

  test.each(sides)("a logout at %s is one for the other", async (_, one, other) => {
    const cookie = await other.login(0, store);
    await one.ask(0, `${store}/logout`, cookie);
    expect(await other.ask(0, `${store}/read`, cookie)).toEqual({});
    expect(await one.ask(0, `${store}/read`, cookie)).toEqual({});
  });

  test("the drop-in loses nothing that express-session writes meanwhile", async () => {
    const cookie = await theirs.login(0, store);
    const writes = [0, 1, 2, 3].map((n) => ours.ask(n, `${store}/set/ours${n}?held`, cookie));
    await ours.held(4);
    await theirs.ask(0, `${store}/set/theirs`, cookie);
    ours.release();
    await Promise.all(writes);
    const keys = Object.keys((await theirs.ask(0, `${store}/read`, cookie)) as object);
    expect(keys.toSorted()).toEqual(["ours0", "ours1", "ours2", "ours3", "theirs", "user"]);
  });

  test("and brings nothing back that express-session has ended meanwhile", async () => {
    const cookie = await theirs.login(0, store);
    const write = ours.ask(0, `${store}/set/late?held`, cookie).catch(() => undefined);
    await ours.held(1);
    await theirs.ask(0, `${store}/logout`, cookie);
    ours.release();
    await write;
    expect(await theirs.ask(0, `${store}/read`, cookie)).toEqual({});
  });
});
