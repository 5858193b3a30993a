// The checker on histories made by hand: each rule on the smallest breach of it, and on its nearest
// neighbour that is none.
import { describe, expect, test } from "vitest";
import { checkHistory } from "../../trials/race/checker.ts";
import { excerpt } from "../../trials/race/excerpt.ts";
import { BOUND, EPOCH } from "../../trials/race/history.ts";
import { markOf, valueOf } from "../../trials/race/values.ts";
import { broken, fresh, history, save, type Short } from "./short-history.ts";

describe("L1 lost update", () => {
  test("a save that is over, and a later look without it", () => {
    const write: Short = { at: [2, 3], seen: fresh, saves: [save("change", ["b"])] };
    expect(broken(write, { at: [4, 5], seen: fresh })).toEqual(["L1 lost update"]);
    expect(broken(write, { at: [4, 5], seen: { ...fresh, b: "2" } })).toEqual([]);
    expect(broken(write, { at: [2, 5], seen: fresh })).toEqual([]);
  });

  test("two saves at once, of which a later look sees one whole and the other not at all", () => {
    const one: Short = { at: [2, 6], seen: fresh, saves: [save("change", ["b"])] };
    const other: Short = { at: [3, 5], seen: fresh, saves: [save("change", ["c"])] };
    expect(broken(one, other, { at: [7, 8], seen: { ...fresh, b: "2" } })).toEqual([
      "L1 lost update",
    ]);
    expect(broken(one, other, { at: [7, 8], seen: { ...fresh, b: "2", c: "3" } })).toEqual([]);
  });

  test("of two saves of one key either may win, but the look may not change its mind", () => {
    const one: Short = { at: [2, 6], seen: fresh, saves: [save("change", ["b"])] };
    const other: Short = { at: [3, 5], seen: fresh, saves: [save("change", ["b"])] };
    const sees = (b: string, start: number): Short => ({
      at: [start, start + 1],
      seen: { ...fresh, b },
    });
    expect(broken(one, other, sees("2", 7), sees("2", 9))).toEqual([]);
    expect(broken(one, other, sees("3", 7), sees("3", 9))).toEqual([]);
    expect(broken(one, other, sees("2", 7), sees("3", 9))).toEqual(["L1 lost update"]);
  });

  test("who saw a value and wrote the key wrote after it, whatever the times say", () => {
    const one: Short = { at: [2, 20], seen: fresh, saves: [save("change", ["b"])] };
    const other: Short = {
      at: [3, 19],
      seen: { ...fresh, b: "2" },
      saves: [save("change", ["b"])],
    };
    expect(broken(one, other, { at: [21, 22], seen: { ...fresh, b: "3" } })).toEqual([]);
    expect(broken(one, other, { at: [21, 22], seen: { ...fresh, b: "2" } })).toEqual([
      "L1 lost update",
    ]);
  });

  test("a removal that comes undone, and one that somebody overwrote", () => {
    const removal: Short = {
      at: [2, 3],
      seen: fresh,
      saves: [save("change", ["-a"], { del: ["a"] })],
    };
    expect(broken(removal, { at: [4, 5], seen: { epoch: "1", "-a": "2" } })).toEqual([]);
    expect(broken(removal, { at: [4, 5], seen: { ...fresh, "-a": "2" } })).toEqual([
      "L1 lost update",
    ]);
    const write: Short = { at: [2, 3], seen: fresh, saves: [save("change", ["a"])] };
    expect(broken(removal, write, { at: [4, 5], seen: { epoch: "1", "-a": "2", a: "3" } })).toEqual(
      [],
    );
  });

  test("what was not answered may have happened, at any time since, or not at all", () => {
    const lost: Short = {
      at: [2, 3],
      answered: false,
      saves: [save("change", ["b"], { outcome: "unknown" })],
    };
    const late = { ...fresh, b: "2" };
    expect(broken(lost, { at: [4, 5], seen: fresh })).toEqual([]);
    expect(broken(lost, { at: [4, 5], seen: fresh }, { at: [6, 7], seen: late })).toEqual([]);
    expect(broken(lost, { at: [4, 5], seen: late }, { at: [6, 7], seen: fresh })).toEqual([
      "L1 lost update",
    ]);
  });
});

