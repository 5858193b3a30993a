// Collections: each entry is a key of its own in the string map, so concurrent changes of entries merge one
// by one, in merging cookies, too. The keys have a reserved prefix; every law and limit holds for them.
import { UsageError } from "../errors.ts";
import type { RequestSession } from "../engine/request.ts";
import { MAP_PREFIX } from "../base/reserved.ts";
import { assertText } from "../base/text.ts";
import { takeKey, updateKey } from "./exact.ts";
import { requestOf, type Session } from "./session.ts";
import {
  decodeTyped,
  encodeTyped,
  sessionKey,
  type SessionKey,
  type StandardSchema,
} from "./typed.ts";

/** The name and type of a collection in sessions. */
export interface SessionMapKey<Input, Output = Input> {
  readonly name: string;
  readonly schema: StandardSchema<Input, Output>;
  /** The collection in one session. */
  of(session: Session): SessionCollection<Input, Output>;
}

/**
 * Names a collection of typed entries: `const cart = sessionMap("cart", schema)`, then
 * `cart.of(session).set("tea", 2)`. The entries merge one by one. They count in the limits, but not in the
 * session's size, keys and iteration.
 * @param name - letters, digits, "-" and "_".
 * @throws {UsageError} ERR_SESSION_USAGE_TYPE for another name; ERR_SESSION_USAGE_SCHEMA when `schema`
 * is no Standard Schema.
 */
export function sessionMap<Input, Output>(
  name: string,
  schema: StandardSchema<Input, Output>,
): SessionMapKey<Input, Output> {
  if (typeof name !== "string" || !/^[A-Za-z0-9_-]+$/.test(name)) {
    const message = 'the name of a collection is made of letters, digits, "-" and "_"';
    throw new UsageError("ERR_SESSION_USAGE_TYPE", message);
  }
  // The name has no dot, so no two collections share a key, whatever the ids of their entries.
  const prefix = `${MAP_PREFIX}${name}.`;
  const of = (session: Session): SessionCollection<Input, Output> =>
    new SessionCollection(mustBeOurs(session), prefix, schema);
  return Object.freeze({ ...sessionKey(name, schema), of });
}

function mustBeOurs(session: Session): RequestSession {
  const request = requestOf(session);
  if (request !== undefined) return request;
  const message = "this is no session that this copy of kocha-session made";
  throw new UsageError("ERR_SESSION_USAGE_NO_SESSION", message);
}

/**
 * A collection of one session: a map from ids, any well-formed strings, to typed values.
 * @throws {UsageError} and {LimitError} from methods that change it, as `session.set`; for a value that
 * doesn't fit the schema, as `session.write`.
 */
export class SessionCollection<Input, Output> {
  readonly #request: RequestSession;
  readonly #prefix: string;
  readonly #schema: StandardSchema<Input, Output>;

  /** @internal */
  constructor(request: RequestSession, prefix: string, schema: StandardSchema<Input, Output>) {
    this.#request = request;
    this.#prefix = prefix;
    this.#schema = schema;
  }

  /** The value of an entry; undefined if it is absent or doesn't fit the schema. */
  get(id: string): Output | undefined {
    const key = this.#keyOf(id);
    return decodeTyped(key, this.#request.look().map.read(key.name));
  }

  /** True if the entry is present. */
  has(id: string): boolean {
    return this.#request.look().map.read(this.#keyOf(id).name) !== undefined;
  }

  /** Sets an entry. */
  set(id: string, value: NoInfer<Input>): this {
    const key = this.#keyOf(id);
    const text = encodeTyped(key, value);
    if (this.#request.change().map.set(key.name, text)) this.#request.noteChange();
    return this;
  }

  /** Removes an entry; true if it was present in this request's view. */
  delete(id: string): boolean {
    const isGone = this.#request.change().map.del(this.#keyOf(id).name);
    if (isGone) this.#request.noteChange();
    return isGone;
  }

  /** Removes the entries that this request sees; entries that others add meanwhile stay. */
  clear(): void {
    this.#request.change();
    for (const id of this.keys()) this.delete(id);
  }

  /** The number of entries, including those that don't fit the schema. */
  get size(): number {
    return this.keys().length;
  }

  /** The ids, in no particular order. */
  keys(): string[] {
    const names = [...this.#request.look().map.view.keys()];
    return names.flatMap((name) =>
      name.startsWith(this.#prefix) ? [name.slice(this.#prefix.length)] : [],
    );
  }

  /** The entries that fit the schema, in no particular order. */
  *entries(): IterableIterator<[string, Output]> {
    const { view } = this.#request.look().map;
    for (const id of this.keys()) {
      const key = this.#keyOf(id);
      const value = decodeTyped(key, view.get(key.name));
      if (value !== undefined) yield [id, value];
    }
  }

  /** The same as `entries`. */
  [Symbol.iterator](): IterableIterator<[string, Output]> {
    return this.entries();
  }

  /**
   * `session.update` of one entry.
   * @throws as `session.update`
   */
  update(
    id: string,
    edit: (value: Output | undefined) => NoInfer<Input> | null,
  ): Promise<Output | undefined>;
  async update(id: string, edit: (value: never) => unknown): Promise<unknown> {
    return updateKey(this.#request, this.#keyOf(id), edit);
  }

  /**
   * `session.take` of one entry.
   * @throws as `session.take`
   */
  take(id: string): Promise<Output | undefined>;
  async take(id: string): Promise<unknown> {
    return takeKey(this.#request, this.#keyOf(id));
  }

  #keyOf(id: string): SessionKey<Input, Output> {
    assertText(id, "id");
    return { name: this.#prefix + id, schema: this.#schema };
  }
}
