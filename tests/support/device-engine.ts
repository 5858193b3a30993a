// Binds a session on an engine itself, without a network: for what counts and measures its work.
import type { ResponseEffects, SessionMiddleware } from "kocha-session";
import { challengeIn, DeviceKeyPair, type Reply } from "./device-browser.ts";

/** Asks an engine's endpoint. */
export async function askEndpoint(
  engine: SessionMiddleware,
  headers: Readonly<Record<string, string>>,
): Promise<Reply> {
  const answer = await engine.devices?.answer(
    { method: "POST", header: (name) => headers[name] },
    engine,
  );
  const { status = 0, headers: given = [], body = "" } = answer ?? {};
  return replyOf(status, given, body);
}

/** What the browser of a bound session sends. */
export interface BoundClient {
  /** The Cookie header of its requests. */
  readonly cookie: string;
  /** The headers of a refresh: the identifier, and a proof that is good for five minutes. */
  readonly identified: Readonly<Record<string, string>>;
  readonly proven: Readonly<Record<string, string>>;
}

/** Logs in, with "user" as "ann", and offers to bind the session. */
export async function logIn(engine: SessionMiddleware): Promise<ResponseEffects> {
  const session = await engine.open(undefined);
  session.set("user", "ann");
  session.bindDevice();
  return engine.commit(session);
}

/** Logs in, and binds the session. */
export async function bindOn(engine: SessionMiddleware): Promise<BoundClient> {
  const device = await DeviceKeyPair.make();
  const { setCookie, headers } = await logIn(engine);
  const session = cookiesIn(setCookie);
  const jwk = device.jwk;
  const offered = await device.proof(challengeIn(replyOf(200, headers)), { jwk });
  const registered = await askEndpoint(engine, {
    cookie: session,
    "secure-session-response": offered,
  });
  const { session_identifier: identifier } = JSON.parse(registered.body) as {
    session_identifier: string;
  };
  const identified = { "sec-secure-session-id": identifier };
  const proof = await device.proof(challengeIn(registered));
  const proven = { ...identified, "secure-session-response": proof };
  const refreshed = await askEndpoint(engine, { ...proven, cookie: session });
  const cookies = cookiesIn(refreshed.setCookie);
  // A server-side store's ticket stays the same.
  const cookie = cookies.includes("; ") ? cookies : `${session}; ${cookies}`;
  return { cookie, identified, proven };
}

/** The Cookie header after these Set-Cookie values. */
export function cookiesIn(setCookie: readonly string[]): string {
  return setCookie.map((one) => one.split(";", 1)[0]).join("; ");
}

function replyOf(status: number, headers: ResponseEffects["headers"], body = ""): Reply {
  const of = (name: string): string[] =>
    headers.flatMap(([key, value]) => (key.toLowerCase() === name ? [value] : []));
  return { status, body, header: (name) => of(name)[0], setCookie: of("set-cookie") };
}
