// A worker with cookie sessions and revocations, whose log is another worker's. Its isolate has no timer
// that outlives a request.
import { followRevocations, SessionCookieStore } from "kocha-session";
import { withSession } from "kocha-session/fetch";

/** How many reads of the log have begun. */
let calls = 0;
let handler;

/** The log behind env.LOG, of one request's binding: the binding is the same for all of them. */
function logOf({ LOG }) {
  const ask = async (path, body) => {
    const init = { method: "POST", body: JSON.stringify(body ?? null) };
    return (await LOG.fetch(`http://log${path}`, init)).json();
  };
  return {
    append: (entry) => ask("/append", entry),
    read(cursor) {
      calls++;
      return ask("/read", cursor);
    },
  };
}

function handlerOf(env) {
  const config = {
    store: new SessionCookieStore({ secretKey: env.SECRET_KEY, signingKey: env.SIGNING_KEY }),
    revocations: followRevocations(logOf(env), { pollInterval: 0.5, maxStaleness: 4 }),
    secure: false,
    sessionExpires: 3600,
    storeTimeout: 1,
  };
  const handle = async (request, session) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/login") session.set("name", "alice");
    if (pathname === "/logout") await session.destroy();
    return new Response(pathname === "/logout" ? "" : session.get("name"));
  };
  const onError = ({ code, status }) => new Response(code, { status });
  return withSession(config, handle, { onError });
}

// What workerd calls.
// oxlint-disable-next-line import/no-default-export
export default {
  async fetch(request, env) {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/state") return Response.json({ calls });
    if (pathname === "/tell") {
      calls = 0;
      return env.LOG.fetch(`http://log/tell${search}`);
    }
    return (handler ??= handlerOf(env))(request);
  },
};
