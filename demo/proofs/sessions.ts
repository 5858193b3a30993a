// The usual way to keep sessions, in its two forms: as a text in a row, and as a text sealed in the
// cookie. Both load all of a session and write all of it; neither knows what a request changed.
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import type { SessionChange, SessionStore } from "kocha-session";

/** Seconds that a session of the proofs lives. */
export const LIFE = 600;
/** Bytes of AES-GCM's nonce and of its tag. */
const NONCE = 12;
const TAG = 16;

/** Whole sessions, by the value of their cookie. */
export interface WholeSessions {
  /** The session's text; undefined: there is none. */
  load(cookie: string | undefined): Promise<string | undefined>;
  /** Writes the session; gives the value of its cookie. */
  save(cookie: string | undefined, text: string): Promise<string>;
  destroy(cookie: string | undefined): Promise<void>;
}

/**
 * Rows of a store, as express-session keeps them: the cookie holds a signed id, `save` writes the row
 * whether it was there before or not, `destroy` deletes it.
 */
export function wholeRows(store: SessionStore, secret: string): WholeSessions {
  const sign = (id: string): string => createHmac("sha256", secret).update(id).digest("base64url");
  const idOf = (cookie: string | undefined): string | undefined => {
    const [id = "", signature = ""] = (cookie ?? "").split(".");
    const [given, wanted] = [Buffer.from(signature), Buffer.from(sign(id))];
    return given.length === wanted.length && timingSafeEqual(given, wanted) ? id : undefined;
  };
  return {
    load: async (cookie) => {
      const id = idOf(cookie);
      return id === undefined ? undefined : (await store.load(id))?.data.get("session");
    },
    save: async (cookie, text) => {
      const id = idOf(cookie) ?? randomBytes(16).toString("base64url");
      const whole = { set: new Map([["session", text]]), del: [], ttl: LIFE * 1000 };
      const change = { ...whole, deadline: Infinity, meta: "" };
      // Our store's saves are conditional: asked again until it is written, whatever is there.
      for (let isSaved = false; !isSaved;) {
        const row = await store.load(id);
        const upsert: SessionChange =
          row === undefined
            ? { op: "create", ...change }
            : { op: "update", clear: true, rev: row.rev, ...change };
        isSaved = (await store.save(id, upsert)) !== undefined;
      }
      return `${id}.${sign(id)}`;
    },
    destroy: async (cookie) => {
      const id = idOf(cookie);
      if (id === undefined) return;
      await store.save(id, {
        op: "destroy",
        set: new Map(),
        del: [],
        ttl: 0,
        deadline: Infinity,
      });
    },
  };
}

/** Sealed cookies without a list of revocations, by AES-256-GCM: nothing is kept on the server. */
export function sealedCookies(secret: string): WholeSessions {
  const key = createHash("sha256").update(`kocha-session demo, usual way\n${secret}`).digest();
  return {
    load: async (cookie) => {
      const bytes = Buffer.from(cookie ?? "", "base64url");
      if (bytes.length < NONCE + TAG) return undefined;
      const cipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE));
      cipher.setAuthTag(bytes.subarray(-TAG));
      try {
        const text =
          cipher.update(bytes.subarray(NONCE, -TAG), undefined, "utf8") + cipher.final("utf8");
        const { end, session } = JSON.parse(text) as { end: number; session: string };
        return end > Date.now() ? session : undefined;
      } catch {
        return undefined;
      }
    },
    save: async (_, session) => {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      const text = JSON.stringify({ end: Date.now() + LIFE * 1000, session });
      const sealed = [nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()];
      return Buffer.concat(sealed).toString("base64url");
    },
    // The browser is told to forget the cookie; a copy of it is as good as before.
    destroy: async () => undefined,
  };
}
