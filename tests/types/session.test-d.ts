// The types of a session: strings in, strings out, nothing that looks like an object's property.
import type {
  Awaitable,
  Flash,
  ResponseCookie,
  ResponseEffects,
  Session,
  SessionMiddleware,
} from "kocha-session";
import { describe, expectTypeOf, test } from "vitest";

declare const session: Session;
declare const engine: SessionMiddleware;

describe("the string map", () => {
  test("reads strings, never undefined", () => {
    expectTypeOf(session.get("name")).toEqualTypeOf<string>();
    expectTypeOf(session.has("name")).toEqualTypeOf<boolean>();
    expectTypeOf(session.size).toEqualTypeOf<number>();
    expectTypeOf(session.toObject()).toEqualTypeOf<Record<string, string>>();
  });

  test("iterates over keys and entries", () => {
    expectTypeOf([...session.keys()]).toEqualTypeOf<string[]>();
    expectTypeOf([...session]).toEqualTypeOf<[string, string][]>();
    expectTypeOf(new Map(session)).toEqualTypeOf<Map<string, string>>();
    expectTypeOf(Object.fromEntries(session)).toEqualTypeOf<Record<string, string>>();
  });

  test("takes strings alone", () => {
    expectTypeOf(session.set).parameters.toEqualTypeOf<[key: string, value: string]>();
    // @ts-expect-error a number is serialized first
    session.set("visits", 1);
    // @ts-expect-error so is an object
    session.set("cart", { items: [] });
    // @ts-expect-error nothing is removed by setting undefined
    session.set("name", undefined);
    // @ts-expect-error a key is a string
    session.get(1);
  });

  test("has no properties of the application's: express-session's habit is an error", () => {
    // @ts-expect-error no key is a property
    void session.name;
    // @ts-expect-error nor can one be made
    session.user = "alice";
    // @ts-expect-error size is counted, not set
    session.size = 0;
    expectTypeOf(session.delete("name")).toEqualTypeOf<boolean>();
    expectTypeOf(session.entries()).toEqualTypeOf<IterableIterator<[string, string]>>();
    expectTypeOf(session.toObject()).toEqualTypeOf<Record<string, string>>();
  });
});

describe("its life", () => {
  test("what asks the store gives a promise", () => {
    for (const step of [session.regenerate, session.destroy, session.commit]) {
      expectTypeOf(step).toEqualTypeOf<() => Promise<void>>();
    }
    // @ts-expect-error no callback is called
    void session.destroy(() => undefined);
    expectTypeOf(session.discard()).toEqualTypeOf<void>();
    expectTypeOf(session.clear()).toEqualTypeOf<void>();
  });

  test("what it tells of itself is read-only, except for its two lifetimes", () => {
    expectTypeOf(session.id).toEqualTypeOf<string>();
    expectTypeOf(session.isNew).toEqualTypeOf<boolean>();
    expectTypeOf(session.createdAt).toEqualTypeOf<Date>();
    expectTypeOf(session.expiresAt).toEqualTypeOf<Date | undefined>();
    expectTypeOf(session.readOnly).toEqualTypeOf<boolean>();
    expectTypeOf(session.unavailable).toEqualTypeOf<boolean>();
    // @ts-expect-error minted, never chosen
    session.id = "mine";
    // @ts-expect-error the engine's to say
    session.isNew = true;
    session.cookieExpires = 30 * 86_400;
    // @ts-expect-error seconds, no text such as "30d"
    session.cookieExpires = "30d";
    expectTypeOf(session.sessionExpires).toEqualTypeOf<number>();
    session.sessionExpires = 1800;
  });

  test("a subject is a string, a label is optional", () => {
    session.bind("user-42");
    session.bind("user-42", {});
    session.bind("user-42", { label: undefined });
    session.bind("user-42", { label: "laptop" });
    // @ts-expect-error a numeric id is made a string by who knows what it is
    session.bind(42);
    // @ts-expect-error the label has its name
    session.bind("user-42", "laptop");
  });

  test("flash messages are strings", () => {
    expectTypeOf(session.flash).toEqualTypeOf<Flash>();
    expectTypeOf(session.flash.get("notice")).toEqualTypeOf<string>();
    expectTypeOf(session.flash.peek("notice")).toEqualTypeOf<string>();
    expectTypeOf(session.flash.readAll()).toEqualTypeOf<Map<string, string>>();
    session.flash.set("notice", "saved");
    // @ts-expect-error a message is a string
    session.flash.set("notice", ["saved"]);
  });
});

describe("the engine", () => {
  test("opens and commits now or later, as the store is", () => {
    expectTypeOf(engine.open("session=x")).toEqualTypeOf<Awaitable<Session>>();
    expectTypeOf(engine.open(undefined)).toEqualTypeOf<Awaitable<Session>>();
    expectTypeOf(engine.openReadOnly("session=x")).toEqualTypeOf<Awaitable<Session>>();
    expectTypeOf(engine.commit(session)).toEqualTypeOf<Awaitable<ResponseEffects>>();
    engine.open(undefined, { secure: true, loopback: undefined });
    // @ts-expect-error several headers are joined by the host
    engine.open(["session=x"]);
    // @ts-expect-error a Cookie header has no null
    engine.open(null);
    // @ts-expect-error the session is committed, not its data
    engine.commit({ name: "alice" });
  });

  test("effects are read by the adapter, not changed", () => {
    expectTypeOf<ResponseEffects>().toEqualTypeOf<{
      readonly setCookie: readonly string[];
      readonly cookies: readonly ResponseCookie[];
      readonly cookieName?: string | undefined;
      readonly headers: readonly (readonly [name: string, value: string])[];
      readonly vary: boolean;
      readonly noStore: boolean;
    }>();
  });
});
