// The exact step: one key read, edited and written, as if nobody else were there. The store applies it
// only while the key holds what the step has read (S9); otherwise the step runs again on what the key
// holds by then. It knows no row's notes and no credential.
import type { ConflictReason } from "../closing.ts";
import type { TicketedConfig } from "../config.ts";
import type { Draft } from "../draft.ts";
import { type Lane, Lanes } from "../lanes.ts";
import type { Edit, RecordedChange } from "../map.ts";
import { isExact } from "../../store/contract.ts";
import { warnOfInexactUpdates } from "../../store/races.ts";
import type { KnownRow, Mismatch } from "./row-writer.ts";
import type { Awaitable } from "../../base/awaitable.ts";

/** A step that lost this often in a row, to other processes, gives up. */
const MAX_LOSSES = 64;
/** After so many losses it pauses: with few racers one of the first tries wins. */
const UNPAUSED_LOSSES = 4;
/** The longest pause, in milliseconds; each is random below its own limit. */
const MAX_PAUSE = 16;

/** What a key held when it was seen last, by this process. */
interface Hint {
  readonly rev: number;
  readonly value: string | undefined;
}

/**
 * Saves the draft, whose change it takes at once.
 * @param expect - what keys must hold; undefined: whatever they hold.
 */
type Save = (
  expect: ReadonlyMap<string, string | undefined> | undefined,
) => Awaitable<"stale" | Mismatch | undefined>;

/** Carries out the exact steps of one engine. */
export class ExactSteps {
  readonly #lanes: Lanes<Hint>;
  readonly #store: TicketedConfig["store"];

  constructor({ store, storeTimeoutMs }: TicketedConfig) {
    this.#store = store;
    this.#lanes = new Lanes(storeTimeoutMs);
  }

  /**
   * Changes one key of a stored session; gives why nothing was saved. Then, and when it fails before
   * its save, the draft is as it was.
   * @throws what `edit` throws.
   */
  async run(
    draft: Draft,
    row: KnownRow,
    key: string,
    edit: Edit,
    save: Save,
  ): Promise<ConflictReason | undefined> {
    if (!isExact(this.#store)) warnOfInexactUpdates(this.#store);
    const step = (lane: Lane<Hint> | undefined): Promise<ConflictReason | undefined> =>
      swap(draft, row.rev, key, edit, save, lane);
    // What the request has set itself is so whatever others write: there is nothing to race for.
    return draft.map.decides(key)
      ? step(undefined)
      : this.#lanes.run(`${row.selector} ${key}`, step);
  }
}

async function swap(
  draft: Draft,
  rev: number,
  key: string,
  edit: Edit,
  save: Save,
  lane: Lane<Hint> | undefined,
): Promise<ConflictReason | undefined> {
  const { map } = draft;
  const before = map.state;
  /** What the request has changed while a save was under way: it comes after this step. */
  let since: RecordedChange | undefined;
  const goBack = (): void => {
    map.restore(before);
    if (since !== undefined) map.apply(since);
  };
  let hint = lane?.hint;
  for (let losses = 0; losses < MAX_LOSSES; losses++) {
    // oxlint-disable-next-line no-await-in-loop -- one try after the other
    if (losses > UNPAUSED_LOSSES) await pause(losses - UNPAUSED_LOSSES);
    if (losses > 0) {
      since = map.change;
      map.restore(before);
    }
    // What another step says is stored is only believed if the store confirms it.
    if (lane !== undefined && hint?.rev === rev) map.learn(key, hint.value);
    const held = map.view.get(key);
    try {
      map.edit(key, edit);
    } catch (error) {
      goBack();
      throw error;
    }
    const value = map.view.get(key);
    const expect = lane && new Map([[key, held]]);
    const saving = draft.changed ? save(expect) : undefined;
    if (since !== undefined) map.apply(since);
    // oxlint-disable-next-line no-await-in-loop -- one try after the other
    const outcome = await saving;
    if (outcome === undefined) {
      if (lane !== undefined) lane.hint = { rev, value };
      return undefined;
    }
    if (outcome === "stale") {
      goBack();
      return outcome;
    }
    hint = { rev, value: outcome.data.get(key) };
    if (lane !== undefined) lane.hint = hint;
  }
  since = map.change;
  goBack();
  return "contended";
}

async function pause(losses: number): Promise<void> {
  const most = Math.min(MAX_PAUSE, 2 ** losses);
  await new Promise((resolve) => setTimeout(resolve, Math.random() * most));
}
