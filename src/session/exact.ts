// `update`, `increment` and `take` of sessions and collections: checks of an application's function, of
// whole numbers, and of the store. The exact step itself is the engine's.
import { UsageError } from "../errors.ts";
import type { RequestSession } from "../engine/request.ts";
import { disown, isThenable } from "../base/awaitable.ts";
import { assertText, kindOf } from "../base/text.ts";
import { isExact } from "../store/contract.ts";
import { decodeTyped, encodeTyped, type SessionKey } from "./typed.ts";

/** A key's name, or a typed key. */
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
  if (typeof edit !== "function") throw noEdit(`it is ${kindOf(edit)}`);
  const stored = await request.update(nameOf(key), (held) => {
    const next = edit(decode(key, held) as never);
    // A forgotten return must not remove the key.
    if (next === undefined) throw noEdit("it gave nothing");
    if (isThenable(next)) {
      disown(next);
      throw noEdit("it gave a promise");
    }
    if (next === null) return null;
    if (typeof key === "object") return encodeTyped(key, next);
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
  assertText(key, "key");
  if (!Number.isSafeInteger(by)) throw noWholeNumber("what is added");
  const stored = await request.update(key, (held = "0") => {
    const value = /^-?\d+$/.test(held) ? Number(held) : NaN;
    if (!Number.isSafeInteger(value)) throw noWholeNumber("the key's value");
    if (!Number.isSafeInteger(value + by)) throw noWholeNumber("the sum");
    return String(value + by);
  });
  return Number(stored);
}

function noWholeNumber(what: string): UsageError {
  return new UsageError("ERR_SESSION_USAGE_TYPE", `${what} is no safe whole number`);
}

/** `session.take`, on any key. */
export async function takeKey(request: RequestSession, key: AnyKey): Promise<unknown> {
  if (!isExact(request.look().config.store)) {
    const message =
      "take needs a store that is atomic and expects, which no cookie can be: use get and del for " +
      "what may be used again";
    throw new UsageError("ERR_SESSION_USAGE_STORE", message);
  }
  let taken: string | undefined;
  await request.update(nameOf(key), (held) => {
    taken = held;
    return null;
  });
  return decode(key, taken);
}

function decode(key: AnyKey, held: string | undefined): unknown {
  return typeof key === "object" ? decodeTyped(key, held) : held;
}

function noEdit(what: string): UsageError {
  const message = `update takes a function that gives the new value at once, or null to remove the key; ${what}`;
  return new UsageError("ERR_SESSION_USAGE_UPDATE", message);
}
