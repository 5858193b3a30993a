// One request's session: the bag that the application works on, beside the session of its sid, into which
// changes are saved. The engine's session ends with the response's head; what changes later is saved
// through another one.
import { chain, isThenable, recover, type Awaitable } from "../../base/awaitable.ts";
import { closedError } from "../../engine/closing.ts";
import { noEffects, type ResponseEffects } from "../../engine/effects.ts";
import { Turns } from "../../engine/turns.ts";
import { StoreError } from "../../errors.ts";
import type { Session as KeptSession } from "../../session/session.ts";
import type { Signer } from "../express-cookie.ts";
import { effectsOf, isDue, renewed } from "./cookie-due.ts";
import type { Cookie } from "./cookie.ts";
import { cookieIn, keptIn, valuesOf } from "./data.ts";
import type { SidDialect } from "./dialect.ts";
import type { DropIn } from "./drop-in.ts";
import { cookieHeader, type SessionRequest } from "./request.ts";
import { missing, Session, visit, visitIn, type Visitable } from "./session.ts";
import { SidSession } from "./sid-session.ts";
import { draft, ended, save, type Write } from "./writing.ts";

/** The session of one request. */
export class Visit implements Visitable {
  readonly #dropIn: DropIn;
  readonly #request: SessionRequest;
  readonly #dialect: SidDialect;
  #current!: SidSession;
  /** True once the response's head has left, or has been refused. */
  #isAnswered = false;
  #hasFailed = false;
  /** The save that the response's head waits for; it doesn't fail. */
  #settled: Promise<unknown> | undefined;
  readonly #saves = new Turns();
  /** A logout or a regenerate under way; it doesn't fail. */
  #ending: Promise<void> | undefined;
  /** The error of a renewal, told once the response has left; undefined: none has failed. */
  failedRenewal: unknown;
  /** True if the response waits for the session. */
  isHeld = false;

  private constructor(dropIn: DropIn, request: SessionRequest, secrets: readonly Signer[]) {
    this.#dropIn = dropIn;
    this.#request = request;
    this.#dialect = dropIn.dialectFor(request, secrets);
  }

  /**
   * Opens the session of a request, and puts it there.
   * @param secrets - at least one.
   * @throws {StoreError} when the store fails.
   * @throws {UsageError} and whatever `genid` and a `cookie` function throw.
   */
  static open(
    dropIn: DropIn,
    request: SessionRequest,
    secrets: readonly Signer[],
  ): Awaitable<Visit> {
    const self = new Visit(dropIn, request, secrets);
    const header = cookieHeader(request, dropIn.options.name, self.#dialect);
    return chain(dropIn.open(header, self.#dialect), (session) => {
      if (session.isNew) self.#begin(session);
      else self.#resume(session, self.#dialect.sidOf(session.id), { isKnown: true });
      (request as { [visit]?: Visit })[visit] = self;
      return self;
    });
  }

  /** Begins a session that isn't stored. */
  #begin(session: KeptSession): void {
    this.#turnTo(new SidSession(session, this.#dialect.sidOf(session.id)));
    const bag = new Session(this.#request);
    bag.cookie = this.#dropIn.newCookie(this.#request);
    this.#request.session = bag;
  }

  /** Continues a stored session. */
  #resume(
    session: KeptSession,
    sid: string,
    known: { readonly isKnown: boolean; readonly isModified?: boolean },
  ): void {
    const kept = keptIn(session);
    this.#turnTo(new SidSession(session, sid, { ...known, kept, isStored: true }));
    const bag = new Session(this.#request, valuesOf(kept.texts));
    bag.cookie = this.#dropIn.storedCookie(this.#request, session, kept.cookie);
    this.#request.session = bag;
  }

  #turnTo(current: SidSession): void {
    this.#current = current;
    this.#request.sessionID = current.sid;
  }

  /** Begins an empty session in the place of the request's own. */
  generate(): void {
    // Without a Cookie header there is nothing to wait for.
    this.#begin(this.#dropIn.open("", this.#dialect) as KeptSession);
  }

