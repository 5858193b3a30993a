// A worker whose requests are cancelled while they hold a turn with their store, or wait for one. Its
// two stores are in its memory and answer later; one of their calls can be told to stay away.
import { applyChange, toSaved } from "kocha-session";
import { withSession } from "kocha-session/fetch";
import { SessionUnstorageStore } from "kocha-session/unstorage";

/** Between a call and its answer, in milliseconds. */
const LATENCY = 5;

/** How many calls have come; how the next save is answered: "later", "never", or "when-told". */
let calls = 0;
let answer = "later";
let isTold = false;

async function latency() {
  calls++;
  await new Promise((resolve) => setTimeout(resolve, LATENCY));
}

/** A timer belongs to its request, as a connection does: both are gone when it is cancelled. */
async function mayStayAway() {
  const mine = answer;
  answer = "later";
  await latency();
  if (mine === "later") return;
  const { promise, resolve } = Promise.withResolvers();
  const asking = setInterval(() => {
    if (mine === "when-told" && isTold) resolve();
  }, LATENCY);
  await promise;
  clearInterval(asking);
}

const rows = new Map();
const exact = {
  capabilities: { atomic: true, expects: true },
  async load(selector) {
    await latency();
    return rows.get(selector);
  },
  async save(selector, change) {
    await mayStayAway();
    const { refused, stored } = applyChange(rows.get(selector), change, Date.now());
    if (refused) return undefined;
    rows.set(selector, stored);
    return toSaved(stored);
  },
};

const items = new Map();
const whole = new SessionUnstorageStore({
  acceptRaces: true,
  storage: {
    async getItem(key) {
      await latency();
      return items.get(key) ?? null;
    },
    async setItem(key, value) {
      await mayStayAway();
      items.set(key, value);
    },
    async removeItem(key) {
      await latency();
      items.delete(key);
    },
  },
});

async function count(request, session) {
  return new Response(String(await session.increment("count")));
}

const handlers = new Map();

/** The handler of a store; each has a configuration of its own. */
function handlerOf(path, env) {
  let handler = handlers.get(path);
  if (handler === undefined) {
    const store = path === "/queue" ? whole : exact;
    const config = { store, signingKey: env.SIGNING_KEY, secure: false, storeTimeout: 1 };
    handlers.set(path, (handler = withSession(config, count)));
  }
  return handler;
}

// What workerd calls.
// oxlint-disable-next-line import/no-default-export
export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/state") return Response.json({ calls });
    if (pathname === "/tell") {
      calls = 0;
      answer = searchParams.get("answer") ?? answer;
      isTold = searchParams.has("told");
      return new Response();
    }
    if (pathname === "/") return new Response();
    return handlerOf(pathname, env)(request);
  },
};
