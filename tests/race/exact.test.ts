// The checker on exact steps, on histories made by hand.
import { describe, expect, test } from "vitest";
import { EPOCH, TOKEN } from "../../trials/race/history.ts";
import { broken, fresh, save, type Short } from "./short-history.ts";

const LOST = ["L13 lost increment"];
const TWICE = ["L13 double take"];

describe("L13 lost increment", () => {
  const raised = (at: readonly [number, number], count: number, epoch = "1"): Short => ({
    at,
    seen: { ...fresh, epoch },
    saves: [save("change", [], { count })],
  });

  test("two that were told the same number", () => {
    expect(broken(raised([2, 9], 1), raised([3, 8], 1))).toEqual(LOST);
    expect(broken(raised([2, 9], 1), raised([3, 8], 2))).toEqual([]);
  });

  test("a counter that falls below a number that was given", () => {
    const look = (count: number): Short => ({ at: [10, 11], seen: fresh, count });
    expect(broken(raised([2, 9], 1), raised([3, 8], 2), look(1))).toEqual(LOST);
    expect(broken(raised([2, 9], 1), raised([3, 8], 2), look(2))).toEqual([]);
    expect(broken(raised([2, 9], 1), { at: [8, 11], seen: fresh, count: 0 })).toEqual([]);
  });

  test("a clear lets it begin anew, a regenerate doesn't", () => {
    const barrier = (kind: "clear" | "regenerate"): Short => ({
      at: [4, 5],
      seen: fresh,
      count: 1,
      saves: [save(kind, [EPOCH])],
    });
    const after = { ...raised([6, 7], 1, "3"), generation: 2 };
    const kept = { epoch: "3" };
    expect(broken(raised([2, 3], 1), barrier("clear"), { ...after, seen: kept })).toEqual([]);
    expect(broken(raised([2, 3], 1), barrier("regenerate"), after)).toEqual(LOST);
  });
});

describe("L13 double take", () => {
  const issue: Short = { at: [2, 3], seen: fresh, saves: [save("change", [TOKEN])] };
  const seen = { ...fresh, [TOKEN]: "2" };
  const taken = (at: readonly [number, number], mark: string): Short => ({
    at,
    seen,
    saves: [save("change", [], { taken: mark })],
  });

  test("two that took one value", () => {
    expect(broken(issue, taken([4, 9], "2"), taken([5, 8], "2"))).toEqual(TWICE);
    const again: Short = { at: [5, 6], seen, saves: [save("change", [TOKEN])] };
    expect(broken(issue, taken([4, 9], "2"), again, taken([5, 8], "4"))).toEqual([]);
  });

  test("a value that is there when it was taken", () => {
    expect(broken(issue, taken([4, 5], "2"), { at: [6, 7], seen })).toEqual(TWICE);
    expect(broken(issue, taken([4, 5], "2"), { at: [5, 7], seen })).toEqual([]);
    expect(broken(issue, taken([4, 5], "2"), { at: [6, 7], seen: fresh })).toEqual([]);
  });

  test("one that was refused took nothing", () => {
    const clear: Short = { at: [4, 5], seen, saves: [save("clear", [EPOCH])] };
    const refused: Short = {
      ...taken([3.5, 9], "2"),
      saves: [save("change", [], { outcome: "refused" })],
    };
    expect(broken(issue, clear, refused)).toEqual([]);
  });
});
