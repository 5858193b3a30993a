// What is wrong or weak with a configuration, and the laws that its store can't keep. It knows no file and
// no terminal.
import {
  askForConfig,
  type ResolvedConfig,
  resolveConfig,
  type SessionConfig,
  type SessionConfigFunction,
} from "../engine/config.ts";
import type { EngineDevices } from "../engine/device.ts";
import { configFor } from "../engine/request-config.ts";
import { cookieMaxAge, idleTimeoutMs } from "../engine/expiry.ts";
import { classOf } from "../base/text.ts";
import { DAY, SECOND } from "../base/time.ts";
import { isSealed } from "../store/contract.ts";
import { isSessionError, type SessionError } from "../errors.ts";

/** One finding. */
export interface Finding {
  readonly level: "error" | "warning" | "note";
  readonly field: string;
  readonly message: string;
}

/** A longer idle timeout gets a warning: OWASP ASVS 5.0, 7.3.1. It is the one that `init` writes. */
const LONG_IDLE_DAYS = 90;
/** A shorter lifetime can't be meant: it would end while a page is being read. In seconds. */
const SHORT = 60;
/** A device cookie of a shorter life gets a warning: browsers refresh at each page in its last two minutes. */
const SHORT_REFRESH = 300;
/** A longer timeout of the store gets a warning: by then the client has given up. */
const LONG_TIMEOUT = 5000;

/** What is wrong or weak with a configuration; a function is asked with the environment. */
export function diagnose(config: SessionConfig | SessionConfigFunction): Finding[] {
  let resolved: ResolvedConfig;
  let devices: EngineDevices | undefined;
  try {
    const given = typeof config === "function" ? askForConfig(config, process.env) : config;
    resolved = resolveConfig(given);
    devices = given.deviceBinding?.bindTo(resolved);
  } catch (error) {
    if (isSessionError(error)) return [faultOf(error)];
    if (typeof config !== "function") throw error;
    return [fault("config", `its function threw: ${String(error)}`)];
  }
  return [
    ...diagnoseCookie(resolved),
    ...diagnoseTimes(resolved),
    ...diagnoseStore(resolved),
    ...(devices === undefined ? [] : diagnoseDevices(devices, resolved)),
  ];
}

function diagnoseDevices(
  { path, stale, refreshSeconds }: EngineDevices,
  { revocations, store }: ResolvedConfig,
): Finding[] {
  const field = "deviceBinding";
  const found = [
    note(
      field,
      `experimental; browsers register and refresh at ${path}: mount the sessions above it, before CSRF checks, login redirects and rate limits`,
    ),
  ];
  if (stale === "report") {
    found.push(
      note(field, 'with stale: "report" a copied cookie still works, and is only reported'),
    );
  } else if (isSealed(store) && revocations === undefined) {
    found.push(
      warning(
        field,
        "a copy of the cookie from before the binding works to its end: revocations end it",
      ),
    );
  }
  if (refreshSeconds < SHORT_REFRESH) {
    const message = `${refreshSeconds} is short: browsers refresh at nearly every page in the last two minutes; take 300 or more`;
    found.push(warning(`${field}.refreshSeconds`, message));
  }
  return found;
}

function diagnoseCookie({ name, cookie }: ResolvedConfig): Finding[] {
  const found: Finding[] = [];
  if (!cookie.httpOnly)
    found.push(warning("httpOnly", "false lets every script of the page read the cookie"));
  if (cookie.secure === false) {
    found.push(
      warning(
        "secure",
        'false sends the cookie over plain http, where anyone can read it; use true, or "auto" to develop',
      ),
    );
  }
  if (cookie.secure === "auto") {
    found.push(
      process.env["NODE_ENV"] === "production"
        ? warning(
            "secure",
            '"auto" leaves Secure out where a proxy on this machine passes requests on by plain http; in production use true',
          )
        : note("secure", '"auto" leaves Secure out only on plain http over loopback'),
    );
  }
  if (cookie.sameSite === "none" && !cookie.partitioned) {
    found.push(
      warning(
        "sameSite",
        '"none" sends the cookie with requests of every site: protect every change against CSRF, or set partitioned',
      ),
    );
  }
  if (cookie.domain !== undefined)
    found.push(
      warning(
        "domain",
        "every host below it gets the cookie, and can set one; leave it out unless that is meant",
      ),
    );
  if (cookie.secure === true && !/^__(Host|Secure|Http)-/i.test(name)) {
    found.push(
      note(
        "name",
        "with the prefix __Host-Http- no other host and no script can plant a cookie of this name",
      ),
    );
  }
  return found;
}

