// The races for one key: a small one of real processes on SQLite, and each race on a course that
// loses, doubles or revives something, which it has to see. `npm run race:same-key` runs them at full
// size on every store.
import { describe, expect, test } from "vitest";
import { SeededRandom } from "../../trials/fuzz/random.ts";
import type { Course, ExactReply } from "../../trials/race/exact/course.ts";
import {
  adds,
  againstBarriers,
  increments,
  type Outcome,
  type Sizes,
  takes,
  updates,
} from "../../trials/race/exact/rounds.ts";
import { runExactly } from "../../trials/race/exact/run.ts";

const seed = Number(process.env["RACE_SEED"] ?? 42);
const small: Sizes = { racers: 8, each: 3, takers: 6, rounds: 5, barriers: 1 };

test("every step counts once: sqlite, two processes", { timeout: 60_000 }, async () => {
  const outcomes = await runExactly("sqlite", 2, small, seed);
  expect(
    outcomes.flatMap(({ race, faults }) => faults.map((fault) => `${race}: ${fault}`)),
  ).toEqual([]);
});

/** One process whose session is a map, with what a fault makes of a request. */
function fakeCourse(
  twist: (path: string, reply: ExactReply, data: Map<string, string>) => Partial<ExactReply> | void,
): Course {
  const data = new Map<string, string>();
  let saves = 0;
  let isNew = true;
  const list = (key: string): string[] => (data.get(key) ?? "").split(" ").filter(Boolean);
  const ask = async (url: string): Promise<ExactReply> => {
    const [path = ""] = url.split("?", 1);
    const [word, key = "", value = ""] = path.split("/").slice(1).map(decodeURIComponent);
    const epoch = data.get("epoch") ?? "";
    const reply = { status: 200, refused: [], cookie: undefined, epoch } as const;
    // Each race begins with a session of its own.
    if (word === "set" && key === "epoch") data.clear();
    if (word !== "take") saves++;
    isNew = word === "destroy";
    const answer = (given?: string | number): ExactReply => {
      const full = given === undefined ? reply : { ...reply, value: given };
      return { ...full, ...twist(path, full, data) };
    };
    if (word === "set") data.set(key, value);
    else if (word === "add") data.set("ids", [...list("ids"), key].join(" "));
    else if (word === "append") data.set(key, [...list(key), value].join(" "));
    else if (word === "increment") {
      const next = Number(data.get(key) ?? 0) + 1;
      data.set(key, String(next));
      return answer(next);
    } else if (word === "take") {
      const taken = data.get(key);
      if (data.delete(key)) return answer(taken);
    } else if (word === "clear") {
      data.clear();
      data.set("epoch", value);
    }
    // In one process nobody meets a barrier but who comes after a logout.
    return answer();
  };
  return {
    ask,
    dump: async () => ({ isNew, entries: [...data], ids: list("ids") }),
    counts: async () => {
      const counted = { loads: saves, saves };
      saves = 0;
      return counted;
    },
    close: async () => undefined,
  };
}

const barriersOf = (course: Course): Promise<Outcome> =>
  againstBarriers(course, small, new SeededRandom(seed));

describe("a course without a fault", () => {
  test.each([increments, updates, adds, takes])("passes %o", async (race) => {
    expect(
      (
        await race(
          fakeCourse(() => undefined),
          small,
        )
      ).faults,
    ).toEqual([]);
  });

  test("proves nothing where no step meets a barrier", async () => {
    const { faults } = await barriersOf(fakeCourse(() => undefined));
    expect(faults.at(-1)).toBe("no step met a barrier: it proves nothing");
  });
});

describe("a fault is seen:", () => {
  const once = (of: string): ((path: string) => boolean) => {
    let count = 0;
    return (path) => path.startsWith(of) && ++count === 7;
  };

  test("an increment that is lost", async () => {
    const isIt = once("/increment");
    const course = fakeCourse((path, _, data) => {
      if (isIt(path)) data.set("n", "6");
    });
    expect((await increments(course, small)).faults).toEqual([
      "the counter is 23, not 24",
      "23 different numbers were given to 24",
    ]);
  });

  test("a line that is lost, and one that is there twice", async () => {
    const isIt = once("/append");
    const course = fakeCourse((path, _, data) => {
      const lines = (data.get("cart") ?? "").split(" ");
      if (isIt(path)) data.set("cart", [...lines.slice(1), lines[1]].join(" "));
    });
    expect((await updates(course, small)).faults).toEqual([
      "1 of 24 are lost",
      "1 are there twice, or nobody's",
    ]);
  });

  test("an add that costs a second save", async () => {
    const isIt = once("/add");
    const course: Course = fakeCourse((path) => {
      if (isIt(path)) void course.ask("/add/0-0", "");
    });
    expect((await adds(course, small)).faults).toContain(`an add cost ${25 / 24} saves`);
  });

  test("a value that two take, and one that nobody takes", async () => {
    const all = fakeCourse((path) => (path.startsWith("/take") ? { value: "0" } : undefined));
    expect((await takes(all, small)).faults).toContain("round 0: 6 took it");
    const none = fakeCourse((path) =>
      path.startsWith("/take") ? { value: undefined } : undefined,
    );
    expect((await takes(none, small)).faults).toContain("round 0: 0 took it");
  });

  test("a 409 without an event, and another status", async () => {
    const silent = fakeCourse((path) =>
      path.startsWith("/increment") ? { status: 409 } : undefined,
    );
    expect((await barriersOf(silent)).faults).toContain(
      "increment against clear: a 409 with 0 events",
    );
    const failing = fakeCourse((path) => (path.startsWith("/take") ? { status: 500 } : undefined));
    expect((await barriersOf(failing)).faults).toContain("take against clear: status 500");
  });

  test("what comes back to life after a logout, and what a clear had removed", async () => {
    const course = fakeCourse((path, _, data) => {
      if (path.startsWith("/clear")) data.set("n", "1000");
    });
    const { faults } = await barriersOf(course);
    expect(faults.some((fault) => fault.startsWith("increment against clear: found 100"))).toBe(
      true,
    );
    // Here whoever comes after the logout makes the same session anew.
    expect(faults).toContain("increment against destroy: the session came back to life");
  });
});
