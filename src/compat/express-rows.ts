// express-session's sessions on a server, of connect-redis and connect-pg-simple: which of them a
// request's cookie names, and what of their rows is the session. They become rows of ours.
import { createHmacSha256, encodeBase64url, hkdfSha256 } from "#crypto";
import { chain } from "../base/awaitable.ts";
import { kindOf } from "../base/text.ts";
import { findCookies } from "../cookie/find.ts";
import { Tries } from "../cookie/tries.ts";
import type { HmacSha256 } from "../crypto/primitives.ts";
import type { ForeignSessions } from "../engine/foreign.ts";
import { notify, type RejectedReason, type SessionObservers } from "../events.ts";
import { DEFAULT_NAME, openSid, type Signer } from "./express-cookie.ts";
import {
  checkName,
  checkOptions,
  checkSecrets,
  type CheckedOptions,
  type ReaderOptions,
} from "./options.ts";
import { fail } from "../base/options.ts";
import { bytesOf, type MappedData, parseJson, toStrings } from "./reader.ts";
import { type ForeignRows, type OldSession, Takeover } from "./takeover.ts";

export type { ForeignRows, ForeignSessions, ReaderOptions };
export {
  connectPgSimpleRows,
  connectRedisRows,
  type PgRowsClient,
  type RedisRowsClient,
} from "./rows.ts";

/** express-session's own options, under its names, and where its sessions are. */
export interface ExpressSessionsOptions extends ReaderOptions {
  /** The cookie's name. Default "connect.sid". */
  readonly name?: string | undefined;
  /** One secret, or all that signed cookies which still live. */
  readonly secret: string | Uint8Array | readonly (string | Uint8Array | undefined)[] | undefined;
  /** `connectRedisRows(client)`, `connectPgSimpleRows(pool)`, or a `load` and a `delete` of your own. */
  readonly rows: ForeignRows;
}

const SELECT_KEY_BYTES = 32;
const SELECTOR_BYTES = 16;
const SELECTOR_LABEL = "kocha-session/v1/express-row";
/** What express-session keeps for itself in each row. */
const COOKIE_KEY = "cookie";

/** A secret, ready to check a cookie and to name its session's row. */
interface Secret extends Signer {
  readonly select: HmacSha256;
}

/**
 * Live sessions of express-session, for `migrateFrom` of a configuration with a server-side store: each
 * becomes a row of ours at the first request that brings its cookie and no ticket of ours, and is deleted
 * where it was. A session in which nothing is kept isn't taken over.
 * @throws {ConfigError} ERR_SESSION_CONFIG_COOKIE, _KEY or _FIELD
 */
export function expressSessions(options: ExpressSessionsOptions): ForeignSessions {
  const checked = checkOptions("expressSessions", options, ["name", "secret", "rows"]);
  const name = checkName(options.name, "name", DEFAULT_NAME);
  const secrets = checkSecrets(options.secret, "secret").map((secret) => ({
    sign: createHmacSha256(secret),
    select: createHmacSha256(hkdfSha256(secret, SELECTOR_LABEL, SELECT_KEY_BYTES)),
  }));
  const rows = checkRows(options.rows);
  return Object.freeze<ForeignSessions>({
    takeOver(own, config) {
      const takeover = new Takeover(config, rows, (stored) => decodeRow(stored, checked));
      // Our own cookie may have the name that theirs had: then it is set, and not expired.
      const names = name === config.name ? [] : [name];
      return {
        find(header, parts) {
          const found = own.find(header, parts);
          const olds =
            config.now() < checked.until ? findOlds(header, name, secrets, config.on) : [];
          if (olds.length === 0) return found;
          const selectors = olds.map(({ selector }) => selector);
          const brought = { names, selectors, end: () => takeover.end(olds) };
          return chain(found, (keeper) => {
            // Whatever became of the session that our own ticket stands for, theirs isn't opened in its
            // place: it would come to life when ours has ended.
            const opened = keeper.hasCredential
              ? keeper
              : own.open(selectors.map(ticketOf), parts, (selector) =>
                  takeover.settle(olds.find((old) => old.selector === selector) as OldSession),
                );
            return chain(opened, (keeping) => {
              keeping.bring(brought);
              return keeping;
            });
          });
        },
      };
    },
  });
}

/**
 * Their cookie is a credential of the row's first generation, so that it opens nothing after a
 * regenerate (law L4).
 */
function ticketOf(selector: string) {
  return { selector, generation: 1, issued: 0, current: true };
}

/** The sessions that a request's cookies name, as far as they are express-session's own. */
function findOlds(
  header: string,
  name: string,
  secrets: readonly Secret[],
  on: SessionObservers,
): OldSession[] {
  const olds = new Map<string, OldSession>();
  const tries = new Tries();
  for (const value of header === "" ? [] : findCookies(header, name)) {
    if (!tries.areLeft) break;
    // ORDER: the signature is checked before any store is asked.
    const old = openCookie(value, secrets);
    if (typeof old === "string") {
      if (tries.refused(old)) notify(on, "rejected", { reason: old });
      continue;
    }
    tries.verified();
    olds.set(old.selector, old);
  }
  return [...olds.values()];
}

function openCookie(value: string, secrets: readonly Secret[]): OldSession | RejectedReason {
  const opened = openSid(value, secrets);
  if (typeof opened === "string") return opened;
  const { sid, signer } = opened;
  // By the secret that signed the cookie: the same in every process, whichever secret is the first.
  const selected = signer.select(bytesOf(sid)).subarray(0, SELECTOR_BYTES);
  return { id: sid, selector: encodeBase64url(selected) };
}

/** What of a row is the session; undefined: it is none. */
function decodeRow(stored: unknown, { map }: CheckedOptions): MappedData | undefined {
  const row = typeof stored === "string" ? parseJson(stored) : stored;
  if (typeof row !== "object" || row === null || Array.isArray(row)) return undefined;
  const { [COOKIE_KEY]: _, ...data } = row as Record<string, unknown>;
  return toStrings(data, map);
}

function checkRows(rows: unknown): ForeignRows {
  const { load, delete: remove } = Object(rows) as Partial<ForeignRows>;
  if (typeof load === "function" && typeof remove === "function") return rows as ForeignRows;
  const message =
    "must be connectRedisRows(client), connectPgSimpleRows(pool), or an object with load and delete, " +
    `not ${kindOf(rows)}`;
  return fail("rows", message);
}
