// The lives of one browser: hundreds of successive sessions in its jar, over the whole engine and any kind
// of cookie store. However a session ends, the next login works, no ended session returns, and the jar stays
// small.
import { randomBytes } from "node:crypto";
import { mergingCookies } from "kocha-session/merge";
import fc from "fast-check";
import { SessionMiddleware } from "../../../src/session/middleware.ts";
import { memoryRevocations } from "../../../src/revocations/memory.ts";
import type { Session } from "../../../src/session/session.ts";
import { SessionCookieStore } from "../../../src/stores/cookie.ts";

/** The end of a life. "replaced": the next user logs in over it. */
const ends = ["expires", "logs out", "is revoked", "is revoked everywhere", "replaced"] as const;

/** One session of the browser. */
export interface Life {
  readonly end: (typeof ends)[number];
  /** The number of successive writes after the login, which is itself a write. */
  readonly writes: number;
  /** The number of concurrent writes after those. */
  readonly burst: number;
  /** True if its data takes two cookies, in stores that split sessions. */
  readonly large: boolean;
  /** Hours by which the clock is ahead during the login only. */
  readonly ahead: number;
}

/** A kind of cookie store. */
export interface LivesKind {
  readonly name: string;
  readonly merge: boolean;
  readonly maxCookies: number;
  readonly revocable: boolean;
}

/** The final state of the jar. */
export interface LivesOutcome {
  readonly faults: readonly string[];
  readonly mostCookies: number;
  readonly mostBytes: number;
}

/** All kinds. */
export const livesKinds: readonly LivesKind[] = [false, true].flatMap((revocable) =>
  [
    { name: "plain", merge: false, maxCookies: 1 },
    { name: "split", merge: false, maxCookies: 4 },
    { name: "merging", merge: true, maxCookies: 1 },
  ].map((kind) => ({
    ...kind,
    revocable,
    name: kind.name + (revocable ? " with revocations" : ""),
  })),
);

/** Lives, most of which are only a login. */
export function livesOf(count: number): fc.Arbitrary<readonly Life[]> {
  const rarely = (values: fc.Arbitrary<number>): fc.Arbitrary<number> =>
    fc.oneof({ arbitrary: fc.constant(0), weight: 4 }, { arbitrary: values, weight: 1 });
  const life = fc.record({
    end: fc.constantFrom(...ends),
    writes: rarely(fc.integer({ min: 1, max: 3 })),
    burst: rarely(fc.integer({ min: 2, max: MOST_AT_ONCE })),
    large: fc.boolean(),
    ahead: rarely(fc.integer({ min: 1, max: 48 })),
  });
  return fc.array(life, { minLength: count, maxLength: count });
}

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const MOST_AT_ONCE = 12;
/** Two quiet parts, one or two tombstones, and the parts of a burst that the next writes sweep. */
const MOST_COOKIES = MOST_AT_ONCE + 6;
/** Half of Node.js's limit for all headers together. */
const MOST_BYTES = 8192;

/** Runs the lives of one browser. */
export async function runLives(lives: readonly Life[], kind: LivesKind): Promise<LivesOutcome> {
  const browser = new LivesBrowser(kind);
  for (const [number, life] of lives.entries()) {
    await browser.live(life, `user ${number}`, lives[number - 1]?.end === "replaced");
    if (browser.faults.length > 0) break;
  }
  return browser;
}

class LivesBrowser implements LivesOutcome {
  readonly faults: string[] = [];
  mostCookies = 0;
  mostBytes = 0;
  readonly #kind: LivesKind;
  readonly #jar = new Map<string, { readonly value: string; readonly expires: number }>();
  readonly #revocations = memoryRevocations({ now: () => this.#now });
  readonly #engine: SessionMiddleware;
  /** The true time, which is the browser's. */
  #time = Date.UTC(2026, 5, 1);
  /** The most cookies that the jar may hold now. */
  #most = 0;
  /** The time by which the server's clock is ahead. */
  #ahead = 0;

  constructor(kind: LivesKind) {
    this.#kind = kind;
    const now = (): number => this.#now;
    const { merge, maxCookies, revocable } = kind;
    const newKey = (): string => randomBytes(32).toString("base64");
    this.#engine = new SessionMiddleware({
      store: new SessionCookieStore({
        secretKey: newKey(),
        signingKey: newKey(),
        ...(merge && { merge: mergingCookies() }),
        maxCookies,
      }),
      // The cookie outlives its data.
      cookieExpires: 365 * 86_400,
      sessionExpires: 86_400,
      now,
      ...(revocable && { revocations: this.#revocations }),
    });
  }