  /**
   * The response's head is about to leave: saves the changes, and gives the cookie that is due. A second
   * call, after a failed one, saves nothing more and doesn't fail.
   */
  commit(): Awaitable<ResponseEffects> {
    this.#isAnswered = true;
    if (this.#hasFailed) return noEffects;
    const effects = recover(
      () => this.#commit(),
      (error) => {
        this.#hasFailed = true;
        throw error;
      },
    );
    if (isThenable(effects)) this.#settled = effects.catch(() => undefined);
    return effects;
  }

  #commit(): Awaitable<ResponseEffects> {
    // The client's next request must find it done.
    if (this.#ending !== undefined) return this.#ending.then(() => this.#commit());
    const bag = this.#bag();
    if (bag === undefined) return chain(this.#unset(), () => noEffects);
    return chain(this.#follow(), () => {
      const current = this.#current;
      if (current.isBroken) return noEffects;
      const cookie = renewed(bag);
      const write = this.#compare(bag, cookie);
      // ORDER: before the save, so that a cookie that can't be written saves nothing.
      const isSent = this.#isCookieDue(cookie);
      if (isSent) this.#cookieText(cookie);
      draft(current.session, write);
      // ORDER: before the save, during which the application may change more.
      current.settle(bag, write);
      return chain(this.#close(write), () => {
        if (write.size > 0) this.#noteStored(bag);
        return isSent ? effectsOf(this.#cookieText(cookie)) : noEffects;
      });
    });
  }

  /** Ends the engine's session. A renewal that fails loses nothing, so the response leaves all the same. */
  #close(write: Write): Awaitable<unknown> {
    const close = (): Awaitable<unknown> => this.#dropIn.engine.commit(this.#current.session);
    if (write.size > 0) return close();
    return recover(close, (error) => void (this.failedRenewal = error));
  }

  /** The Set-Cookie of a response that nobody holds, and whose session isn't saved; undefined: none. */
  cookieAtHead(): string | undefined {
    const bag = this.#bag();
    if (bag === undefined) return undefined;
    const cookie = renewed(bag);
    this.#compare(bag, cookie);
    return this.#isCookieDue(cookie) ? this.#cookieText(cookie) : undefined;
  }