describe("L1 refused without a barrier", () => {
  const refused: Short = {
    at: [2, 5],
    seen: fresh,
    saves: [save("change", ["b"], { outcome: "refused" })],
  };

  test("is excused by a barrier or a logout at the same time", () => {
    expect(broken(refused)).toEqual(["L1 refused without a barrier"]);
    expect(broken(refused, { at: [3, 4], seen: fresh, saves: [save("destroy")] })).toEqual([]);
    expect(broken(refused, { at: [3, 4], seen: fresh, saves: [save("clear", [EPOCH])] })).toEqual(
      [],
    );
    expect(broken(refused, { at: [6, 7], seen: fresh, saves: [save("destroy")] })).toEqual([
      "L1 refused without a barrier",
    ]);
  });

  test("of a binding is excused by another one, of a write it isn't", () => {
    const bind = save("bind", [BOUND], { subject: "alice" });
    const other: Short = { at: [3, 4], seen: fresh, saves: [bind] };
    expect(broken(refused, other)).toEqual(["L1 refused without a barrier"]);
    const bound = { ...refused, saves: [{ ...bind, outcome: "refused" as const }] };
    expect(broken(bound, other)).toEqual([]);
    expect(broken(bound)).toEqual(["L1 refused without a barrier"]);
  });

  test("is excused by the session's end", () => {
    expect(broken({ ...refused, expires: 499 })).toEqual([]);
    expect(broken({ ...refused, expires: 501 })).toEqual(["L1 refused without a barrier"]);
  });
});

describe("L1 two bindings from one", () => {
  const saves = [save("bind", [BOUND], { subject: "alice" })];
  const one: Short = { at: [2, 6], seen: fresh, saves };

  test("of two that saw the same one is taken", () => {
    const other: Short = { at: [3, 5], seen: fresh, saves };
    expect(broken(one, other)).toContain("L1 two bindings from one");
    const refused = saves.map((bind) => ({ ...bind, outcome: "refused" as const }));
    expect(broken(one, { ...other, saves: refused })).toEqual([]);
  });

  test("one that saw the other, or comes after a barrier, is another's successor", () => {
    expect(broken(one, { at: [7, 8], seen: { ...fresh, bound: "2" }, saves })).toEqual([]);
    const clear: Short = {
      at: [7, 8],
      seen: { ...fresh, bound: "2" },
      saves: [save("clear", [EPOCH])],
    };
    expect(broken(one, clear, { at: [9, 10], seen: { epoch: "3" }, saves })).toEqual([]);
  });
});

describe("L2", () => {
  const logout: Short = { at: [2, 4], seen: fresh, saves: [save("destroy")] };

  test("resurrection: whoever comes after an acknowledged logout finds nothing", () => {
    expect(broken(logout, { at: [5, 6], seen: fresh })).toEqual(["L2 resurrection"]);
    expect(broken(logout, { at: [3, 6], seen: fresh })).toEqual([]);
    expect(broken(logout, { at: [5, 6] })).toEqual([]);
  });

  test("write after logout: nobody is told that it saved", () => {
    const late: Short = { at: [5, 6], saves: [save("change", ["b"])] };
    expect(broken(logout, late)).toEqual(["L2 write after logout"]);
    expect(broken(logout, { ...late, at: [3, 6] })).toEqual([]);
  });
});

