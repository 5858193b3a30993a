// An object's side of the calls: one call is read, checked and answered. It knows no class.
import type { Awaitable } from "../../base/awaitable.ts";
import type { DurableState, DurableStorage } from "./platform.ts";
import { mustKnow, PROTOCOL, Refusal, unknown } from "./protocol.ts";

/** How one call is answered, and the names of the fields that it can have. */
interface Answering<Call extends (fields: never) => unknown> {
  readonly fields: readonly string[];
  readonly answer: (fields: Parameters<Call>[0]) => Awaitable<ReturnType<Call>>;
}

/** How each call of a class is answered. */
export type Answers<Calls> = {
  readonly [Name in keyof Calls]: Calls[Name] extends (fields: never) => unknown
    ? Answering<Calls[Name]>
    : never;
};

/**
 * The answer to a request of a worker.
 * @param of - the class's name, for refusals.
 */
export async function serve<Calls>(
  of: string,
  request: Request,
  answers: Answers<Calls>,
): Promise<Response> {
  const sent = (await request.json()) as { v: unknown; call: unknown };
  try {
    return Response.json({ v: PROTOCOL, answer: await answerOf(sent, answers) });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return Response.json({ v: PROTOCOL, refused: `${of} ${error.message}` });
  }
}

/** @throws {Refusal} for a version, a call or a field that isn't known here. */
function answerOf<Calls>(
  { v, call, ...fields }: { v: unknown; call: unknown },
  answers: Answers<Calls>,
): Awaitable<unknown> {
  if (v !== PROTOCOL) {
    throw unknown(`version ${String(v)} of the calls, only ${PROTOCOL}`);
  }
  const name = String(call);
  if (!Object.hasOwn(answers, name)) throw unknown(`the call ${name}`);
  const { fields: known, answer } = answers[name as keyof Calls] as Answering<never>;
  mustKnow(name, fields, known);
  return (answer as (given: object) => Awaitable<unknown>)(fields);
}

/**
 * An object's storage.
 * @throws {Refusal} unless the object's class is SQLite-backed.
 */
export function sqliteStorageOf({ storage }: DurableState): DurableStorage {
  if (hasSql(storage)) return storage;
  throw new Refusal("needs a SQLite-backed class: list it in new_sqlite_classes of a migration");
}

function hasSql(storage: DurableStorage): boolean {
  try {
    storage.sql.exec("SELECT 1");
    return storage.kv !== undefined;
  } catch {
    return false;
  }
}
