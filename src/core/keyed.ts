// The session of a server-side store: what the client holds is a key, the data is a row. Saves the
// request's change under the fence that it loaded, and says when the key goes out.
import { Backing, type Connection, type EngineParts } from "./backing.ts";
import { chain } from "./awaitable.ts";
import { notify } from "./events.ts";
import { cookieMaxAge } from "./expiry.ts";
import { mintSelector, type OpenedKey, sealKey } from "./key.ts";
import { decide } from "./lifecycle.ts";
import { isSameLifetime, type Lifetime, noLifetime } from "./lifetime.ts";
import { encodeMeta, type SessionMeta } from "./meta.ts";
import type { CheckedRow } from "./row.ts";
import { type KnownRow, RowKeeper } from "./row-keeper.ts";
import { notesAfter } from "./row-update.ts";
import type { Awaitable, SessionChange } from "./store.ts";
import type { SigningKeyring } from "../crypto/keyring.ts";
import { ConfigError } from "../errors.ts";

const noChange: Pick<SessionChange, "set" | "del"> = { set: new Map(), del: [] };

/** The session of one request over a server-side store. */
export class KeyedBacking extends Backing {
  protected readonly savesAlone = true;
  readonly #ring: SigningKeyring;
  readonly #rows: RowKeeper;
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

  constructor(parts: EngineParts, connection: Connection) {
    super(parts, connection);
    const { signing } = parts.config;
    if (signing === undefined) {
      throw new ConfigError("ERR_SESSION_CONFIG_KEY", "signingKey", "is needed to sign keys");
    }
    this.#ring = signing;
    this.#rows = new RowKeeper(parts.config);
  }

  /**
   * Takes over a row that the client's key stands for, as it is or, in the grace of law L4, shut.
   * @param brought - the selectors of all rows that the request's keys stand for.
   */
  adopt(key: OpenedKey, row: CheckedRow, grace: boolean, brought: readonly string[]): void {
    this.claim(key);
    this.#brought = brought;
    this.#selector = key.selector;
    this.#row = { key: key.selector, ...row };
    this.created = row.notes.created;
    if (grace) {
      this.readOnly = "grace";
      return;
    }
    this.isNew = false;
    this.lifetime = this.storedLifetime = row.notes;
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
    const row = this.#row;
    if (row !== undefined && !this.lifetimeChanged) return row.expires;
    return Math.min(this.config.now() + this.ttl, row?.notes.deadline ?? this.newDeadline);
  }

  get stored(): boolean {
    return this.#row !== undefined;
  }

  get changed(): boolean {
    return this.map.changed || this.binding !== undefined || this.lifetimeChanged;
  }

  protected saveChanges(): Awaitable<void> {
    if (!this.changed) return undefined;
    if (this.#rows.broken !== undefined) return this.refuse("unavailable");
    if (this.#row === undefined) return this.#isEmpty ? undefined : this.#create();
    return this.#update(this.#row, false);
  }

  /**
   * Where the save's outcome is unknown, the next generation's key doesn't go out with the error:
   * whoever knows the old key could collect it before the victim's own regenerate (law L4).
   */
  protected replaceCredential(): Awaitable<void> {
    if (this.#rows.broken !== undefined) throw this.#rows.broken;
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
    return chain(this.#rows.destroy([...new Set([...made, ...this.#brought])]), () => {
      this.destroyed = true;
      this.#row = undefined;
      this.map.load(noChange.set);
      this.binding = undefined;
    });
  }

  protected finish(): Awaitable<void> {
    const row = this.#row;
    const now = this.config.now();
    const decision = decide(
      {
        stored: row !== undefined,
        changed: this.changed,
        empty: this.#isEmpty,
        touched: this.touched && this.#rows.broken === undefined,
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
    return chain(this.#rows.save(row.key, change), (saved) => {
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
        cookieMaxAge(this.storedLifetime.cookieExpires ?? this.config.cookieExpires),
        now,
        this.secure,
      ),
    ];
  }

  get #isEmpty(): boolean {
    return this.map.view.size === 0 && this.binding === undefined;
  }

  #renewal(row: KnownRow | undefined): Parameters<typeof decide>[0]["renewal"] {
    const maxAge = cookieMaxAge(this.lifetime.cookieExpires ?? this.config.cookieExpires);
    const expires = row?.expires ?? 0;
    const deadline = row?.notes.deadline ?? Infinity;
    return { issued: this.#issued, expires, deadline, ttl: this.ttl, maxAge };
  }

  #create(): Awaitable<void> {
    const now = this.config.now();
    const { binding, lifetime } = this;
    const deadline = this.newDeadline;
    const first = { created: this.created, deadline, barriers: 0, barrierAt: 0, boundAt: 0 };
    const notes = notesAfter(first, { clear: false, bump: false, binding, lifetime, now });
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
    return chain(this.#rows.insert((this.#selector ??= mintSelector()), change), (saved) => {
      this.#selector = saved.key;
      this.#settle(binding, lifetime, notes);
      this.#row = { ...saved, notes };
      this.#keyIsDue = true;
      notify(this.config.on, "created", { id: this.id });
      notify(this.config.on, "committed", { id: this.id });
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
    const chosen = this.lifetimeChanged ? lifetime : undefined;
    const update = { clear, bump, set, del, ttl, binding, lifetime: chosen, now };
    return chain(this.#rows.update(row, update), (applied) => {
      if (applied === undefined) {
        if (hadChanges || bump) this.refuse("stale");
        if (bump) this.#startFresh();
        return;
      }
      this.#keyIsDue ||= ttl > 0 || !this.#keyIsCurrent;
      this.#settle(binding, lifetime, applied.notes);
      this.#row = applied;
      if (bump) notify(this.config.on, "regenerated", { id: this.id });
      if (hadChanges) notify(this.config.on, "committed", { id: this.id });
      if (renews && !bump) notify(this.config.on, "renewed", { id: this.id });
    });
  }

  /** What was saved is no change any more; what came after it still is. */
  #settle(binding: typeof this.binding, lifetime: Lifetime, notes: SessionMeta): void {
    if (this.binding === binding) this.binding = undefined;
    // Another request may have chosen one too.
    if (isSameLifetime(this.lifetime, lifetime)) this.lifetime = notes;
    this.storedLifetime = notes;
  }

  /** A session that holds only what is set from now on, never the old data. */
  #startFresh(): void {
    this.#row = undefined;
    this.#selector = undefined;
    this.#keyIsDue = false;
    this.readOnly = undefined;
    this.isNew = true;
    this.created = this.newCreated();
    this.lifetime = this.storedLifetime = noLifetime;
    this.binding = undefined;
    this.map.load(noChange.set);
  }
}
