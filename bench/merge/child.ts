// What a request costs with merging cookies of so many parts, and with a plain cookie: the whole
// engine without a host, in turns.
import { startClock } from "../lib/clock.ts";
import { mergingCookies } from "../../src/merge/index.ts";
import { tell } from "../lib/child.ts";
import { ourKeys, sessions } from "../lib/data.ts";
import { ours } from "../lib/load.ts";
import type { Session, SessionMiddleware } from "../../src/index.ts";

/** What the parent asks for. */
export interface MergeOrder {
  readonly rounds: number;
  /** Requests of each kind in a round. */
  readonly requests: number;
}

/** One way to keep the session; CPU microseconds of a request, one entry a round. */
export interface MergeSamples {
  readonly subject: string;
  /** Cookies that the client sends. */
  readonly parts: number;
  /** Bytes of the Cookie header. */
  readonly cookieBytes: number;
  /** Bytes of all Set-Cookie values of a write. */
  readonly setCookieBytes: number;
  /** A read of cookies that were met before. */
  readonly known: number[];
  /** A read that decrypts everything. */
  readonly fresh: number[];
  /** A read that decrypts everything, and a changed value. */
  readonly write: number[];
}

interface Client {
  readonly samples: MergeSamples;
  readonly header: string;
  /** One remembers verified tokens; the other doesn't. */
  readonly remembering: SessionMiddleware;
  readonly forgetting: SessionMiddleware;
}

/** A cookie jar, as far as one name and its attributes go. */
function receive(jar: Map<string, string>, setCookies: readonly string[]): void {
  for (const line of setCookies) {
    const [pair = "", ...attributes] = line.split("; ");
    const name = pair.slice(0, pair.indexOf("="));
    if (attributes.includes("Max-Age=0")) jar.delete(name);
    else jar.set(name, pair.slice(name.length + 1));
  }
}

const headerOf = (jar: ReadonlyMap<string, string>): string =>
  Array.from(jar, ([name, value]) => `${name}=${value}`).join("; ");

async function request(
  engine: SessionMiddleware,
  header: string | undefined,
  handle: (session: Session) => unknown,
): Promise<readonly string[]> {
  const session = await engine.open(header);
  handle(session);
  return (await engine.commit(session)).setCookie;
}

const read = (session: Session): string => session.get("name");
let turns = 0;
const write = (session: Session): void => session.set("csrf", `${++turns}`.padStart(43, "x"));

/** A client whose jar holds so many parts: the login's, and those of writes that ran at once. */
async function prepare(merge: boolean, parts: number): Promise<Client> {
  const { SessionCookieStore, SessionMiddleware } = await ours("index");
  const engine = (rememberTokens: boolean): SessionMiddleware =>
    new SessionMiddleware({
      name: "session",
      store: new SessionCookieStore({
        ...ourKeys,
        ...(merge && { merge: mergingCookies() }),
        rememberTokens,
      }),
    });
  const [remembering, forgetting] = [engine(true), engine(false)];
  const jar = new Map<string, string>();
  const login = await request(forgetting, undefined, (session) => {
    for (const [key, value] of Object.entries(sessions.small)) session.set(key, value);
  });
  receive(jar, login);
  const seen = headerOf(jar);
  for (let tab = 1; tab < parts; tab++) {
    receive(jar, await request(forgetting, seen, (session) => session.set(`tab${tab}`, "seen")));
  }
  const header = headerOf(jar);
  if (jar.size !== parts) throw new Error(`${jar.size} cookies, not ${parts}`);
  const setCookies = await request(forgetting, header, write);
  const subject = merge ? "merging cookies" : "one plain cookie";
  const setCookieBytes = setCookies.reduce((sum, { length }) => sum + length, 0);
  const sizes = { cookieBytes: header.length, setCookieBytes };
  const samples = { subject, parts, ...sizes, known: [], fresh: [], write: [] };
  return { samples, header, remembering, forgetting };
}

async function measure({ requests, rounds }: MergeOrder): Promise<readonly MergeSamples[]> {
  const clients = [await prepare(false, 1)];
  for (const parts of [1, 2, 8]) clients.push(await prepare(true, parts));
  const cost = async (
    engine: SessionMiddleware,
    header: string,
    handle: (session: Session) => unknown,
  ): Promise<number> => {
    const clock = startClock();
    for (let i = 0; i < requests; i++) await request(engine, header, handle);
    return clock().cpu / requests;
  };
  // The first rounds compile.
  for (let round = -rounds; round < rounds; round++) {
    for (const { forgetting, header, remembering, samples } of clients) {
      const known = await cost(remembering, header, read);
      const fresh = await cost(forgetting, header, read);
      const written = await cost(forgetting, header, write);
      if (round < 0) continue;
      samples.known.push(known);
      samples.fresh.push(fresh);
      samples.write.push(written);
    }
  }
  return clients.map(({ samples }) => samples);
}

process.on("message", (order: MergeOrder) => {
  void measure(order).then((samples) => tell({ samples }));
});
tell({ ready: true });
