// Histories made by hand, in a few words each.
import { checkHistory } from "../../trials/race/checker.ts";
import {
  EPOCH,
  type History,
  type RaceRequest,
  type Save,
  type SignOut,
} from "../../trials/race/history.ts";

/** A request in short: when, what it saw, and what it saved. */
export interface Short {
  /** Start and end, in ticks that are a hundred milliseconds each. */
  readonly at: readonly [number, number];
  readonly seen?: Readonly<Record<string, string>>;
  readonly count?: number;
  readonly saves?: readonly Partial<Save>[];
  readonly generation?: number;
  readonly session?: number;
  readonly expires?: number;
  readonly answered?: boolean;
  readonly signOut?: SignOut;
}

/** A history whose first request makes session 1 with a = 1; the ids go on from 2. */
export function history(...shorts: readonly Short[]): History {
  const create: Short = { at: [0, 1], saves: [save("create", ["a", EPOCH])], session: 0 };
  const requests = [create, ...shorts].map((short, index): RaceRequest => {
    const { at, seen, saves = [], generation = 1, session = 1, expires } = short;
    const { answered = true, signOut, count = 0 } = short;
    const id = index + 1;
    return {
      id,
      client: id,
      session: session === 0 ? undefined : session,
      generation: session === 0 ? 0 : generation,
      start: at[0],
      end: at[1],
      startMs: at[0] * 100,
      endMs: at[1] * 100,
      answered,
      ...(signOut !== undefined && { signOut }),
      seen: seen && new Map(Object.entries(seen)),
      count,
      expires,
      saves: saves.map((one, nth) => ({
        mark: `${id}${".".repeat(nth)}`,
        kind: "change",
        session: 1,
        set: [],
        del: [],
        outcome: "saved",
        ...one,
      })),
    };
  });
  return { requests, idleMs: 100_000, absoluteMs: 1_000_000 };
}

/** A save in short. */
export function save(
  kind: Save["kind"],
  set: readonly string[] = [],
  more: Partial<Save> = {},
): Partial<Save> {
  return { kind, set, ...more };
}

/** The names of the rules that a history breaks. */
export function broken(...shorts: readonly Short[]): string[] {
  return [...new Set(checkHistory(history(...shorts)).map(({ rule }) => rule))];
}

/** What the session holds that every history begins with. */
export const fresh = { a: "1", epoch: "1" } as const;