  get #now(): number {
    return this.#time + this.#ahead;
  }

  /** @param isThere - true if another user's session is there, which continues as this one's. */
  async live(life: Life, user: string, isThere: boolean): Promise<void> {
    const { end, writes, burst, large } = life;
    // Revocations don't reach a binding by a clock that is hours ahead.
    const ahead = isThere ? 0 : life.ahead;
    this.#ahead = ahead * HOUR;
    const isSplit = large && this.#kind.maxCookies > 1;
    await this.#request(async (session) => {
      await session.regenerate();
      session.clear();
      session.bind(user);
      session.set("user", user);
      if (isSplit) session.set("large", "x".repeat(4000));
    });
    this.#most = this.#kind.merge ? MOST_COOKIES : isSplit ? 2 : 1;
    await this.#expect(user, "after the login");
    this.#ahead = 0;
    // A session from the future reads as logged out, but can still be ended.
    if (ahead > 0) await this.#expect(undefined, "with the clock right again");
    else await this.#write(writes, burst, user);
    await this.#end(end, user);
    if (end !== "replaced") await this.#expect(undefined, `when it ${end}`);
  }

  async #write(writes: number, burst: number, user: string): Promise<void> {
    for (let index = 0; index < writes; index++) {
      this.#time += 60 * SECOND;
      await this.#request((session) => session.set(`key ${index}`, "1"));
    }
    const header = this.#header;
    const responses = await Promise.all(
      Array.from({ length: burst }, async (_, index) =>
        this.#answer(header, (session) => {
          session.set(`key ${index}`, "2");
        }),
      ),
    );
    for (const response of responses) this.#take(response);
    await this.#expect(user, "after its writes");
  }

  async #end(end: Life["end"], user: string): Promise<void> {
    this.#time += 600 * SECOND;
    if (end === "logs out") return this.#request((session) => session.destroy());
    if (end === "is revoked" && this.#kind.revocable) {
      return this.#request((session) =>
        session.isNew ? session.destroy() : this.#revocations.revoke(session.id),
      );
    }
    if (end === "is revoked everywhere" && this.#kind.revocable) {
      return this.#revocations.revokeSubject(user);
    }
    // Two days, and the time by which a clock was ahead.
    if (end !== "replaced") this.#time += 100 * HOUR;
    return undefined;
  }

  /** The user whose session a request sees. */
  async #expect(user: string | undefined, when: string): Promise<void> {
    const header = this.#header;
    this.mostCookies = Math.max(this.mostCookies, this.#jar.size);
    this.mostBytes = Math.max(this.mostBytes, header.length);
    if (this.#jar.size > this.#most) this.faults.push(`${this.#jar.size} cookies ${when}`);
    if (header.length > MOST_BYTES) this.faults.push(`${header.length} bytes of header ${when}`);
    const session = await this.#engine.open(header);
    const found = session.get("user");
    if (found !== (user ?? "")) {
      this.faults.push(`${found || "nobody"} is there ${when}, not ${user ?? "nobody"}`);
    }
  }

  async #request(handle: (session: Session) => unknown): Promise<void> {
    this.#take(await this.#answer(this.#header, handle));
  }

  async #answer(header: string, handle: (session: Session) => unknown): Promise<readonly string[]> {
    const session = await this.#engine.open(header);
    await handle(session);
    return (await this.#engine.commit(session)).setCookie;
  }

  get #header(): string {
    for (const [name, { expires }] of this.#jar) if (expires <= this.#time) this.#jar.delete(name);
    return Array.from(this.#jar, ([name, { value }]) => `${name}=${value}`).join("; ");
  }

  /** By RFC 6265bis section 5.7: a cookie that is set again keeps its place. */
  #take(setCookie: readonly string[]): void {
    for (const header of setCookie) {
      const equals = header.indexOf("=");
      const value = header.slice(equals + 1, header.indexOf(";"));
      const maxAge = /; Max-Age=(\d+)/.exec(header)?.[1];
      const expires = maxAge === undefined ? Infinity : this.#time + Number(maxAge) * SECOND;
      this.#jar.set(header.slice(0, equals), { value, expires });
    }
  }
}
