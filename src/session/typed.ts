// Typed keys: JSON in the string map, checked by a schema on reads and writes. Any library that follows
// Standard Schema fits; none is imported.
import { UsageError } from "../errors.ts";
import { disown, isThenable } from "../base/awaitable.ts";
import { assertFree } from "../base/reserved.ts";
import { assertText, kindOf } from "../base/text.ts";

/** The part of a Standard Schema (standardschema.dev, version 1) that is used here. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** A schema's result for a value. */
type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly path?: readonly unknown[] | undefined }[] };

/** A key of the session with the type of its value. */
export interface SessionKey<Input, Output = Input> {
  readonly name: string;
  readonly schema: StandardSchema<Input, Output>;
}

/**
 * Names a typed value of the session: `session.read(key)`, `session.write(key, value)`.
 * @param name - the key in the string map.
 * @throws {UsageError} ERR_SESSION_USAGE_SCHEMA when `schema` is no Standard Schema;
 * ERR_SESSION_USAGE_TYPE or _MALFORMED when `name` is no key, ERR_SESSION_USAGE_RESERVED for one of the
 * library's own.
 */
export function sessionKey<Input, Output>(
  name: string,
  schema: StandardSchema<Input, Output>,
): SessionKey<Input, Output> {
  assertText(name, "key");
  assertFree(name);
  if (typeof schema?.["~standard"]?.validate !== "function") {
    throw new UsageError(
      "ERR_SESSION_USAGE_SCHEMA",
      "the schema must be a Standard Schema, such as one of Zod, Valibot or ArkType",
    );
  }
  return Object.freeze({ name, schema });
}

/** The key of each schema, by name. */
type KeysOf<Schemas> = {
  readonly [Name in keyof Schemas]: Schemas[Name] extends StandardSchema<infer Input, infer Output>
    ? SessionKey<Input, Output>
    : never;
};

/**
 * Names all typed values of an application's sessions at once:
 * `const { userId, returnTo } = sessionKeys({ userId: v.number(), returnTo: v.string() })`.
 * @throws {UsageError} ERR_SESSION_USAGE_SCHEMA when `schemas` is no object, or one is no Standard Schema;
 * and as `sessionKey`.
 */
export function sessionKeys<const Schemas extends Readonly<Record<string, StandardSchema>>>(
  schemas: Schemas,
): KeysOf<Schemas> {
  if (typeof schemas !== "object" || schemas === null) {
    const message = `sessionKeys takes an object with a schema for each key, not ${kindOf(schemas)}`;
    throw new UsageError("ERR_SESSION_USAGE_SCHEMA", message);
  }
  const keys = Object.entries(schemas).map(([name, schema]) => [name, sessionKey(name, schema)]);
  return Object.freeze(Object.fromEntries(keys)) as KeysOf<Schemas>;
}

/**
 * The typed value of a session's JSON.
 * @returns undefined if it is absent, no JSON, or refused by the schema.
 * @throws {UsageError} ERR_SESSION_USAGE_ASYNC_SCHEMA
 */
export function decodeTyped<Output>(
  key: SessionKey<unknown, Output>,
  text: string | undefined,
): Output | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const result = validate(key.schema, value);
  return result.issues === undefined ? result.value : undefined;
}

/**
 * The JSON of a value that the schema accepts. The given value itself is stored; the schema's
 * transformations run on reads.
 * @throws {UsageError} ERR_SESSION_USAGE_SCHEMA with the paths of the misfits, never their values;
 * ERR_SESSION_USAGE_ASYNC_SCHEMA
 */
export function encodeTyped<Input>(key: SessionKey<Input, unknown>, value: Input): string {
  const result = validate(key.schema, value);
  if (result.issues !== undefined) throw misfit(`does not fit its schema${paths(result.issues)}`);
  let text: string | undefined;
  try {
    text = JSON.stringify(value) as string | undefined;
  } catch (cause) {
    throw misfit("can't be written as JSON", cause);
  }
  if (text === undefined) throw misfit("can't be written as JSON: remove the key with del instead");
  return text;
}

function validate<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
): SchemaResult<Output> {
  const result = schema["~standard"].validate(value);
  if (!isThenable(result)) return result;
  disown(result);
  throw new UsageError(
    "ERR_SESSION_USAGE_ASYNC_SCHEMA",
    "the schema of a session key must validate at once; this one answers with a promise",
  );
}

function paths(issues: readonly { readonly path?: readonly unknown[] | undefined }[]): string {
  const named = issues.map(({ path }) => (path ?? []).map(segmentName).join("."));
  const known = [...new Set(named.filter((path) => path !== ""))];
  return known.length === 0 ? "" : ` at ${known.join(", ")}`;
}

/** A path's segment is a key, or an object that holds one. */
function segmentName(segment: unknown): string {
  const key: unknown =
    typeof segment === "object" && segment !== null && "key" in segment ? segment.key : segment;
  return String(key);
}

function misfit(message: string, cause?: unknown): UsageError {
  const options = cause === undefined ? undefined : { cause };
  return new UsageError("ERR_SESSION_USAGE_SCHEMA", `the value ${message}`, options);
}
