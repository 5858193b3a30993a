// Races of merging cookies through the whole engine and a jar that follows RFC 6265bis: requests of
// one browser at once over virtual time, with random delays of their commits and responses.
import { randomBytes } from "node:crypto";
import { mergingCookies } from "kocha-session/merge";
import { CookieJar } from "tough-cookie";
import { SessionCookieStore, SessionMiddleware } from "kocha-session";

/** Options of a run. */
export interface RaceOptions {
  readonly writes: number;
  /** The number of concurrent requests. */
  readonly atOnce: number;
  /** Bytes of the session beside the raced keys. */
  readonly ballast: number;
  /** True: each round ends with a logout among the writes. */
  readonly logout: boolean;
  /** A number from 0 up to 1. */
  readonly random: () => number;
}

/** The results of a run. */
export interface RaceResult {
  readonly writes: number;
  readonly rounds: number;
  /** Writes that weren't superseded, but that the browser's next request doesn't see. */
  readonly lost: number;
  /** Sessions that were seen after their logout. */
  readonly resurrected: number;
  readonly mostCookies: number;
  readonly mostBytes: number;
  /** The most cookies after one and after two quiet writes. */
  readonly afterOne: number;
  readonly afterTwo: number;
}

const URL = "https://shop.example/";
const SEPARATORS = 3;

/** Runs rounds of racing writes, each in a fresh browser. */
export async function race(options: RaceOptions): Promise<RaceResult> {
  const key = (): string => randomBytes(32).toString("base64");
  const store = new SessionCookieStore({
    secretKey: key(),
    signingKey: key(),
    merge: mergingCookies(),
  });
  const engine = new SessionMiddleware({ name: "__Host-app", store });
  const rounds = Math.ceil(options.writes / options.atOnce);
  const result = {
    lost: 0,
    resurrected: 0,
    mostCookies: 0,
    mostBytes: 0,
    afterOne: 0,
    afterTwo: 0,
  };
  for (let round = 0; round < rounds; round++) {
    const jar = new CookieJar();
    const header = async (): Promise<string> => {
      const cookies = await jar.getCookies(URL);
      const bytes = cookies.reduce((sum, one) => sum + one.cookieString().length + 2, 0);
      result.mostCookies = Math.max(result.mostCookies, cookies.length);
      result.mostBytes = Math.max(result.mostBytes, bytes + SEPARATORS - 2);
      return cookies.map((one) => one.cookieString()).join("; ");
    };
    const take = async (cookies: readonly string[]): Promise<void> => {
      for (const cookie of cookies) await jar.setCookie(cookie, URL);
    };
    const write = async (cookie: string, name: string): Promise<readonly string[]> => {
      const session = await engine.open(cookie);
      if (name === "logout") await session.destroy();
      else session.set(name, "1");
      return (await engine.commit(session)).setCookie;
    };
    const first = await engine.open("");
    first.set("base", "x".repeat(options.ballast));
    await take((await engine.commit(first)).setCookie);
    await take(await write(await header(), "again"));
    const carried = await header();
    const names = Array.from({ length: options.atOnce }, (_, index) => `w${index}`);
    if (options.logout) names[Math.floor(options.random() * names.length)] = "logout";
    const responses = await Promise.all(
      shuffle(names, options.random).map((name) => write(carried, name)),
    );
    for (const response of shuffle(responses, options.random)) await take(response);
    const seen = await engine.open(await header());
    if (options.logout) {
      if (!seen.isNew) result.resurrected++;
      continue;
    }
    result.lost += names.filter((name) => !seen.has(name)).length + Number(!seen.has("base"));
    await take(await write(await header(), "quiet1"));
    result.afterOne = Math.max(result.afterOne, (await jar.getCookies(URL)).length);
    await take(await write(await header(), "quiet2"));
    result.afterTwo = Math.max(result.afterTwo, (await jar.getCookies(URL)).length);
  }
  return { writes: rounds * options.atOnce, rounds, ...result };
}

function shuffle<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item);
}
