// All calls that change the rows of one request's sessions. After a failed call the stored row is unknown,
// and `broken` is set. It knows no ticket and no cookie.
import { recover, chain, tryAll, type Awaitable } from "../../base/awaitable.ts";
import type { TicketedConfig } from "../config.ts";
import { notify } from "../../events.ts";
import { mintSelector } from "../../store/selector.ts";
import type { SessionMeta } from "./meta.ts";
import { type CheckedRow, checkRow, isSavedSession } from "./row.ts";
import {
  keysThatDiffer,
  mayResend,
  notesAfter,
  renewedFor,
  type RowUpdate,
  toChange,
} from "./row-update.ts";
import { badAnswer, callStore } from "../../store/call.ts";
import { endingChange } from "../../store/change.ts";
import type { SavedSession, SessionChange } from "../../store/contract.ts";

/** A selector is 16 random bytes: two refusals in a row are no accident. */
const CREATE_ATTEMPTS = 3;
/** The most times that an update is sent again, after another request's binding or lifetime. */
const RESENDS = 3;

/** The known part of a stored row. */
export interface KnownRow extends SavedSession {
  readonly selector: string;
  readonly notes: SessionMeta;
}

/** The refusal of an update for its expected values, with the current data. */
export class Mismatch {
  readonly data: ReadonlyMap<string, string>;

  constructor(data: ReadonlyMap<string, string>) {
    this.data = data;
  }
}

/** Saves one request's rows. */
export class RowWriter {
  readonly #config: TicketedConfig;
  /** The error of a failed call, after which the stored row is unknown. */
  broken: Error | undefined;

  /** Gives a new row's selector. */
  readonly mint: () => string;

  constructor(config: TicketedConfig, mint: () => string = mintSelector) {
    this.#config = config;
    this.mint = mint;
  }

  /** Inserts a row under `selector`, or under a new selector if that is taken. */
  insert(
    selector: string,
    change: SessionChange,
    notes: SessionMeta,
    attempts: number = CREATE_ATTEMPTS,
  ): Awaitable<KnownRow> {
    return chain(this.save(selector, change), (saved) => {
      if (saved !== undefined) return { ...saved, selector, notes };
      // The session that has the selector must not be touched (ASVS 7.2.3).
      if (attempts > 1) return this.insert(this.mint(), change, notes, attempts - 1);
      const message = `the store refused ${CREATE_ATTEMPTS} new sessions in a row`;
      return this.#fail(badAnswer(this.#config, "save", message));
    });
  }

  /**
   * Updates the row, even if others have changed its notes meanwhile (law L1); gives the new row.
   * @returns undefined when the update is refused for a barrier, an end or another binding.
   */
  update(
    row: KnownRow,
    update: RowUpdate,
    resends: number = RESENDS,
  ): Awaitable<KnownRow | Mismatch | undefined> {
    const notes = notesAfter(row.notes, update);
    const { selector } = row;
    return chain(this.save(selector, toChange(row, update, notes)), (saved) => {
      if (saved !== undefined) return { ...saved, selector, notes };
      if (resends === 0) return undefined;
      // A refusal applied nothing, so the same update may be sent again.
      return chain(this.#load(selector), (now) => {
        if (now === undefined) return undefined;
        if (now.rev === row.rev) return this.#meet(row, update, now, resends);
        if (!mayResend(update, row, now)) return undefined;
        const again = renewedFor(now.notes, update, this.#config);
        return this.update({ selector, ...now }, again, resends - 1);
      });
    });
  }

  /** The `rev` is unchanged, so the update was refused for its expected values. */
  #meet(
    row: KnownRow,
    update: RowUpdate,
    { data }: CheckedRow,
    resends: number,
  ): Awaitable<KnownRow | Mismatch | undefined> {
    const { expect, premises } = update;
    if (premises === undefined) return expect && new Mismatch(data);
    if (keysThatDiffer(expect, data).length > 0) return new Mismatch(data);
    const keys = keysThatDiffer(premises, data);
    if (keys.length > 0) notify(this.#config.on, "overwritten", { id: row.selector, keys });
    return this.update(row, { ...update, premises: undefined }, resends - 1);
  }

  /** The store's answer to a change; undefined: refused. */
  save(selector: string, change: SessionChange): Awaitable<SavedSession | undefined> {
    const { store } = this.#config;
    const answer = this.#guard(() =>
      callStore(this.#config, "save", () => store.save(selector, change), selector),
    );
    return chain(answer, (saved) => {
      if (saved === undefined || saved === null) return undefined;
      if (isSavedSession(saved)) return saved;
      const message = "the store gave back something else than the session that it was to save";
      return this.#fail(badAnswer(this.#config, "save", message));
    });
  }

  /** Ends sessions, all of them even if some fail. */
  destroy(ids: readonly string[]): Awaitable<unknown> {
    const { store, on } = this.#config;
    const end = (id: string): Awaitable<unknown> =>
      chain(
        callStore(this.#config, "save", () => store.save(id, endingChange()), id),
        () => notify(on, "destroyed", { id }),
      );
    return this.#guard(() => tryAll(ids, end));
  }

  #load(selector: string): Awaitable<CheckedRow | undefined> {
    const { store } = this.#config;
    const load = (): Awaitable<unknown> => store.load(selector);
    return chain(
      this.#guard(() => callStore(this.#config, "load", load, selector)),
      checkRow,
    );
  }

  #guard<T>(call: () => Awaitable<T>): Awaitable<T> {
    return recover(call, (error) => this.#fail(error as Error));
  }

  #fail(error: Error): never {
    this.broken = error;
    throw error;
  }
}
