// One key read and changed as one step, as the session and its collections do it: what an application's
// function may give back, whole numbers, and what is taken once. The step itself is the engine's.
import { UsageError } from "../errors.ts";
import type { RequestSession } from "../engine/request.ts";
import { isThenable } from "../base/awaitable.ts";
import { assertText, kindOf } from "../base/text.ts";
import { isExact, isSealed } from "../store/contract.ts";
import { decodeTyped, encodeTyped, type SessionKey } from "./typed.ts";

/** A key by its name, or one with a type. */
export type AnyKey = string | SessionKey<unknown, unknown>;

/** An application's function, whose type the overloads have checked. */
export type AnyEdit = (value: never) => unknown;

/**
 * The name of a key.
 * @throws {UsageError} ERR_SESSION_USAGE_TYPE or _MALFORMED
 */
export function nameOf(key: AnyKey): string {
  const name: unknown = typeof key === "object" && key !== null ? key.name : key;
  assertText(name, "key");
  return name;
}

/** `session.update`, on any key. */
export async function updateKey(
  request: RequestSession,
  key: AnyKey,
  edit: AnyEdit,
): Promise<unknown> {
  const name = nameOf(key);
  if (typeof edit !== "function") {
    const message = `the second argument of update must be a function, not ${kindOf(edit)}`;
    throw new UsageError("ERR_SESSION_USAGE_TYPE", message);
  }
  const stored = await request.update(name, (held) => {
    const next = checkEdited(edit(decode(key, held) as never));
    if (next === null) return null;
    if (typeof key !== "string") return encodeTyped(key, next);
    assertText(next, "value");
    return next;
  });
  return decode(key, stored);
}

/** `session.increment`. */
export async function incrementKey(
  request: RequestSession,
  key: string,
  by: number,
): Promise<number> {
  if (!Number.isSafeInteger(by)) throw notWhole("what is added");
  const stored = await request.update(key, (held = "0") => {
    const number = /^-?\d{1,16}$/.test(held) ? Number(held) : NaN;
    if (!Number.isSafeInteger(number)) throw notWhole("the key's value");
    if (!Number.isSafeInteger(number + by)) throw notWhole("the sum");
    return String(number + by);
  });
  return Number(stored);
}

/** `session.take`, on any key. */
export async function takeKey(request: RequestSession, key: AnyKey): Promise<unknown> {
  const name = nameOf(key);
  const { store } = request.look().config;
  if (!isExact(store)) {
    const why = isSealed(store)
      ? "a cookie can be put back by its client, so nothing in it is taken only once"
      : "this store doesn't say that it can do so (atomic and expects)";
    const message = `${why}: use a server-side store of ours, or get and del for what may be used again`;
    throw new UsageError("ERR_SESSION_USAGE_STORE", message);
  }
  let taken: string | undefined;
  await request.update(name, (held) => {
    taken = held;
    return null;
  });
  return decode(key, taken);
}

function decode(key: AnyKey, held: string | undefined): unknown {
  return typeof key === "string" ? held : decodeTyped(key, held);
}

/** What a function may give back: a forgotten return must not remove the key. */
function checkEdited(next: unknown): unknown {
  if (next !== undefined && !isThenable(next)) return next;
  // Its rejection, if one comes, is nobody's any more.
  if (isThenable(next)) next.then(undefined, () => undefined);
  throw new UsageError(
    "ERR_SESSION_USAGE_UPDATE",
    "the function given to update must give back the new value at once, or null to remove the key; " +
      `it gave back ${next === undefined ? "nothing" : "a promise"}`,
  );
}

function notWhole(what: string): UsageError {
  return new UsageError("ERR_SESSION_USAGE_TYPE", `${what} must be a safe whole number`);
}
