// What a request costs with a session and without: /bare, /cookie and /object, which read, and write with ?write;
// and what a poll of a log of revocations costs: /poll, with ?write after it was written to.
import { SessionCookieStore } from "kocha-session";
import { SessionDurableStore } from "kocha-session/durable-object";
import { withSession } from "kocha-session/fetch";
import { DurableRevocationLog } from "../../../src/stores/durable/revocations.ts";

export { RevocationObject, SessionObject, SubjectObject } from "kocha-session/durable-object";

const options = { secure: false, renewAfter: 1 };
let writes = 0;
const handle = (request, session) => {
  if (request.url.endsWith("?write")) session.set("count", String(++writes));
  return new Response(session.get("name"));
};
const cookie = ({ SECRET_KEY: secretKey, SIGNING_KEY: signingKey }) => ({
  store: new SessionCookieStore({ secretKey, signingKey, rememberTokens: false }),
  ...options,
});
const object = ({ SESSIONS: sessions, SUBJECTS: subjects, SIGNING_KEY: signingKey }) => ({
  store: new SessionDurableStore({ sessions, subjects }),
  signingKey,
  ...options,
});
let cursor;
const poll = async (request, { REVOCATIONS: namespace }) => {
  const log = new DurableRevocationLog(namespace, "revocations");
  if (request.url.endsWith("?write")) {
    await log.append({ kind: "session", id: crypto.randomUUID(), ttl: 3_600_000 });
  }
  ({ cursor } = await log.read(cursor));
  return new Response("");
};
const handlers = {
  "/bare": () => new Response(""),
  "/cookie": withSession(cookie, handle),
  "/object": withSession(object, handle),
  "/poll": poll,
};

// What workerd calls.
// oxlint-disable-next-line import/no-default-export
export default {
  fetch: (request, env) => handlers[new URL(request.url).pathname](request, env),
};
