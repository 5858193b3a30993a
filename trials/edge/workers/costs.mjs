// What a request costs with a session and without: /bare, /cookie and /object, which read, and write with ?write.
import { SessionCookieStore } from "kocha-session";
import { SessionDurableStore } from "kocha-session/durable-object";
import { withSession } from "kocha-session/fetch";

export { SessionObject, SubjectObject } from "kocha-session/durable-object";

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
const handlers = {
  "/bare": () => new Response(""),
  "/cookie": withSession(cookie, handle),
  "/object": withSession(object, handle),
};

// What workerd calls.
// oxlint-disable-next-line import/no-default-export
export default {
  fetch: (request, env) => handlers[new URL(request.url).pathname](request, env),
};
