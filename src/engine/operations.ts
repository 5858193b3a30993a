// The operations on one request's session: each saves, ends or refuses, between the draft and the keeper.
// request.ts keeps their order, and refuses those that come too late.
import { type ConflictError, StoreError } from "../errors.ts";
import { chain, type Awaitable } from "../base/awaitable.ts";
import { closedError, conflictError, type LostReason } from "./closing.ts";
import { Draft } from "./draft.ts";
import { type ConflictReason, notify, type RefusedReason } from "../events.ts";
import { type Found, unavailable } from "./found.ts";
import type { EngineParts, Keeper } from "./keeper.ts";
import { type Decision, decide } from "./lifecycle.ts";
import type { Edit } from "./map.ts";
import { isBorne } from "../store/call.ts";

/** Carries out the operations on one session. */
export class Operations {
  readonly draft: Draft;
  readonly keeper: Keeper;
  isDestroyed = false;
  /** The reason that no cookie of the session can be sent; undefined: one can. */
  lost: LostReason | undefined = undefined;

  /** @throws {StoreError} when the session can't be loaded and `onStoreError` is "fail". */
  constructor({ config, dialect, device }: EngineParts, keeper: Keeper) {
    this.draft = new Draft(config, dialect);
    this.keeper = keeper;
    let found: Found | undefined;
    try {
      found = keeper.load();
    } catch (error) {
      if (!isBorne(config, error)) throw error;
      found = unavailable;
    }
    found = device?.judge(found, keeper) ?? found;
    if (found !== undefined) this.draft.load(found);
  }

  /** True if anything is unsaved, or waits for the response to carry it. */
  get changed(): boolean {
    return this.draft.changed || this.keeper.uncarried !== undefined;
  }

  /** True if nothing is left to keep. */
  get #isEmpty(): boolean {
    const { uncarried } = this.keeper;
    return this.draft.isEmpty && uncarried?.binding === undefined && uncarried?.isStarted !== true;
  }

  /**
   * Saves the changes within the request; gives the reason of a refusal.
   * @throws {StoreError} when this save or an earlier one fails.
   */
  commit(): Awaitable<RefusedReason | undefined> {
    const { draft, keeper } = this;
    draft.followData();
    if (this.isDestroyed) return undefined;
    const isWritable = this.#isWritable();
    // An earlier save has failed, with changes that this one may have been meant for.
    if (keeper.savesAlone && keeper.broken !== undefined) throw keeper.broken;
    if (!isWritable || !this.changed) return undefined;
    if (!keeper.isStored && this.#isEmpty) return undefined;
    return this.#report(keeper.save(draft));
  }

  /** Carries out the decision of the request's end. */
  close(): Awaitable<RefusedReason | undefined> {
    this.draft.followData();
    if (this.isDestroyed || !this.#isWritable()) return undefined;
    return this.#report(this.keeper.close(this.draft, this.#decide()));
  }

  /** Edits a key's value and saves that with the changes so far; gives the new value. */
  update(key: string, edit: Edit): Awaitable<string | undefined> {
    const { draft, keeper } = this;
    const shut = this.#mustBeKnown();
    if (shut !== undefined) throw this.#conflict(shut);
    const isReached = keeper.savesAlone && keeper.isStored;
    if (this.lost !== undefined && !isReached) throw closedError(this.lost, false);
    let value: string | null = null;
    const saved = keeper.exact(draft, key, (held) => (value = edit(held)));
    return chain(saved, (refusal) => {
      if (refusal !== undefined) throw this.#conflict(refusal);
      return value ?? undefined;
    });
  }

  /** Replaces the credential, with the changes so far. */
  regenerate(): Awaitable<void> {
    const { draft, keeper } = this;
    draft.followData();
    const shut = this.#mustBeKnown();
    if (shut !== undefined) {
      // A second login works after the first one's response was lost, and one on another device.
      if (this.changed) this.refuse(shut);
      return this.#startFresh();
    }
    // Without a credential there is nothing to replace: law L6.
    if (!keeper.isStored) return undefined;
    return chain(keeper.regenerate(draft), (refusal) => {
      if (refusal === undefined) return;
      this.refuse(refusal);
      this.#startFresh();
    });
  }

  /** Ends all sessions that the request brought. */
  destroy(): Awaitable<void> {
    return chain(this.keeper.destroy(this.draft), () => {
      this.isDestroyed = true;
      this.draft.empty();
    });
  }

  /** Drops the unsaved changes, except for a contended step, and reports the reason. */
  refuse(reason: RefusedReason): void {
    const { draft, keeper } = this;
    if (reason !== "contended") draft.discard();
    notify(draft.config.on, "refused", { id: keeper.id, reason });
  }

  /** The error of a refused step. */
  #conflict(reason: ConflictReason): ConflictError {
    this.refuse(reason);
    notify(this.draft.config.on, "conflicted", { id: this.keeper.id, reason });
    return conflictError(reason);
  }

  /**
   * The reason that a known session can't be changed.
   * @throws {StoreError} when the stored session is unknown.
   */
  #mustBeKnown(): ConflictReason | undefined {
    const { readOnly } = this.draft;
    if (this.keeper.broken !== undefined) throw this.keeper.broken;
    if (readOnly !== "unavailable") return readOnly;
    const message = "the session could not be loaded, so it can't be saved";
    throw new StoreError("ERR_SESSION_STORE_FAILED", "save", message);
  }

  #decide(): Decision {
    const { draft, keeper, changed } = this;
    const renewal = keeper.renewal(draft);
    const { renewAfter, now } = draft.config;
    const stored = keeper.isStored;
    if (stored && !changed && draft.renewsNow) return "renew";
    return decide({ stored, changed, empty: this.#isEmpty, renewal }, renewAfter, now());
  }

  /** Begins a session without any of the old data. */
  #startFresh(): void {
    this.keeper.forget();
    this.draft.reset();
  }

  /** Refuses changes of a read-only session, and those that no client could learn of: law L8. */
  #isWritable(): boolean {
    const { broken, isStored } = this.keeper;
    const lost = isStored ? undefined : this.lost;
    const reason = this.draft.readOnly ?? lost ?? (broken && "unavailable");
    if (reason === undefined) return true;
    if (this.changed) this.refuse(reason);
    return false;
  }

  #report(saved: Awaitable<RefusedReason | undefined>): Awaitable<RefusedReason | undefined> {
    return chain(saved, (refusal) => {
      if (refusal !== undefined) this.refuse(refusal);
      return refusal;
    });
  }
}
