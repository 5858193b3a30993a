// The session of a server-side store: what the client holds is a key, the data is a row. Saves the
// request's change under the fence that it loaded, and says when the key goes out.
import { badAnswer, callStore } from "./store-call.ts";
import { Backing, type Connection, type EngineParts } from "./backing.ts";
import { chain, isThenable, tryAll } from "./awaitable.ts";
import { notify } from "./events.ts";
import { cookieMaxAge } from "./expiry.ts";
import { mintSelector, type OpenedKey, sealKey } from "./key.ts";
import { decide } from "./lifecycle.ts";
import { encodeMeta, type SessionMeta } from "./meta.ts";
import { type CheckedRow, isSavedSession } from "./row.ts";
import type { Awaitable, SavedSession, SessionChange } from "./store.ts";
import type { SigningKeyring } from "../crypto/keyring.ts";
import { ConfigError } from "../errors.ts";

/** A selector is 16 random bytes: two refusals in a row are no accident any more. */
const CREATE_ATTEMPTS = 3;

const noChange: Pick<SessionChange, "set" | "del"> = { set: new Map(), del: [] };

/** What is known of the stored row. */
interface KnownRow {
  readonly rev: number;
  readonly generation: number;
  readonly expires: number;
  readonly notes: SessionMeta;
}

/** The session of one request over a server-side store. */
export class KeyedBacking extends Backing {
  protected readonly savesAlone = true;
  readonly #ring: SigningKeyring;
  #selector: string | undefined;
  /** The rows that the request's keys stand for, for `destroy()`, which ends them all. */
  #brought: readonly string[] = [];
  /** The row as last seen; undefined: the session isn't stored. */
  #row: KnownRow | undefined;
  #issued = 0;
  #keyIsCurrent = true;
  /** Whether the client brought a key that is ours: the only cookie that may be expired. */
  #keyIsOurs = false;
  #keyIsDue = false;
  /** Set by a failed save: what the store holds is not known any more. */
  #broken: Error | undefined;

  constructor(parts: EngineParts, connection: Connection) {
    super(parts, connection);
    const { signing } = parts.config;
    if (signing === undefined) {
      throw new ConfigError("ERR_SESSION_CONFIG_KEY", "signingKey", "is needed to sign keys");
    }
    this.#ring = signing;
  }

  /**
   * Takes over a row that the client's key stands for, as it is or, in the grace of law L4, shut.
   * @param brought - the selectors of all rows that the request's keys stand for.
   */
  adopt(key: OpenedKey, row: CheckedRow, grace: boolean, brought: readonly string[]): void {
    this.claim(key);
    this.#brought = brought;
    this.#selector = key.selector;
    this.#row = row;
    this.created = row.notes.created;
    if (grace) {
      this.readOnly = "grace";
      return;
    }
    this.isNew = false;
    this.lifetime = this.storedLifetime = row.notes.cookieExpires;
    this.map.load(row.data);
  }

  /** Notes that the client's key is ours, whatever has become of the row. */
  claim(key: OpenedKey): void {
    this.#keyIsOurs = true;
    this.#issued = key.issued;
    this.#keyIsCurrent = key.current;
  }

  /** The store didn't answer: reads as empty, and only ending it is tried (law L9). */
  shut(key: OpenedKey, brought: readonly string[]): void {
    this.claim(key);
    this.#brought = brought;
    this.#selector = key.selector;
    this.readOnly = "unavailable";
  }