describe("L3", () => {
  const clear: Short = { at: [2, 3], seen: fresh, saves: [save("clear", [EPOCH])] };
  const regenerate: Short = {
    at: [2, 3],
    seen: fresh,
    saves: [save("regenerate", [EPOCH])],
  };

  test("change across a barrier: what was made from before a clear is seen after it", () => {
    const slow: Short = { at: [1.5, 6], seen: fresh, saves: [save("change", ["b"])] };
    expect(broken(clear, slow, { at: [7, 8], seen: { epoch: "2", b: "3" } })).toEqual([
      "L3 change across a barrier",
    ]);
    expect(broken(clear, slow, { at: [7, 8], seen: { epoch: "2" } })).toEqual([]);
  });

  test("change across a barrier: what a regenerate's successor didn't have comes in later", () => {
    const slow: Short = { at: [1.5, 9], seen: fresh, saves: [save("change", ["b"])] };
    const look = (start: number, b?: string): Short => ({
      at: [start, start + 1],
      seen: { a: "1", epoch: "2", ...(b !== undefined && { b }) },
      generation: 2,
    });
    expect(broken(regenerate, slow, look(4), look(10, "3"))).toEqual([
      "L3 change across a barrier",
    ]);
    expect(broken(regenerate, slow, look(4, "3"), look(10, "3"))).toEqual([]);
  });

  test("barrier undone: what was cleared is back", () => {
    expect(broken(clear, { at: [4, 5], seen: fresh })).toEqual([
      "L3 barrier undone",
      "L1 lost update",
    ]);
    expect(broken(clear, { at: [2.5, 5], seen: fresh })).toEqual([]);
  });

  test("barrier undone: somebody had seen it already, though nobody was told", () => {
    const lost: Short = {
      at: [2, 3],
      answered: false,
      saves: [save("clear", [EPOCH], { outcome: "unknown" })],
    };
    const after = { at: [4, 5], seen: { epoch: "2" } } as const;
    expect(broken(lost, after)).toEqual([]);
  });

  test("two barriers from one: both came next", () => {
    const other: Short = { at: [2, 3], seen: fresh, saves: [save("regenerate", [EPOCH])] };
    expect(broken(clear, other)).toEqual(["L3 two barriers from one"]);
    const later: Short = {
      at: [4, 5],
      seen: { epoch: "2" },
      saves: [save("regenerate", [EPOCH])],
    };
    expect(broken(clear, later)).toEqual([]);
  });
});

describe("L4", () => {
  const regenerate: Short = { at: [2, 3], seen: fresh, saves: [save("regenerate", [EPOCH])] };
  const after = { a: "1", epoch: "2" } as const;

  test("old credential reads: never after the regenerate is over", () => {
    expect(broken(regenerate, { at: [4, 5], seen: after })).toEqual(["L4 old credential reads"]);
    expect(broken(regenerate, { at: [4, 5], seen: after, generation: 2 })).toEqual([]);
    expect(broken(regenerate, { at: [2.5, 5], seen: fresh })).toEqual([]);
  });

  test("old credential writes: never, but a logout is heard", () => {
    const write: Short = { at: [4, 5], saves: [save("change", ["b"])] };
    expect(broken(regenerate, write)).toEqual(["L4 old credential writes"]);
    expect(broken(regenerate, { at: [4, 5], saves: [save("destroy")] })).toEqual([]);
  });

  test("two successors: a regenerate has one", () => {
    expect(broken(regenerate, { ...regenerate, at: [2, 4] })).toEqual(["L4 two successors"]);
  });
});

test("L8 refused but visible: its client was told otherwise", () => {
  const refused = save("change", ["b"], { outcome: "refused" });
  const rules = broken(
    { at: [2, 5], seen: fresh, saves: [refused] },
    { at: [3, 4], seen: fresh, saves: [save("regenerate", [EPOCH])] },
    { at: [6, 7], seen: { a: "1", epoch: "3", b: "2" }, generation: 2 },
  );
  expect(rules).toContain("L8 refused but visible");
});

describe("L9 vanished", () => {
  const nothing: Short = { at: [4, 5] };

  test("unless it was destroyed, it expired, or the credential is old", () => {
    expect(broken(nothing)).toEqual(["L9 vanished"]);
    expect(broken({ at: [2, 6], seen: fresh, saves: [save("destroy")] }, nothing)).toEqual([]);
    expect(
      broken(
        { at: [2, 6], seen: fresh, saves: [save("destroy", [], { outcome: "unknown" })] },
        nothing,
      ),
    ).toEqual([]);
    expect(
      broken({ at: [2, 6], seen: fresh, saves: [save("regenerate", [EPOCH])] }, nothing),
    ).toEqual([]);
    expect(broken({ at: [1200, 1201] })).toEqual([]);
  });

  test("a session that was renewed lives as long as it was said to", () => {
    const renewed: Short = { at: [900, 901], seen: fresh, expires: 190_000 };
    expect(broken(renewed, { at: [1200, 1201] })).toEqual(["L9 vanished"]);
    expect(broken(renewed, { at: [1900, 1901] })).toEqual([]);
  });

  test("nothing is said of a request without an answer", () => {
    expect(broken({ at: [4, 5], answered: false })).toEqual([]);
  });
});

