// All fuzzed subjects, with stores and secrets of their own.
import { type ForeignCookies, SessionCookieStore, SessionMemoryStore } from "kocha-session";
import { ironSessionCookies } from "kocha-session/compat/iron-session";
import { reactRouterCookies } from "kocha-session/compat/react-router";
import { mergingCookies } from "kocha-session/merge";
import { kochaCookies, sealKochaCookie } from "kocha-session/kocha";
import { readVectors } from "../../tests/support/foreign-vectors.ts";
import { formatSubjects } from "./formats.ts";
import { headerSubject, type Pair } from "./headers.ts";
import { rowSubjects } from "./rows.ts";
import { newKey, newKeys, type Subject } from "./subject.ts";

/** Live cookies of the Go framework, and their reader. */
function kocha(): { readonly migrateFrom: ReturnType<typeof kochaCookies>; foreign: Pair[] } {
  const [name, keys] = ["kocha_session", newKeys()];
  const expires = [
    "_kocha._sess._expires",
    String(Math.floor(Date.now() / 1000) + 86_400),
  ] as const;
  const foreign = ["alice", "bob"].map((user): Pair => {
    const map = new Map([["name", user], expires]);
    return [name, sealKochaCookie(map, keys)];
  });
  return { migrateFrom: kochaCookies({ name, ...keys }), foreign };
}

/** Live cookies of two other libraries that have no end inside, and what reads them. */
function others(): { readonly migrateFrom: readonly ForeignCookies[]; foreign: Pair[] } {
  const until = new Date(Date.now() + 86_400_000);
  const { find } = readVectors();
  const iron = find("iron-session", "without an end");
  const router = find("react-router", "the newer of two secrets");
  const migrateFrom = [
    ironSessionCookies({ ...(iron.options as { cookieName: string; password: string }), until }),
    reactRouterCookies({ ...(router.options as { secrets: string[] }), until }),
  ];
  const foreign = [iron, router].map(({ cookie }): Pair => {
    const equals = cookie.indexOf("=");
    return [cookie.slice(0, equals), cookie.slice(equals + 1)];
  });
  return { migrateFrom, foreign };
}

/** Every subject. */
export async function makeSubjects(): Promise<Subject[]> {
  const { migrateFrom, foreign } = kocha();
  const theirs = others();
  const sealed = (more: object) => ({ store: new SessionCookieStore({ ...newKeys(), ...more }) });
  return [
    await headerSubject("cookies of the cookie store", { config: sealed({}) }),
    await headerSubject("cookies of a split session", {
      config: sealed({ maxCookies: 4 }),
      isSplit: true,
    }),
    await headerSubject("cookies that merge", {
      config: sealed({ merge: mergingCookies() }),
      isJoined: true,
    }),
    await headerSubject("tickets of a server-side store", {
      config: { store: new SessionMemoryStore(), signingKey: newKey() },
    }),
    await headerSubject("cookies of Kocha, on their way to ours", {
      config: sealed({ migrateFrom }),
      foreign,
    }),
    await headerSubject("cookies of other libraries, on their way to ours", {
      config: sealed({ migrateFrom: theirs.migrateFrom }),
      foreign: theirs.foreign,
    }),
    ...(await rowSubjects()),
    ...formatSubjects(),
  ];
}
