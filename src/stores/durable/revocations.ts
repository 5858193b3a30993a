// `durableRevocations`: revocations in one Durable Object, followed by every isolate.
import { readOptions, text } from "../../base/options.ts";
import {
  type FollowOptions,
  followReaders,
  RevocationFollower,
} from "../../revocations/follower.ts";
import type {
  AppendedRevocation,
  RevocationEntry,
  RevocationLog,
  RevocationPage,
  Revocations,
} from "../../revocations/revocations.ts";
import { DurableCaller } from "./caller.ts";
import { type DurableNamespace, namespaceOf } from "./platform.ts";
import type { RevocationCalls } from "./protocol.ts";

/** Where the log is, and how it is followed. */
export interface DurableRevocationsOptions extends FollowOptions {
  /** The binding of `RevocationObject`, such as `env.REVOCATIONS`. */
  readonly namespace: DurableNamespace;
  /** The name of the object that holds the log. Default "revocations". */
  readonly name?: string | undefined;
}

/** Records of one answer. */
const PAGE = 2000;

/** The log in one object. */
export class DurableRevocationLog implements RevocationLog {
  readonly #caller: DurableCaller<RevocationCalls>;
  readonly #name: string;
  readonly #page: number;

  /** @param page - records of one answer. */
  constructor(namespace: DurableNamespace, name: string, page: number = PAGE) {
    this.#caller = new DurableCaller(namespace, "");
    this.#name = name;
    this.#page = page;
  }

  async append(entry: RevocationEntry): Promise<AppendedRevocation> {
    const { record, isFirst } = await this.#caller.ask("revoke", this.#name, "append", { entry });
    return { record: toKnown(record), isFirst };
  }

  async read(cursor: string | undefined): Promise<RevocationPage> {
    const fields = { cursor, limit: this.#page };
    const page = await this.#caller.ask("load", this.#name, "read", fields);
    return { ...page, records: page.records.map((record) => toKnown(record)) };
  }

  sweep(limit: number): Promise<number> {
    return this.#caller.ask("sweep", this.#name, "sweep", { limit });
  }
}

/** JSON leaves out what is undefined. */
function toKnown(record: AppendedRevocation["record"]): AppendedRevocation["record"] {
  return { ...record, except: record.except };
}

/**
 * Revocations in a Durable Object, followed by every isolate. One object serves about a thousand reads a second: a
 * thousand isolates that poll once a second.
 * @throws {ConfigError} ERR_SESSION_CONFIG_STORE or ERR_SESSION_CONFIG_FIELD
 */
export function durableRevocations(options: DurableRevocationsOptions): Revocations {
  const { namespace, name, ...following } = readOptions("durableRevocations", options, {
    namespace: namespaceOf("RevocationObject"),
    name: text("revocations"),
    ...followReaders(),
  });
  return new RevocationFollower(new DurableRevocationLog(namespace, name), following);
}
