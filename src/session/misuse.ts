// Uses of other libraries' sessions that would save nothing, or log nobody out, on ours: assigned
// properties, callbacks, methods of other names. Each is a UsageError that names our way. It knows no store
// and no host.
import { UsageError } from "../errors.ts";
import { kindOf } from "../base/text.ts";

/** Methods of other libraries' sessions, with ours in their place. */
const elsewhere = {
  save: "the session is saved before the response leaves; await session.commit() saves it at once",
  reload:
    "each request loads the session as it is stored; session.discard() drops what isn't saved",
  touch: "a session that is looked at is renewed by itself; renewAfter says how often",
} as const;

const TIMES =
  "session.cookieExpires is how long its cookie lives, session.sessionExpires how long its data " +
  "does, both in seconds";

/** Properties that other libraries' sessions have, or that differ here, with our way. */
const properties: ReadonlyMap<string, string> = new Map([
  ["flash", "session.flash.set(key, message) keeps a message, session.flash.get(key) takes it"],
  ["maxAge", TIMES],
]);

/** Property names that messages may show; any other name could be a client's. */
const PLAIN_NAME = /^[A-Za-z_$][\w$]{0,39}$/;

/**
 * Makes assignments to properties that `prototype` and its instances don't have, that are read-only, or
 * that are methods, a UsageError, even in sloppy mode; and calls of other libraries' methods.
 *
 * A proxy is the prototype's own prototype: existing properties are found without it, and others read as
 * undefined, as on any object (except `cookie`, which is read only for its properties). Symbols pass, since
 * no application keeps data under them. `delete` asks no prototype, so it can't be noticed.
 * @param isSession - true for a session itself, false for an object made from the prototype.
 */
export function refuseForeignUse(prototype: object, isSession: (value: object) => boolean): void {
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (name === "constructor" || descriptor.set !== undefined) continue;
    const method: unknown = descriptor.value;
    function set(this: object, value: unknown): void {
      if (descriptor.get !== undefined || isSession(this)) throw assigned(name, value);
      // The prototype, or a mock made of it: a method is replaced there, as any other.
      const own = { value, writable: true, configurable: true, enumerable: true };
      Object.defineProperty(this, name, own);
    }
    const accessor = descriptor.get === undefined ? { get: () => method } : {};
    const { value: _, writable: __, ...shared } = descriptor;
    Object.defineProperty(prototype, name, { ...shared, ...accessor, set });
  }
  const trap = new Proxy(
    {},
    {
      set(target, name, value, receiver: object) {
        if (typeof name === "string" && isSession(receiver)) throw assigned(name, value);
        return Reflect.set(target, name, value, receiver);
      },
    },
  );
  // `await` of a session reads its `then`: found here, it doesn't reach the proxy.
  // oxlint-disable-next-line unicorn/no-thenable -- it says that a session is none
  const behind = Object.create(trap, { then: { value: undefined } }) as object;
  for (const [method, way] of Object.entries(elsewhere)) {
    const value = (): never => {
      throw foreign(`there is no session.${method}(): ${way}`);
    };
    Object.defineProperty(behind, method, { value, configurable: true, writable: true });
  }
  // A read comes before the write in `session.cookie.maxAge = …`.
  const noCookie = (): never => {
    throw foreign(`there is no session.cookie: ${TIMES}`);
  };
  Object.defineProperty(behind, "cookie", { get: noCookie, set: noCookie, configurable: true });
  Object.setPrototypeOf(prototype, behind);
}

function assigned(name: string, value: unknown): UsageError {
  const other = properties.get(name);
  if (other !== undefined) return foreign(`assigning session.${name} keeps nothing: ${other}`);
  const key = PLAIN_NAME.test(name) ? name : "…";
  const way =
    typeof value === "string" ? "" : `; ${kindOf(value)} is kept as JSON, or by session.write()`;
  return foreign(
    `assigning session.${key} keeps nothing, since a session is a string map: ` +
      `use session.set("${key}", …)${way}`,
  );
}

/**
 * Throws for a callback: it would never be called, and its request would wait for ever.
 * @throws {UsageError} ERR_SESSION_USAGE_FOREIGN
 */
export function refuseCallback(method: string, given: readonly unknown[]): void {
  if (typeof given[0] !== "function") return;
  throw foreign(
    `session.${method}() takes no callback, since it gives a promise: await ` +
      `session.${method}(), and what fails is thrown`,
  );
}

/** The error of a request whose session was replaced, as by `req.session = null`. */
export function replaced(value: unknown): UsageError {
  return foreign(
    `the request's session can't be replaced by ${kindOf(value)}: await session.destroy() ends ` +
      "it, session.clear() empties it, session.set(key, value) fills it",
  );
}

/** The error of a request that has another session already; `where`: "req.session". */
export function occupied(where: string): UsageError {
  return foreign(
    `${where} is there already, of another library or another copy of this one: mount only one`,
  );
}

function foreign(message: string): UsageError {
  return new UsageError("ERR_SESSION_USAGE_FOREIGN", message);
}
