// The session of a sealed store: the data travels in the cookies themselves. It opens at the first
// touch, gathers the request's whole change, and the response carries the one write.
import { StoreError } from "../errors.ts";
import { chain } from "./awaitable.ts";
import {
  Backing,
  type Binding,
  type Connection,
  type EngineParts,
  type ReadOnlyReason,
} from "./backing.ts";
import { notify, type RefusedReason } from "./events.ts";
import { cookieMaxAge } from "./expiry.ts";
import { type Decision, decide } from "./lifecycle.ts";
import { type Lifetime, longestIdle, noLifetime } from "./lifetime.ts";
import { callStore } from "./store-call.ts";
import { mintSelector } from "./key.ts";
import {
  type Awaitable,
  type Cookie,
  isOpened,
  type OpenedSession,
  type SealedChange,
  type SealedContext,
  type SealedRemains,
  type SealedSessionStore,
  type SealedWrite,
  sessionsOf,
} from "./store.ts";

const nothing: readonly never[] = [];
const noChange: Pick<SealedChange, "set" | "del"> = { set: new Map(), del: nothing };

/** A change while it is put together. */
type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

interface Mark {
  readonly due: SealedWrite | undefined;
  readonly bump: boolean;
  readonly binding: Binding | undefined;
  readonly lifetime: Lifetime;
}

/** The session of one request over a sealed store. */
export class SealedBacking extends Backing {
  protected readonly savesAlone = false;
  readonly #store: SealedSessionStore;
  readonly #findCookies: () => readonly Cookie[];
  #opened: OpenedSession | undefined;
  /** What the request's cookies held; a fresh session may have taken its place meanwhile. */
  #brought: OpenedSession | SealedRemains | undefined;
  /** Why every look at the session fails: nobody can say what the request's cookies hold. */
  #failure: Error | undefined;
  /** The same where `onStoreError` is "anonymous": the session reads as empty (law L9). */
  protected isShut = false;
  #newId: string | undefined;
  /** Whether the credential is replaced. */
  protected bump = false;
  /** What the response carries as things stand, and the count of changes that it knows. */
  #due: SealedWrite | undefined;
  #dueAt = -1;
  #changes = 0;
  /** What was saved within the request: `discard` goes back to it. */
  #mark: Mark | undefined;

  /** @param findCookies - the request's cookies that may be ours; called at the first touch. */
  constructor(
    parts: EngineParts,
    connection: Connection,
    store: SealedSessionStore,
    findCookies: () => readonly Cookie[],
  ) {
    super(parts, connection);
    this.#store = store;
    this.#findCookies = findCookies;
  }