function diagnoseTimes(config: ResolvedConfig): Finding[] {
  const found: Finding[] = [];
  for (const field of ["cookieExpires", "sessionExpires", "absoluteExpires"] as const) {
    const seconds = config[field];
    if (seconds <= 0 || seconds >= SHORT) continue;
    const message = `${seconds} can't be meant: it is in seconds, and half an hour is 1800`;
    found.push(fault(field, message));
  }
  if (config.sessionExpires > config.absoluteExpires) {
    const message =
      "it is longer than absoluteExpires, which ends every session before: swap them?";
    found.push(fault("sessionExpires", message));
  }
  const idle = idleTimeoutMs(config.sessionExpires, config.cookieExpires);
  if (idle > LONG_IDLE_DAYS * DAY * SECOND) {
    found.push(
      warning(
        "sessionExpires",
        `an idle session lives ${idle === Infinity ? "for ever" : `over ${LONG_IDLE_DAYS} days`}: a stolen cookie does, too`,
      ),
    );
  }
  const maxAge = (cookieMaxAge(config.cookieExpires) ?? 0) * SECOND;
  if (maxAge > Math.min(idle, config.absoluteExpires * SECOND)) {
    found.push(
      warning(
        "cookieExpires",
        "the browser keeps the cookie for longer than the data lives without a visit, or at all: nobody is remembered by it; raise sessionExpires and absoluteExpires, and give the sessions that should end earlier a session.sessionExpires of their own",
      ),
    );
  }
  if (config.absoluteExpires === Infinity) {
    found.push(
      warning(
        "absoluteExpires",
        "there is no absolute timeout: a session that is used never ends (OWASP ASVS 7.3.2)",
      ),
    );
  }
  if (config.storeTimeoutMs > LONG_TIMEOUT)
    found.push(note("storeTimeout", "requests wait over 5 seconds for a store that is down"));
  if (config.onStoreError === "anonymous") {
    found.push(
      note(
        "onStoreError",
        "while the store is down every client is anonymous; session.unavailable tells",
      ),
    );
  }
  return found;
}

/** A store that is made for each request is made with the environment. */
function diagnoseStore(config: ResolvedConfig): Finding[] {
  const own = configFor(config, process.env);
  if (own === config) return diagnoseLaws(config);
  try {
    return [
      note("store", "it is made for each request: for Workers; elsewhere a client is made once"),
      ...diagnoseLaws(own),
    ];
  } catch (error) {
    if (isSessionError(error)) return [faultOf(error)];
    return [fault("store", `the function that makes it threw: ${String(error)}`)];
  }
}

function diagnoseLaws({ revocations, store }: ResolvedConfig): Finding[] {
  if (isSealed(store)) {
    const irrevocable = note(
      "store",
      "a cookie session can't be revoked: logging out ends it only in this browser, a copied cookie lives to its end (laws L2, L4); revocations end it",
    );
    return [
      ...(revocations === undefined ? [irrevocable] : []),
      store.capabilities?.merges === true
        ? note(
            "store",
            "each write at once adds a cookie to the next request's header: keep sessions small, or lower maxSessionBytes",
          )
        : note(
            "store",
            "of responses that race, the last one wins, also where update changes a key (laws L1, L13); merge: mergingCookies() of the cookie store merges them, and so does a server-side store",
          ),
    ];
  }
  const { atomic, durable, expects, lists } = store.capabilities ?? {};
  const found: Finding[] = [];
  if (atomic !== true)
    found.push(
      warning(
        "store",
        "it isn't atomic: of writes that race the last one wins (L1), barriers can be lost (L3), update and increment are no one step, and take is an error (L13)",
      ),
    );
  else if (expects !== true)
    found.push(
      warning(
        "store",
        "it doesn't say that it keeps expect (S9): update and increment are one step only within a process, and take is an error (law L13)",
      ),
    );
  if (durable !== true)
    found.push(note("store", "it isn't durable: its restart ends every session"));
  if (lists !== true)
    found.push(
      note("store", "it doesn't list: a user's sessions can't be shown or ended together"),
    );
  // By its name, since a project may have its own copy of the package.
  if (classOf(store) === "SessionSqliteStore")
    found.push(
      note(
        "store",
        "a transaction that is open on its connection takes sessions along, and a ROLLBACK undoes logouts: give it a connection of its own",
      ),
    );
  return found;
}

export function fault(field: string, message: string): Finding {
  return { level: "error", field, message };
}

/** An error's message without its field, which the report prints already. */
export function faultOf(error: SessionError): Finding {
  if (!("field" in error)) return fault("config", error.message);
  const field = String(error.field);
  return fault(field, error.message.replace(`${field}: `, ""));
}

export function warning(field: string, message: string): Finding {
  return { level: "warning", field, message };
}

function note(field: string, message: string): Finding {
  return { level: "note", field, message };
}
