// The exact step: reads, edits and writes one key, as if there were no other request. The store applies it
// only if the key still has the value that was read (S9); otherwise the step runs again on the newer one.
// It knows no row's notes and no credential.
import type { Awaitable } from "../../base/awaitable.ts";
import type { ConflictReason } from "../../events.ts";
import type { Draft } from "../draft.ts";
import type { Lane } from "./lanes.ts";
import { type Edit, noChange } from "../map.ts";
import type { Mismatch } from "./row-writer.ts";

/** A step gives up after so many losses to other processes in a row. */
const MAX_LOSSES = 64;
/** From then on it pauses between tries: with few racers one of the first tries wins. */
const UNPAUSED_LOSSES = 4;
/** The longest pause, in milliseconds; each is random, below a limit of its own. */
const MAX_PAUSE = 16;

/** A key's value when this process last saw it. */
export interface Hint {
  readonly rev: number;
  readonly value: string | undefined;
  /** Which step of the lane saw it. */
  readonly step: number;
}

/** The values that keys must have for a save to apply; undefined: any. */
export type Expected = ReadonlyMap<string, string | undefined> | undefined;

/**
 * Edits one key of a stored session; gives the reason of a refusal. After a refusal, and when `edit`
 * throws, the draft is as before, with the changes that the request has made meanwhile.
 * @param save - saves the draft, whose change it takes at once.
 * @param lane - undefined: the step waits for no other, and leaves no hint.
 * @param came - how many steps of the lane had begun when this one came.
 * @throws what `edit` throws.
 */
export async function exactStep(
  draft: Draft,
  rev: number,
  key: string,
  edit: Edit,
  save: (expect: Expected) => Awaitable<"stale" | Mismatch | undefined>,
  lane: Lane<Hint> | undefined,
  came: number,
): Promise<ConflictReason | undefined> {
  const { map } = draft;
  const before = map.state;
  const step = lane?.begun ?? 0;
  /** Changes of the request while a save was under way; they come after this step. */
  let since = noChange;
  for (let losses = 1; ; losses++) {
    // The hint is only a guess: the store confirms or refuses it.
    const hint = lane?.hint?.rev === rev ? lane.hint : undefined;
    if (hint !== undefined) map.learn(key, hint.value);
    // What is stored doesn't matter where the request has set the key itself, perhaps while it waited.
    const expected = map.decides(key) ? undefined : new Map([[key, map.view.get(key)]]);
    try {
      map.edit(key, edit);
    } catch (error) {
      map.restore(before);
      map.apply(since);
      throw error;
    }
    const value = map.view.get(key);
    // A hint from before this step came may be outdated, so that not even nothing is saved without a look.
    const isDoubtful = hint !== undefined && hint.step <= came;
    const saving = draft.changed || isDoubtful ? save(expected) : undefined;
    map.apply(since);
    // oxlint-disable-next-line no-await-in-loop -- one try after the other
    const refusal = await saving;
    if (refusal === undefined) {
      // What the store hasn't confirmed is no hint.
      if (lane !== undefined && saving !== undefined) lane.hint = { rev, value, step };
      return undefined;
    }
    // oxlint-disable-next-line no-await-in-loop -- one try after the other
    if (losses > UNPAUSED_LOSSES) await pause(losses - UNPAUSED_LOSSES);
    since = map.change;
    map.restore(before);
    if (refusal === "stale") return refusal;
    if (lane !== undefined) lane.hint = { rev, value: refusal.data.get(key), step };
    if (losses === MAX_LOSSES) {
      map.apply(since);
      return "contended";
    }
  }
}

async function pause(losses: number): Promise<void> {
  const most = Math.min(MAX_PAUSE, 2 ** losses);
  await new Promise((resolve) => setTimeout(resolve, Math.random() * most));
}