  /**
   * The response ends: saves what has changed since its head left; undefined: nothing has. What no cookie
   * stands for is refused, and observers are told.
   */
  saveAtEnd(): Promise<void> | undefined {
    if (this.#ending !== undefined) return this.#ending.then(() => this.saveAtEnd());
    if (!this.#isAnswered || this.#hasFailed || this.#current.isBroken) return undefined;
    const bag = this.#bag();
    if (bag === undefined) {
      const ending = this.#unset();
      return isThenable(ending) ? ending : undefined;
    }
    const isChanged = this.#compare(bag, cookieIn(bag)).size > 0;
    if (!isChanged || this.#current.isStored) return isChanged ? this.save(bag) : undefined;
    this.#dropIn.refuse(this.#current.session, "uncarried");
    return undefined;
  }

  /** Saves take turns: after one that has failed, the next one finds out what is stored. */
  save(bag: Session): Promise<void> {
    return this.#saves.run(() => this.#save(bag));
  }

  async #save(bag: Session): Promise<void> {
    if (bag !== this.#request.session) throw ended();
    // What is saved later depends on what became of the head.
    if (this.#settled !== undefined) await this.#settled;
    const ready = this.#ready();
    if (isThenable(ready)) await ready;
    const current = this.#current;
    const write = current.compare(bag, cookieIn(bag), true);
    if (write.size === 0) return this.#renew();
    const newer = current.newerIn(write);
    const takeBack = current.settle(bag, write);
    try {
      await save(current.session, write);
      this.#dropIn.noteOverwritten(current.session, newer);
    } catch (error) {
      // A later save tries all of it again; the response's own doesn't.
      takeBack();
      current.isBroken ||= error instanceof StoreError;
      throw error;
    }
    if (current === this.#current) this.#noteStored(bag);
  }

  async reload({ id }: Session): Promise<void> {
    const session = await this.#dropIn.openSid(id);
    if (session.isNew) throw missing();
    const { sid, isKnown, isModified } = this.#current;
    // What was changed and saved before still makes the cookie due.
    this.#resume(session, id, { isKnown: isKnown && id === sid, isModified });
  }

  regenerate(): Promise<void> {
    return this.#awaited(this.#regenerate());
  }

  async #regenerate(): Promise<void> {
    if (this.isHeld && this.#isAnswered) throw closedError(undefined, false);
    await this.#follow();
    const [ending] = await Promise.allSettled([this.#current.session.destroy()]);
    // As express-session: after a failure, too, so that nobody logs in under the old sid.
    this.generate();
    if (ending.status === "rejected") throw ending.reason;
  }

  destroy({ id }: Session): Promise<void> {
    delete this.#request.session;
    return this.#awaited(this.#destroy(id));
  }

  async #destroy(sid: string): Promise<void> {
    const current = this.#current;
    const session = sid === current.sid ? current.session : await this.#dropIn.openSid(sid);
    await session.destroy();
  }

  /** The same, and the response waits for it: an application needn't. */
  #awaited(ending: Promise<void>): Promise<void> {
    const forget = (): void => void (this.#ending = undefined);
    this.#ending = ending.then(forget, forget);
    return ending;
  }

  /** The bag that the request has now; undefined: none that can be saved. */
  #bag(): Session | undefined {
    // Another drop-in's session is that one's to save.
    if (visitIn(this.#request) !== this) return undefined;
    const { session, sessionID } = this.#request;
    if (typeof session !== "object" || session === null) return undefined;
    return typeof sessionID === "string" ? (session as Session) : undefined;
  }

  /** Carries out the `unset` of a request whose session was taken away. */
  #unset(): Awaitable<void> {
    const { session, sessionID } = this.#request;
    const isUnset = session === undefined || session === null;
    const isMeant = this.#dropIn.options.unset === "destroy" && typeof sessionID === "string";
    return isUnset && isMeant ? this.#current.session.destroy() : undefined;
  }

  /** Goes over to the session of another sid, if the application has put one on the request. */
  #follow(): Awaitable<void> {
    const sid = this.#request.sessionID;
    if (sid === this.#current.sid || typeof sid !== "string") return undefined;
    return chain(this.#dropIn.openSid(sid), (session) => {
      const isStored = !session.isNew;
      const origin = { kept: keptIn(session), isStored, isModified: true };
      this.#turnTo(new SidSession(session, sid, origin));
    });
  }

  /** Makes sure that the engine's session can be written. */
  #ready(): Awaitable<void> {
    return chain(this.#follow(), () => {
      const current = this.#current;
      const isClosed = this.#dropIn.engine.stageOf(current.session) === "closed";
      if (!isClosed && !current.isBroken) return undefined;
      if (!current.isStored) throw current.isBroken ? ended() : closedError("uncarried", false);
      return chain(this.#dropIn.openSid(current.sid), (session) => {
        if (session.isNew) throw ended();
        current.reopen(session);
      });
    });
  }

  /** Begins the stored session's lifetime anew, unless the response's head is still to do it. */
  async #renew(): Promise<void> {
    // What was saved before is on its way.
    if (this.isHeld && !this.#isAnswered) return this.#current.session.commit();
    const session = await this.#dropIn.openSid(this.#current.sid);
    if (session.isNew) throw ended();
    await this.#dropIn.engine.commit(session);
  }

  /** What the application has changed, as far as a response saves it. */
  #compare(bag: Session, cookie: Cookie): Write {
    return this.#current.compare(bag, cookie, this.#dropIn.options.saveUninitialized);
  }

  #noteStored(bag: Session): void {
    const { sid } = this.#current;
    this.#current.noteStored(this.#dialect);
    if (this.#current.sid === sid) return;
    this.#request.sessionID = this.#current.sid;
    Object.defineProperty(bag, "id", { value: this.#current.sid, configurable: true });
  }

  #isCookieDue(cookie: Cookie): boolean {
    return isDue(this.#dropIn.options, this.#request, cookie, this.#current);
  }

  /** @throws {UsageError} ERR_SESSION_USAGE_TYPE for an attribute that no cookie can have. */
  #cookieText(cookie: Cookie): string {
    return cookie.serialize(this.#dropIn.options.name, this.#dialect.signed(this.#current.sid));
  }
}
