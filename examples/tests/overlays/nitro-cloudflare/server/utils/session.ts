// On Cloudflare the keys and the storage are bindings, which come with each request.
import { perRequest, SessionCookieStore, type SessionConfig, sessionMap } from "kocha-session";
import { mergingCookies } from "kocha-session/merge";
import { SessionUnstorageStore } from "kocha-session/unstorage";
import { createStorage } from "unstorage";
import kvDriver from "unstorage/drivers/cloudflare-kv-binding";
import * as v from "valibot";

interface Bindings {
  readonly SESSION_SECRET_KEY: string;
  readonly SESSION_SIGNING_KEY: string;
  /** A namespace of Workers KV; without it the sessions are in cookies. */
  readonly SESSIONS?: Parameters<typeof kvDriver>[0]["binding"];
}

export const session = (env: Bindings): SessionConfig => {
  const { SESSION_SECRET_KEY: secretKey, SESSION_SIGNING_KEY: signingKey } = env;
  if (env.SESSIONS === undefined)
    return { store: new SessionCookieStore({ secretKey, signingKey, merge: mergingCookies() }) };
  return { store: perRequest(storeOf), signingKey };
};

/** A store of a request, of its own bindings. */
function storeOf({ SESSIONS: binding }: Bindings): SessionUnstorageStore {
  const storage = createStorage({ driver: kvDriver({ binding }) });
  return new SessionUnstorageStore({ storage, acceptRaces: true });
}

/** How many there are of each item. */
export const cart = sessionMap("cart", v.number());
