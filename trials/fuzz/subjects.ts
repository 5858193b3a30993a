// All that is fuzzed, with stores and keys of its own.
import { SessionCookieStore, SessionMemoryStore } from "kocha-session";
import { mergingCookies } from "kocha-session/merge";
import { kochaCookies, sealKochaCookie } from "kocha-session/kocha";
import { formatSubjects } from "./formats.ts";
import { headerSubject, type Pair } from "./headers.ts";
import { rowSubjects } from "./rows.ts";
import { newKey, newKeys, type Subject } from "./subject.ts";

/** Live cookies of the Go framework, and what reads them. */
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

/** Every subject. */
export async function makeSubjects(): Promise<Subject[]> {
  const { migrateFrom, foreign } = kocha();
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
    ...(await rowSubjects()),
    ...formatSubjects(),
  ];
}