  override touch(): void {
    if (this.#failure !== undefined) throw this.#failure;
    super.touch();
  }

  protected override openLate(): void {
    if (this.isShut) return;
    try {
      this.#brought = this.find(this.verdict);
      if (isOpened(this.#brought)) this.adopt(this.#brought);
    } catch (error) {
      // ORDER: a second look must not find an empty session where the first one found no answer.
      this.#failure = error as Error;
      this.shut(error);
      this.#failure = undefined;
    }
  }

  /** Takes it that nobody can say what the request's cookies hold. */
  protected shut(error: unknown): void {
    if (this.config.onStoreError === "fail" || !(error instanceof StoreError)) throw error;
    this.isShut = true;
    this.readOnly = "unavailable";
  }

  /** Says whether a session is dead; undefined: nobody does. */
  protected get verdict(): SealedContext["verdict"] {
    return undefined;
  }

  /** What the request's cookies say. */
  protected find(verdict: SealedContext["verdict"]): OpenedSession | SealedRemains | undefined {
    const cookies = this.#findCookies();
    if (cookies.length === 0) return undefined;
    const context = this.#context(verdict);
    const found = callStore(this.config, "load", () => this.#store.open(cookies, context));
    return found as OpenedSession | SealedRemains | undefined;
  }

  /** Takes over what was found; `shut`: it can only be ended. */
  protected adopt(opened: OpenedSession, shut?: ReadOnlyReason): void {
    this.#opened = opened;
    if (shut !== undefined) {
      this.readOnly = shut;
      return;
    }
    this.isNew = false;
    this.created = opened.created;
    this.lifetime = this.storedLifetime = opened;
    this.map.load(opened.data);
    const { id, skipped } = opened;
    notify(this.config.on, "opened", { id });
    if (skipped !== undefined && skipped.length > 0) {
      notify(this.config.on, "skipped", { id, keys: skipped });
    }
  }

  /** The session that the request brought. */
  protected get opened(): OpenedSession | undefined {
    return this.#opened;
  }

  /** A session that holds only what is set from now on, never the old data. */
  protected startFresh(): void {
    this.#opened = this.#newId = this.#mark = this.#due = undefined;
    this.bump = false;
    this.readOnly = undefined;
    this.isNew = true;
    this.created = this.newCreated();
    this.lifetime = this.storedLifetime = noLifetime;
    this.binding = undefined;
    this.map.load(noChange.set);
  }

  get id(): string {
    this.touch();
    return this.#opened?.id ?? (this.#newId ??= mintSelector());
  }

  get expires(): number {
    this.touch();
    if (this.#opened !== undefined && !this.changed) return this.#opened.expires;
    return Math.min(this.config.now() + this.ttl, this.#deadlineOf(this.#opened));
  }

  get stored(): boolean {
    this.touch();
    return this.#opened !== undefined;
  }

  get changed(): boolean {
    return this.bump || this.#hasChanges;
  }

  get #hasChanges(): boolean {
    return this.map.changed || this.binding !== undefined || this.lifetimeChanged;
  }

  override noteChange(): void {
    this.#changes++;
    super.noteChange();
  }

  protected override dropChanges(): void {
    super.dropChanges();
    this.takeBack();
    const mark = this.#mark;
    if (mark === undefined) return;
    this.binding = mark.binding;
    this.lifetime = mark.lifetime;
  }

  /** Forgets a seal that was made since the last save. */
  protected takeBack(): void {
    const mark = this.#mark;
    this.bump = mark?.bump ?? false;
    this.#due = mark?.due;
    this.#dueAt = ++this.#changes;
  }

  /** Called before a write, if one is due. */
  protected prepareWrite(): Awaitable<void> {
    return undefined;
  }

  /** Why nothing may be written, if so. */
  protected refusal(): RefusedReason | undefined {
    return undefined;
  }

  /** What else a change carries. */
  protected extras(_binding: Binding | undefined): Partial<SealedChange> | undefined {
    return undefined;
  }

  protected replaceCredential(): Awaitable<void> {
    if (this.isShut) throw this.notSaved();
    // Without a cookie there is nothing to replace: law L6.
    if (!this.stored) return undefined;
    this.bump = true;
    return this.saveChanges();
  }

  /** Seals what there is, so that what doesn't fit is heard of here; the response carries it. */
  protected saveChanges(): Awaitable<void> {
    if (!this.changed || (!this.stored && this.#isEmpty)) return undefined;
    return chain(this.prepareWrite(), () => {
      if (this.write()) this.keep();
    });
  }

  /** What was sealed is saved: `discard` goes back to it. */
  protected keep(): void {
    this.map.mark();
    const { binding, lifetime } = this;
    this.#mark = { due: this.#due, bump: this.bump, binding, lifetime };
  }

  protected end(): Awaitable<void> {
    // ORDER: without anybody's word on it; whoever holds the cookie may end its session.
    if (this.isShut) this.#brought = this.find(undefined);
    const brought = this.#brought;
    const sessions = sessionsOf(brought);
    return chain(this.announceEnd(sessions), () => {
      this.destroyed = true;
      this.map.load(noChange.set);
      this.#due = brought && this.#seal(brought, this.#endOf(sessions));
      for (const { id } of sessions) notify(this.config.on, "destroyed", { id });
    });
  }

  /** Tells whoever must know that these sessions end. */
  protected announceEnd(_sessions: readonly OpenedSession[]): Awaitable<unknown> {
    return undefined;
  }

  /** Says how long a write that races with the end could live: a tombstone must outlive it. */
  #endOf(sessions: readonly OpenedSession[]): SealedChange {
    const deadlines = sessions.map((session) => this.#deadlineOf(session));
    const deadline = deadlines.length === 0 ? this.newDeadline : Math.max(...deadlines);
    const ttl = longestIdle(this.lifetime, this.config);
    return { op: "destroy", ...noChange, ttl, deadline };
  }

  protected finish(): Awaitable<void> {
    // Untouched, it was never even opened.
    if (!this.touched) return undefined;
    const opened = this.#opened;
    const decision = decide(
      {
        stored: opened !== undefined,
        changed: this.changed,
        empty: this.#isEmpty,
        touched: true,
        renewal: {
          issued: opened?.issued ?? 0,
          // A sealed session is renewed whole: below its deadline or at it, the idle end moves.
          expires: opened?.idleExpires ?? 0,
          deadline: Infinity,
          ttl: this.ttl,
          maxAge: this.#maxAge,
        },
      },
      this.config.renewAfter,
      this.config.now(),
    );
    if (decision === "none") {
      this.#due = undefined;
      return undefined;
    }
    return chain(this.prepareWrite(), () => this.#conclude(decision));
  }

  #conclude(decision: Decision): void {
    if (!this.write()) return;
    const { id } = this;
    const isRenewal = decision === "renew" || decision === "resend";
    if (decision === "create") notify(this.config.on, "created", { id });
    if (this.bump) notify(this.config.on, "regenerated", { id });
    if (isRenewal) notify(this.config.on, "renewed", { id });
    // A credential that was replaced is no change that was saved.
    else if (this.#hasChanges) notify(this.config.on, "committed", { id });
    const bytes = this.#due?.collapsed;
    if (bytes !== undefined) notify(this.config.on, "collapsed", { id, bytes });
  }

  protected setCookies(): string[] {
    const due = this.#due;
    if (due === undefined) return [];
    const now = this.config.now();
    const { secure } = this;
    return [
      // ORDER: what is set comes first, so that a response that is torn apart still carries it.
      ...due.set.map(({ name, value, maxAge = this.#maxAge }) =>
        this.cookies.set(name, value, maxAge, now, secure),
      ),
      ...due.expire.map((name) => this.cookies.expire(name, secure)),
    ];
  }

  get #maxAge(): number | undefined {
    return cookieMaxAge(this.lifetime.cookieExpires ?? this.config.cookieExpires);
  }

  #deadlineOf(session: OpenedSession | undefined): number {
    return session === undefined || session.foreign === true ? this.newDeadline : session.deadline;
  }

  get #isEmpty(): boolean {
    return this.map.view.size === 0 && this.binding === undefined;
  }

  /** Seals the change as it is now, unless that has been done; gives whether it was taken. */
  protected write(): boolean {
    const refusal = this.refusal();
    if (refusal !== undefined) {
      if (refusal === "stale") this.#mark = undefined;
      if (this.changed) this.refuse(refusal);
      else this.#due = this.#mark?.due;
      return false;
    }
    if (this.#due !== undefined && this.#dueAt === this.#changes) return true;
    const opened = this.#opened;
    const { clear, set, del } = this.map.change;
    const { binding, lifetime } = this;
    // Field by field: it is made for every write, and spreading what is rarely there costs more.
    const change: Writable<SealedChange> = {
      op: opened === undefined ? "create" : "update",
      set,
      del,
      ttl: this.ttl,
      deadline: this.#deadlineOf(opened),
    };
    if (opened === undefined) change.id = this.id;
    else change.rev = opened.rev;
    if (opened !== undefined && clear) change.clear = true;
    if (opened !== undefined && this.bump) change.bump = true;
    if (binding !== undefined) change.subject = binding.subject;
    if (this.lifetimeChanged) {
      const { cookieExpires, sessionExpires = 0 } = lifetime;
      change.shrinks = true;
      if (cookieExpires !== undefined) change.cookieExpires = cookieExpires;
      change.sessionExpires = sessionExpires;
    }
    Object.assign(change, this.extras(binding));
    const due = this.#seal(opened ?? this.#brought, change);
    if (due === undefined) {
      this.refuse("stale");
      return false;
    }
    this.#due = due;
    this.#dueAt = this.#changes;
    return true;
  }

  #seal(
    found: OpenedSession | SealedRemains | undefined,
    change: SealedChange,
  ): SealedWrite | undefined {
    return callStore(this.config, "save", () =>
      this.#store.write(found, change, this.#context()),
    ) as SealedWrite | undefined;
  }

  #context(verdict?: SealedContext["verdict"]): SealedContext {
    const { name, on, now } = this.config;
    return { name, now: now(), rejected: (reason) => notify(on, "rejected", { reason }), verdict };
  }
}
