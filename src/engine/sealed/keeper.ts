// Keeps the session of a sealed store, whose data travels in the cookies themselves. The saves of one
// request are composed into one change of the session that it brought; the response carries one write.
import { findSealed } from "../../cookie/find.ts";
import { StoreError } from "../../errors.ts";
import { chain, disown, isThenable, recover, type Awaitable } from "../../base/awaitable.ts";
import type { ResolvedConfig } from "../config.ts";
import type { Draft } from "../draft.ts";
import { type ConflictReason, notify, type RefusedReason } from "../../events.ts";
import type { RenewalState } from "../expiry.ts";
import { type Found, unavailable } from "../found.ts";
import type { Keeper } from "../keeper.ts";
import { mintSelector } from "../../store/selector.ts";
import type { Decision } from "../lifecycle.ts";
import { noLifetime } from "../lifetime.ts";
import type { Edit } from "../map.ts";
import type { RequestRevocations } from "../../revocations/revocations.ts";
import { composeSaves, hasChange, type SealedSave, toSealedChange, toSealedEnd } from "./change.ts";
import { badAnswer, callStore } from "../../store/call.ts";
import {
  type Cookie,
  isOpened,
  type OpenedSession,
  type SealedChange,
  type SealedContext,
  type SealedRemains,
  type SealedSessionStore,
  type SealedWrite,
  sessionsOf,
} from "../../store/contract.ts";

/** A sealed save, with its cookies. */
interface Sealed {
  readonly save: SealedSave;
  readonly write: SealedWrite;
}

/** The keeper of one request's session over a sealed store. */
export class SealedKeeper implements Keeper {
  readonly savesAlone = false;
  readonly #config: ResolvedConfig;
  readonly #store: SealedSessionStore;
  readonly #header: string;
  #cookies: readonly Cookie[] | undefined;
  readonly #revocable: RequestRevocations | undefined;
  /** The session in the request's cookies; a new one may have replaced it meanwhile. */
  #brought: OpenedSession | SealedRemains | undefined;
  /** The session to change; undefined: a new one. */
  #opened: OpenedSession | undefined;
  #isUnavailable = false;
  #newId: string | undefined;
  /** The request's saves so far. */
  #saved: SealedSave | undefined;
  /** The cookies for the response: of these saves, or of a logout. */
  #due: SealedWrite | undefined;
  #broken: Error | undefined;

  /**
   * @param header - the Cookie header; its cookies are found at the first look.
   * @param revocable - the list of revocations; undefined: nothing is revoked.
   */
  constructor(
    config: ResolvedConfig,
    store: SealedSessionStore,
    header: string,
    revocable: RequestRevocations | undefined,
  ) {
    this.#config = config;
    this.#store = store;
    this.#header = header;
    this.#revocable = revocable;
  }

  /** The list can't be read: the session reads as empty, and can only be destroyed (law L9). */
  markUnavailable(): void {
    this.#isUnavailable = true;
  }