describe("S2 half a save", () => {
  test("one of the keys that are only written together", () => {
    const pair: Short = { at: [2, 3], seen: fresh, saves: [save("change", ["p", "q"])] };
    expect(broken(pair, { at: [2, 5], seen: { ...fresh, p: "2" } })).toContain("S2 half a save");
    expect(broken(pair, { at: [2, 5], seen: { ...fresh, p: "2", q: "2" } })).toEqual([]);
  });

  test("a session without what made it, and a later value under an earlier barrier", () => {
    expect(broken({ at: [2, 3], seen: { a: "1" } })).toContain("S2 half a save");
    const clear: Short = { at: [2, 6], seen: fresh, saves: [save("clear", ["b", EPOCH])] };
    expect(broken(clear, { at: [3, 7], seen: { ...fresh, b: "2" } })).toContain("S2 half a save");
  });
});

describe("ends", () => {
  test("S6 end shrank: within one barrier it only moves away", () => {
    const look = (start: number, expires: number): Short => ({
      at: [start, start + 1],
      seen: fresh,
      expires,
    });
    expect(broken(look(2, 90_000), look(4, 80_000))).toEqual(["S6 end shrank"]);
    expect(broken(look(2, 80_000), look(4, 90_000))).toEqual([]);
    expect(broken(look(2, 90_000), look(2.5, 80_000))).toEqual([]);
  });

  test("S7 alive after its end: nobody had used it for the idle timeout", () => {
    expect(broken({ at: [1020, 1021], seen: fresh })).toEqual(["S7 alive after its end"]);
    expect(broken({ at: [900, 901], seen: fresh }, { at: [1020, 1021], seen: fresh })).toEqual([]);
    expect(broken({ at: [900, 901], answered: false }, { at: [2200, 2201], seen: fresh })).toEqual(
      [],
    );
  });
});

describe("S8 value that nobody wrote", () => {
  test("is one of no save, of another key, or of another session", () => {
    expect(broken({ at: [2, 3], seen: { ...fresh, b: "99" } })).toEqual([
      "S8 value that nobody wrote",
    ]);
    expect(broken({ at: [2, 3], seen: { ...fresh, b: "1" } })).toEqual([
      "S8 value that nobody wrote",
    ]);
    const elsewhere: Short = {
      at: [2, 3],
      session: 0,
      saves: [save("create", ["b", EPOCH], { session: 2 })],
    };
    expect(broken(elsewhere, { at: [4, 5], seen: { ...fresh, b: "2" } })).toEqual([
      "S8 value that nobody wrote",
    ]);
  });

  test("a value says whether it is whole, and under its own key", () => {
    for (let id = 1; id < 200; id++) expect(markOf("a", valueOf(String(id), "a"))).toBe(String(id));
    const value = valueOf("7", "a");
    for (const other of [`${value}x`, value.slice(0, -1), "", "7", 7, undefined]) {
      expect(markOf("a", other)).toMatch(/^\?/);
    }
    expect(markOf("b", value)).toMatch(/^\?/);
    expect(valueOf("7", "a").isWellFormed()).toBe(true);
  });
});

test("a breach is shown by the requests that prove it, one a line", () => {
  const [violation] = checkHistory(
    history(
      { at: [2, 4], seen: fresh, saves: [save("destroy")] },
      { at: [3, 9], seen: fresh },
      { at: [5, 6], seen: fresh, saves: [save("change", ["b"], { outcome: "refused" })] },
    ),
  );
  expect(violation && excerpt(violation).split("\n")).toEqual([
    "L2 resurrection, session 1: #4 found the session, which #2 had ended",
    "    0..200 ms    client 2  #2  credential 1  saw a=1 epoch=1; destroy: saved",
    "    300..400 ms  client 4  #4  credential 1  saw a=1 epoch=1; change b=4: refused",
  ]);
});
