// The checker on the signing out of a subject, on histories made by hand.
import { describe, expect, test } from "vitest";
import { EPOCH, type SignOut } from "../../trials/race/history.ts";
import { broken, save, type Short } from "./short-history.ts";

describe("signing a subject out", () => {
  const bound = (at: readonly [number, number], subject: string, base: string): Short => ({
    at,
    seen: { a: "1", epoch: base },
    saves: [save("regenerate", [EPOCH], { subject })],
  });
  const out = (
    at: readonly [number, number],
    listed: readonly number[] | undefined,
    more: Partial<SignOut> = {},
  ): Short => ({
    at,
    session: 0,
    answered: listed !== undefined,
    signOut: { subject: "alice", except: undefined, listed, ...more },
  });
  const look = (at: readonly [number, number], epoch = "2"): Short => ({
    at,
    seen: { a: "1", epoch },
    generation: 2,
  });

  test("ends what was bound to it before, and nothing else", () => {
    expect(broken(bound([2, 3], "alice", "1"), out([4, 5], [1]), look([6, 7]))).toEqual([
      "L2 resurrection",
    ]);
    expect(broken(bound([2, 3], "bob", "1"), out([4, 5], []), look([6, 7]))).toEqual([]);
    expect(broken(bound([2, 4.5], "alice", "1"), out([4, 5], []), look([6, 7]))).toEqual([]);
    expect(
      broken(bound([2, 3], "alice", "1"), out([4, 5], [1], { except: 1 }), look([6, 7])),
    ).toEqual([]);
    expect(broken(bound([2, 3], "alice", "1"), out([4, 5], undefined), look([6, 7]))).toEqual([]);
  });

  test("excuses a session that is gone, but not one that was another's by then", () => {
    const gone: Short = { at: [6, 7], generation: 2 };
    expect(broken(bound([2, 3], "alice", "1"), out([4, 5], [1]), gone)).toEqual([]);
    expect(broken(bound([2, 3], "bob", "1"), out([4, 5], []), gone)).toEqual(["L9 vanished"]);
    const moved = { ...bound([3.2, 3.5], "bob", "2"), generation: 2 };
    const goneToo = { ...gone, generation: 3 };
    expect(broken(bound([2, 3], "alice", "1"), moved, out([4, 5], []), goneToo)).toEqual([
      "L9 vanished",
    ]);
    expect(
      broken(bound([2, 3], "alice", "1"), { ...moved, at: [3.2, 4.5] }, out([4, 5], []), goneToo),
    ).toEqual([]);
  });

  test("L2 not listed: every live session that was bound to it before", () => {
    expect(broken(bound([2, 3], "alice", "1"), out([4, 5], []))).toEqual(["L2 not listed"]);
    expect(broken(bound([2, 4.5], "alice", "1"), out([4, 5], []))).toEqual([]);
    const logout: Short = { ...look([3.5, 4.5]), saves: [save("destroy")] };
    expect(broken(bound([2, 3], "alice", "1"), logout, out([4, 5], []))).toEqual([]);
    expect(broken(bound([2, 3], "alice", "1"), out([1100, 1101], []))).toEqual([]);
  });
});