  load(): Found | undefined {
    if (this.#isUnavailable) return unavailable;
    const found = (this.#brought = this.#open(this.#revocable?.verdict));
    if (!isOpened(found)) return undefined;
    this.#opened = found;
    const { id, skipped, data, created } = found;
    if (this.#revocable?.isInGrace(found) === true) {
      return { data, lifetime: noLifetime, readOnly: "grace" };
    }
    notify(this.#config.on, "opened", { id });
    if (skipped !== undefined && skipped.length > 0) {
      notify(this.#config.on, "skipped", { id, keys: skipped });
    }
    return { data, created, lifetime: found };
  }

  /** The request's cookies that may hold a session, ours or of a foreign name. */
  get cookies(): readonly Cookie[] {
    return (this.#cookies ??= findSealed(
      this.#header,
      this.#config.name,
      this.#store.foreignNames,
    ));
  }

  get id(): string {
    return this.#opened?.id ?? (this.#newId ??= mintSelector());
  }

  get hasCredential(): boolean {
    return this.#brought !== undefined;
  }

  get isStored(): boolean {
    return this.#opened !== undefined;
  }

  get expires(): number {
    return this.#opened?.expires ?? Infinity;
  }

  get deadline(): number | undefined {
    const opened = this.#opened;
    return opened === undefined || opened.foreign === true ? undefined : opened.deadline;
  }

  get uncarried(): SealedSave | undefined {
    return this.#saved;
  }

  /** The failure after which it is unknown if the opened credential was retired. */
  get broken(): Error | undefined {
    return this.#broken;
  }

  renewal({ ttl, maxAge }: Draft): RenewalState {
    const { issued = 0, idleExpires = 0, foreign } = this.#opened ?? {};
    const expires = foreign === true ? -Infinity : idleExpires;
    // A sealed session is renewed whole: below its deadline or at it, the idle end moves.
    return { issued, expires, deadline: Infinity, ttl, maxAge };
  }

  /** Seals at once, so that a session that doesn't fit fails here; the response carries the cookies. */
  save(draft: Draft): Awaitable<RefusedReason | undefined> {
    return chain(this.#ready(draft), () => this.#add(draft, false));
  }

  /** Edits the value that the request sees: a browser can't be asked for its current cookies. */
  exact(draft: Draft, key: string, edit: Edit): Awaitable<ConflictReason | undefined> {
    return chain(this.#ready(draft), () => {
      const { map } = draft;
      const before = map.state;
      map.edit(key, edit);
      const isWorthless = draft.isEmpty && !this.isStored && this.#saved === undefined;
      if (isWorthless || !draft.changed) return undefined;
      try {
        return this.#add(draft, false);
      } catch (error) {
        map.restore(before);
        throw error;
      }
    });
  }

  regenerate(draft: Draft): Awaitable<RefusedReason | undefined> {
    const revocable = this.#revocable;
    const opened = this.#opened;
    // A successor that no response has carried yet needs none of its own.
    if (revocable === undefined || revocable.successor !== undefined || opened === undefined) {
      return chain(this.#ready(draft), () => this.#add(draft, true));
    }
    return chain(revocable.ready(), () => this.#replace(draft, opened, revocable));
  }

  #replace(
    draft: Draft,
    opened: OpenedSession,
    revocable: RequestRevocations,
  ): Awaitable<RefusedReason | undefined> {
    if (revocable.hasDied(opened)) return this.#lose();
    const successor = mintSelector();
    const { changed } = draft;
    return recover(
      () => {
        // ORDER: a session that doesn't fit fails before the old credential is retired.
        const sealed = this.#seal(draft, true, successor);
        if (sealed === undefined) return "stale";
        return chain(revocable.retire(opened, successor), (isFirst) =>
          isFirst ? this.#carry(sealed) : "stale",
        );
      },
      (error) => {
        if (error instanceof StoreError) this.#broken = error;
        // The sealed cookies won't be sent: report the changes as refused.
        if (changed && !draft.changed) {
          notify(this.#config.on, "refused", { id: opened.id, reason: "unavailable" });
        }
        throw error;
      },
    );
  }

  close(draft: Draft, decision: Decision): Awaitable<RefusedReason | undefined> {
    if (decision === "none") {
      this.#drop();
      return undefined;
    }
    return chain(this.#ready(draft), () => {
      const isChanged = draft.changed || this.#saved !== undefined;
      const refusal = this.#add(draft, false);
      if (refusal === undefined) this.#announce(decision);
      // A renewal that lost a race needs no refusal.
      return isChanged ? refusal : undefined;
    });
  }

  destroy(draft: Draft): Awaitable<unknown> {
    // ORDER: without asking the list: the holder of a cookie may end its session.
    if (draft.readOnly === "unavailable") this.#brought = this.#open(undefined);
    const brought = this.#brought;
    const sessions = sessionsOf(brought);
    return chain(this.#revocable?.end(sessions), () => {
      this.#saved = undefined;
      this.#due = brought && this.#write(brought, toSealedEnd(sessions, draft));
      for (const { id } of sessions) notify(this.#config.on, "destroyed", { id });
    });
  }

  forget(): void {
    this.#opened = this.#newId = undefined;
    this.#drop();
    if (this.#revocable !== undefined) this.#revocable.successor = undefined;
  }

  due(): SealedWrite | undefined {
    return this.#due;
  }

  /** A new, unbound session can't be revoked: it doesn't wait for the list. */
  #ready({ binding }: Draft): Awaitable<void> {
    if (this.#opened === undefined && (binding ?? this.#saved?.binding) === undefined) return;
    return this.#revocable?.ready();
  }

  /** Adds a draft to the response's write. */
  #add(draft: Draft, bump: boolean): "stale" | undefined {
    const opened = this.#opened;
    if (opened !== undefined && this.#revocable?.hasDied(opened) === true) return this.#lose();
    const saved = this.#saved;
    if (saved !== undefined && !draft.changed && (saved.bump || !bump)) return undefined;
    const sealed = this.#seal(draft, bump, this.#revocable?.successor);
    return sealed === undefined ? "stale" : this.#carry(sealed);
  }

  /** Gives up the session: another request has ended it or replaced its credential. */
  #lose(): "stale" {
    this.#drop();
    return "stale";
  }

  #carry({ save, write }: Sealed): undefined {
    this.#saved = save;
    this.#due = write;
  }

  #drop(): void {
    this.#saved = this.#due = undefined;
  }

  /**
   * Seals the earlier saves with the draft, which counts as saved from then on.
   * @returns undefined when the store refuses it.
   * @throws {LimitError} ERR_SESSION_LIMIT_COOKIE when it doesn't fit; then it isn't saved.
   */
  #seal(draft: Draft, bump: boolean, credential: string | undefined): Sealed | undefined {
    const opened = this.#opened;
    const save = composeSaves(this.#saved, draft, opened, bump);
    const { binding } = save;
    const change = toSealedChange(
      save,
      opened,
      this.id,
      draft.ttl,
      this.deadline ?? draft.deadline,
    );
    if (credential !== undefined) change.credential = credential;
    if (binding !== undefined && this.#revocable !== undefined) {
      change.boundAt = this.#revocable.bindingTime(binding.subject);
    }
    const write = this.#write(opened ?? this.#brought, change);
    if (write === undefined) return undefined;
    draft.settle();
    return { save, write };
  }

  #announce(decision: Decision): void {
    const { on } = this.#config;
    const { id } = this;
    const isRenewal = decision === "renew" || decision === "resend";
    if (decision === "create") notify(on, "created", { id });
    const saved = this.#saved;
    if (saved?.bump === true) notify(on, "regenerated", { id });
    if (isRenewal) notify(on, "renewed", { id });
    // A replaced credential is no saved change.
    else if (saved !== undefined && hasChange(saved)) notify(on, "committed", { id });
    const bytes = this.#due?.collapsed;
    if (bytes !== undefined) notify(on, "collapsed", { id, bytes });
  }

  #open(verdict: SealedContext["verdict"]): OpenedSession | SealedRemains | undefined {
    const { cookies } = this;
    if (cookies.length === 0) return undefined;
    const context = this.#context(verdict);
    return this.#ask("load", () => this.#store.open(cookies, context));
  }

  #write(
    found: OpenedSession | SealedRemains | undefined,
    change: SealedChange,
  ): SealedWrite | undefined {
    return this.#ask("save", () => this.#store.write(found, change, this.#context()));
  }

  /** @throws {StoreError} ERR_SESSION_STORE_ANSWER for a promise. */
  #ask<T>(operation: "load" | "save", call: () => T): T {
    const answer = callStore<T>(this.#config, operation, call, this.#opened?.id ?? this.#newId);
    if (!isThenable(answer)) return answer;
    disown(answer);
    throw badAnswer(this.#config, operation, "a sealed store must answer at once");
  }

  #context(verdict?: SealedContext["verdict"]): SealedContext {
    const { name, on, now } = this.#config;
    return { name, now: now(), rejected: (reason) => notify(on, "rejected", { reason }), verdict };
  }
}
