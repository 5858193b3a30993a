// A worker's side of the calls: an object is asked by its name, and what comes back is an answer or a StoreError.
import { StoreError, type StoreOperation } from "../../errors.ts";
import type { DurableNamespace } from "./platform.ts";
import { ONE_VERSION, PROTOCOL } from "./protocol.ts";

/** The host of the calls' addresses, which leads nowhere. */
const ADDRESS = "http://kocha-session.invalid/";

type Fields<Calls, Name extends keyof Calls> = Calls[Name] extends (fields: infer Given) => unknown
  ? Given
  : never;
type Answer<Calls, Name extends keyof Calls> = Calls[Name] extends (fields: never) => infer Given
  ? Given
  : never;

/** The objects of one class. */
export class DurableCaller<Calls> {
  readonly #namespace: DurableNamespace;
  readonly #prefix: string;

  /** @param prefix - begins the name of each object. */
  constructor(namespace: DurableNamespace, prefix: string) {
    this.#namespace = namespace;
    this.#prefix = prefix;
  }

  /**
   * The answer of the object with this name.
   * @throws {StoreError} ERR_SESSION_STORE_FAILED when the object fails, or is of another version that doesn't know
   * the call; ERR_SESSION_STORE_ANSWER when it is no object of ours.
   */
  async ask<Name extends keyof Calls & string>(
    operation: StoreOperation,
    object: string,
    call: Name,
    fields: Fields<Calls, Name>,
  ): Promise<Answer<Calls, Name>> {
    const body = JSON.stringify({ v: PROTOCOL, call, ...(fields as object) });
    let status: number;
    let text: string;
    try {
      // A stub that has failed once goes on failing: each call has its own.
      const stub = this.#namespace.get(this.#namespace.idFromName(this.#prefix + object));
      const response = await stub.fetch(ADDRESS, { method: "POST", body });
      status = response.status;
      text = await response.text();
    } catch (cause) {
      const message = `the Durable Object failed to ${call}; its own error is the cause`;
      throw new StoreError("ERR_SESSION_STORE_FAILED", operation, message, { cause });
    }
    const { v, refused, answer } = answerIn(text, status, operation);
    if (refused !== undefined) {
      throw new StoreError("ERR_SESSION_STORE_FAILED", operation, refused);
    }
    if (v === PROTOCOL) return answer as Answer<Calls, Name>;
    const message = `the object answers in version ${String(v)} of the calls, and this worker knows version ${PROTOCOL}; ${ONE_VERSION}`;
    throw new StoreError("ERR_SESSION_STORE_FAILED", operation, message);
  }
}

/** The parts of an answer. */
interface Answered {
  readonly v?: unknown;
  readonly refused?: string | undefined;
  readonly answer?: unknown;
}

function answerIn(text: string, status: number, operation: StoreOperation): Answered {
  try {
    const answered: unknown = JSON.parse(text);
    if (typeof answered === "object" && answered !== null && "v" in answered) {
      return answered;
    }
  } catch {
    // It isn't JSON.
  }
  const message = `an object answered with status ${status} and not as a class of kocha-session/durable-object does: is the binding that of the right class?`;
  throw new StoreError("ERR_SESSION_STORE_ANSWER", operation, message);
}