  get id(): string {
    this.touch();
    return (this.#selector ??= mintSelector());
  }

  get expires(): number {
    this.touch();
    if (this.#row !== undefined) return this.#row.expires;
    return Math.min(this.config.now() + this.ttl, this.newDeadline);
  }

  get stored(): boolean {
    return this.#row !== undefined;
  }

  get changed(): boolean {
    return this.map.changed || this.binding !== undefined || this.lifetimeChanged;
  }

  protected saveChanges(): Awaitable<void> {
    if (!this.changed) return undefined;
    if (this.#broken !== undefined) return this.refuse("unavailable");
    if (this.#row === undefined) return this.#isEmpty ? undefined : this.#create();
    return this.#update(this.#row, false);
  }

  protected replaceCredential(): Awaitable<void> {
    if (this.#broken !== undefined) throw this.#broken;
    if (this.readOnly === "unavailable") throw this.notSaved();
    if (this.readOnly === "grace") {
      if (this.changed) this.refuse("grace");
      this.#startFresh();
      return undefined;
    }
    return this.#row === undefined ? undefined : this.#update(this.#row, true);
  }

  protected end(): Awaitable<void> {
    // A handle that was only asked for stands for no row.
    const made = this.#row === undefined ? [] : [this.id];
    const ids = [...new Set([...made, ...this.#brought])];
    const change: SessionChange = { op: "destroy", ...noChange, ttl: 0, deadline: Infinity };
    const { store, on } = this.config;
    const destroy = (id: string): Awaitable<unknown> =>
      chain(
        callStore(this.config, "save", () => store.save(id, change)),
        () => notify(on, "destroyed", { id }),
      );
    return chain(
      this.#guard(() => tryAll(ids, destroy)),
      () => {
        this.destroyed = true;
        this.#row = undefined;
        this.map.load(noChange.set);
        this.binding = undefined;
      },
    );
  }

  protected finish(): Awaitable<void> {
    const row = this.#row;
    const now = this.config.now();
    const decision = decide(
      {
        stored: row !== undefined,
        changed: this.changed,
        empty: this.#isEmpty,
        touched: this.touched && this.#broken === undefined,
        renewal: this.#renewal(row),
      },
      this.config.renewAfter,
      now,
    );
    if (decision === "resend") this.#keyIsDue = true;
    if (decision !== "renew" || row === undefined) return this.saveChanges();
    const change: SessionChange = {
      op: "update",
      rev: row.rev,
      ...noChange,
      ttl: this.ttl,
      deadline: row.notes.deadline,
    };
    return chain(this.#save(change), (saved) => {
      // A renewal that lost a race is nobody's loss: the winner renewed, or ended the session.
      if (saved === undefined) return;
      this.#row = { ...row, ...saved };
      this.#keyIsDue = true;
      notify(this.config.on, "renewed", { id: this.id });
    });
  }

  protected setCookies(): string[] {
    const { name } = this.config;
    if (this.destroyed) {
      return this.#keyIsOurs ? [this.cookies.expire(name, this.secure)] : [];
    }
    const selector = this.#selector;
    if (!this.#keyIsDue || this.#row === undefined || selector === undefined) return [];
    const now = this.config.now();
    const { generation } = this.#row;
    const key = sealKey(this.#ring, name, { selector, generation, issued: now });
    return [
      this.cookies.set(
        name,
        key,
        cookieMaxAge(this.storedLifetime ?? this.config.cookieExpires),
        now,
        this.secure,
      ),
    ];
  }

  get #isEmpty(): boolean {
    return this.map.view.size === 0 && this.binding === undefined;
  }

  #renewal(row: KnownRow | undefined): Parameters<typeof decide>[0]["renewal"] {
    const maxAge = cookieMaxAge(this.lifetime ?? this.config.cookieExpires);
    const expires = row?.expires ?? 0;
    const deadline = row?.notes.deadline ?? Infinity;
    return { issued: this.#issued, expires, deadline, ttl: this.ttl, maxAge };
  }

  #create(): Awaitable<void> {
    const now = this.config.now();
    const { binding, lifetime } = this;
    const deadline = this.newDeadline;
    const notes = this.#notes({ created: this.created, deadline, barrierAt: 0, boundAt: 0 }, now);
    const change: SessionChange = {
      op: "create",
      // Nothing was loaded, so what was set is all there is.
      set: this.map.take().set,
      del: [],
      ttl: this.ttl,
      deadline,
      meta: encodeMeta(notes),
      ...(binding !== undefined && { subject: binding.subject }),
    };
    return chain(this.#insert(change, CREATE_ATTEMPTS), (saved) => {
      this.#settle(binding, lifetime);
      this.#row = { ...saved, notes };
      this.#keyIsDue = true;
      notify(this.config.on, "created", { id: this.id });
      notify(this.config.on, "committed", { id: this.id });
    });
  }

  #insert(change: SessionChange, attempts: number): Awaitable<SavedSession> {
    this.#selector ??= mintSelector();
    return chain(this.#save(change), (saved) => {
      if (saved !== undefined) return saved;
      // The selector is taken; the session that has it must not be touched (ASVS 7.2.3).
      this.#selector = undefined;
      if (attempts > 1) return this.#insert(change, attempts - 1);
      const message = `the store refused ${CREATE_ATTEMPTS} new sessions in a row`;
      return this.#fail(badAnswer(this.config, "save", message));
    });
  }

  #update(row: KnownRow, bump: boolean): Awaitable<void> {
    const now = this.config.now();
    const { binding, lifetime } = this;
    const hadChanges = this.changed;
    const renews =
      decide(
        { stored: true, changed: false, empty: false, touched: true, renewal: this.#renewal(row) },
        this.config.renewAfter,
        now,
      ) !== "none";
    const { clear, set, del } = this.map.take();
    // The data's end and the cookie's move together, or a browser would forget a live session.
    const ttl = clear || bump || renews || this.lifetimeChanged ? this.ttl : 0;
    const noted = bump || binding !== undefined || this.lifetimeChanged;
    const notes = noted
      ? this.#notes(bump ? { ...row.notes, barrierAt: now } : row.notes, now)
      : row.notes;
    const change: SessionChange = {
      op: "update",
      rev: row.rev,
      ...(clear && { clear }),
      ...(bump && { bump }),
      set,
      del,
      ttl,
      deadline: notes.deadline,
      ...(noted && { meta: encodeMeta(notes) }),
      ...(binding !== undefined && { subject: binding.subject }),
    };
    return chain(this.#save(change), (saved) => {
      if (saved === undefined) {
        if (hadChanges || bump) this.refuse("stale");
        if (bump) this.#startFresh();
        return;
      }
      this.#keyIsDue ||= ttl > 0 || !this.#keyIsCurrent;
      this.#settle(binding, lifetime);
      this.#row = { ...saved, notes };
      if (bump) notify(this.config.on, "regenerated", { id: this.id });
      if (hadChanges) notify(this.config.on, "committed", { id: this.id });
      if (renews && !bump) notify(this.config.on, "renewed", { id: this.id });
    });
  }

  /** What was saved is no change any more; what came after it still is. */
  #settle(binding: typeof this.binding, lifetime: number | undefined): void {
    if (this.binding === binding) this.binding = undefined;
    this.storedLifetime = lifetime;
  }

  #notes(notes: SessionMeta, now: number): SessionMeta {
    const { binding, lifetime } = this;
    return {
      ...notes,
      ...(binding !== undefined && { subject: binding.subject, boundAt: now }),
      ...(binding?.label !== undefined && { label: binding.label }),
      ...(lifetime !== undefined && { cookieExpires: lifetime }),
    };
  }

  /** A session that holds only what is set from now on, never the old data. */
  #startFresh(): void {
    this.#row = undefined;
    this.#selector = undefined;
    this.#keyIsDue = false;
    this.readOnly = undefined;
    this.isNew = true;
    this.created = this.newCreated();
    this.lifetime = this.storedLifetime = undefined;
    this.binding = undefined;
    this.map.load(noChange.set);
  }

  #save(change: SessionChange): Awaitable<SavedSession | undefined> {
    const { store } = this.config;
    const selector = this.#selector ?? "";
    const answer = this.#guard(() =>
      callStore(this.config, "save", () => store.save(selector, change)),
    );
    return chain(answer, (saved) => {
      if (saved === undefined || saved === null) return undefined;
      if (isSavedSession(saved) && saved.key === selector) return saved;
      const message = "the store gave back something else than the session that it was to save";
      return this.#fail(badAnswer(this.config, "save", message));
    });
  }

  /** After a call that failed nobody knows what is stored: nothing more is saved. */
  #guard<T>(call: () => Awaitable<T>): Awaitable<T> {
    const fail = (error: unknown): never => this.#fail(error as Error);
    try {
      const answer = call();
      return isThenable(answer) ? answer.catch(fail) : answer;
    } catch (error) {
      return fail(error);
    }
  }

  #fail(error: Error): never {
    this.#broken = error;
    throw error;
  }
}
