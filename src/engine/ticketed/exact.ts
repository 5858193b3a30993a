// The exact step: one key read, edited and written, as if nobody else were there. The store applies it
// only while the key holds what the step has read (S9); otherwise the step runs again on what the key
// holds by then. It knows no row's notes and no credential.
import type { Awaitable } from "../../base/awaitable.ts";
import type { ConflictReason } from "../closing.ts";
import type { Draft } from "../draft.ts";
import type { Lane } from "../lanes.ts";
import { type Edit, noChange } from "../map.ts";
import type { Mismatch } from "./row-writer.ts";

/** A step that lost this often in a row, to other processes, gives up. */
const MAX_LOSSES = 64;
/** After so many losses it pauses: with few racers one of the first tries wins. */
const UNPAUSED_LOSSES = 4;
/** The longest pause, in milliseconds; each is random below its own limit. */
const MAX_PAUSE = 16;

/** What a key held when this process saw it last. */
export interface Hint {
  readonly rev: number;
  readonly value: string | undefined;
}

/** What keys must hold for a save to apply; undefined: whatever they hold. */
export type Expected = ReadonlyMap<string, string | undefined> | undefined;

/**
 * Changes one key of a stored session; gives why nothing was saved. Then, and when `edit` throws, the
 * draft is as it was, with what the request has changed meanwhile.
 * @param save - saves the draft, whose change it takes at once.
 * @param lane - undefined: the step waits for no other, and leaves no hint.
 * @throws what `edit` throws.
 */
export async function exactStep(
  draft: Draft,
  rev: number,
  key: string,
  edit: Edit,
  save: (expect: Expected) => Awaitable<"stale" | Mismatch | undefined>,
  lane: Lane<Hint> | undefined,
): Promise<ConflictReason | undefined> {
  const { map } = draft;
  const before = map.state;
  /** What the request has changed while a save was under way: it comes after this step. */
  let since = noChange;
  for (let losses = 1; ; losses++) {
    // What was stored a moment ago is only believed if the store confirms it.
    if (lane?.hint?.rev === rev) map.learn(key, lane.hint.value);
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
    const saving = draft.changed ? save(expected) : undefined;
    map.apply(since);
    // oxlint-disable-next-line no-await-in-loop -- one try after the other
    const refusal = await saving;
    if (refusal === undefined) {
      if (lane !== undefined) lane.hint = { rev, value };
      return undefined;
    }
    // oxlint-disable-next-line no-await-in-loop -- one try after the other
    if (losses > UNPAUSED_LOSSES) await pause(losses - UNPAUSED_LOSSES);
    since = map.change;
    map.restore(before);
    if (refusal === "stale") return refusal;
    if (lane !== undefined) lane.hint = { rev, value: refusal.data.get(key) };
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
