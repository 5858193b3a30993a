// A client without a network: a jar that keeps cookies as browsers do, a clock that is turned by
// hand, and requests that go through the engine alone.
import type { ResponseEffects } from "../../../src/engine/effects.ts";
import { eventNames, type SessionObservers } from "../../../src/events.ts";
import { SessionMiddleware } from "../../../src/session/middleware.ts";
import type { SessionConfig } from "../../../src/engine/config.ts";
import type { Session } from "../../../src/session/session.ts";
import type { AnySessionStore, Cookie } from "../../../src/store/contract.ts";
import { SessionCookieStore, type SessionCookieStoreOptions } from "../../../src/stores/cookie.ts";
import { SessionMemoryStore } from "../../../src/stores/memory.ts";
import { freshKey, freshKeys } from "../../support/keys.ts";

/** The kinds of store that every rule of the engine holds for. */
export type Kind = "memory" | "cookie";
/** Both kinds, for `describe.each`. */
export const kinds: readonly Kind[] = ["memory", "cookie"];

/** A clock that stands still until it is turned. */
export class Clock {
  #now = Date.UTC(2026, 0, 1);
  readonly now = (): number => this.#now;
  /** Lets seconds pass. */
  advance(seconds: number): void {
    this.#now += seconds * 1000;
  }
}

/** One Set-Cookie value, taken apart. */
export interface SetCookie extends Cookie {
  /** Lower-case names; a flag's value is "". */
  readonly attributes: ReadonlyMap<string, string>;
}

/** Takes a Set-Cookie value apart. */
export function parseSetCookie(header: string): SetCookie {
  const [pair = "", ...rest] = header.split("; ");
  const [name, value] = splitAt(pair);
  const attributes = new Map(
    rest.map((attribute) => splitAt(attribute)).map(([key, text]) => [key.toLowerCase(), text]),
  );
  return { name, value, attributes };
}

function splitAt(text: string): [string, string] {
  const equals = text.indexOf("=");
  return equals === -1 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
}

/** Cookies of one host and path; a browser-session cookie lives as long as the jar. */
export class Jar {
  readonly #clock: Clock;
  readonly #cookies = new Map<string, { value: string; expires: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Keeps what a response set, by RFC 6265bis section 5.7. */
  take(setCookie: readonly string[]): void {
    for (const { name, value, attributes } of setCookie.map(parseSetCookie)) {
      const maxAge = attributes.get("max-age");
      const seconds = maxAge === undefined ? Infinity : Math.min(Number(maxAge), 34_560_000);
      this.#cookies.set(name, { value, expires: this.#clock.now() + seconds * 1000 });
    }
  }

  /** The living cookies. */
  get cookies(): Cookie[] {
    const now = this.#clock.now();
    return [...this.#cookies]
      .filter(([, { expires }]) => expires > now)
      .map(([name, { value }]) => ({ name, value }));
  }

  /** The Cookie header; undefined: none is sent. */
  get header(): string | undefined {
    const { cookies } = this;
    if (cookies.length === 0) return undefined;
    return cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  }

  clear(): void {
    this.#cookies.clear();
  }
}

/** An event as it was told. */
interface Told {
  readonly name: keyof SessionObservers;
  readonly event: Record<string, unknown>;
}

/** Observers that write down what they are told of sessions; the calls of the store are another test's. */
function recordEvents(told: Told[]): SessionObservers {
  const names = eventNames.filter((name) => name !== "storeCall");
  return Object.fromEntries(
    names.map((name) => [name, (event: Record<string, unknown>) => told.push({ name, event })]),
  );
}

/** What a test needs of one engine and its clients. */
export interface World {
  readonly engine: SessionMiddleware;
  readonly store: AnySessionStore;
  readonly clock: Clock;
  readonly told: Told[];
  /** The names of the events since the last call. */
  readonly events: () => string[];
  readonly newClient: () => Client;
}

/** A session store of a kind, with keys of its own. */
export function makeStore(
  kind: Kind,
  clock: Clock,
  options: Partial<SessionCookieStoreOptions> = {},
): AnySessionStore {
  return kind === "memory"
    ? new SessionMemoryStore({ now: clock.now })
    : new SessionCookieStore({ ...freshKeys(), ...options });
}

/** An engine over a store of a kind, or over the given one. */
export function makeWorld(
  kind: Kind | AnySessionStore,
  config: Partial<SessionConfig> = {},
  clock: Clock = new Clock(),
): World {
  const store = typeof kind === "string" ? makeStore(kind, clock) : kind;
  const told: Told[] = [];
  const isSealed = "sealed" in store;
  const engine = new SessionMiddleware({
    store,
    now: clock.now,
    on: recordEvents(told),
    ...(!isSealed && config.keys === undefined && { signingKey: freshKey() }),
    ...config,
  });
  const events = (): string[] => told.splice(0).map(({ name }) => name);
  return { engine, store, clock, told, events, newClient: () => new Client(engine, clock) };
}

/** A browser: its jar goes with every request. */
export class Client {
  readonly engine: SessionMiddleware;
  readonly jar: Jar;

  constructor(engine: SessionMiddleware, clock: Clock) {
    this.engine = engine;
    this.jar = new Jar(clock);
  }

  /** A request whose handler is `handle`; the jar keeps what the response sets. */
  async request(handle: (session: Session) => unknown = () => undefined): Promise<ResponseEffects> {
    const session = await this.engine.open(this.jar.header);
    await handle(session);
    const effects = await this.engine.commit(session);
    this.jar.take(effects.setCookie);
    return effects;
  }

  /** What a new request sees. */
  async read(): Promise<Record<string, string>> {
    const session = await this.engine.open(this.jar.header);
    return session.toObject();
  }
}
