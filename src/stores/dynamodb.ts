// Sessions in DynamoDB: one conditional UpdateItem a commit, which sends the changed keys and is refused by
// its own condition. The clock is the application's: expressions have none. It has no list: DynamoDB's
// secondary indexes are eventually consistent, so one could miss a live session.
import { applyChange, toSaved } from "../store/change.ts";
import type {
  SavedSession,
  SessionChange,
  SessionStore,
  StoredSession,
} from "../store/contract.ts";
import { isAppliedOnce, mintNonce } from "../store/nonce.ts";
import { RowQueue } from "../store/row-queue.ts";
import { isSelector } from "../store/selector.ts";
import { OUTRUN, untilApplied } from "../store/swap.ts";
import { clock, option, readOptions } from "../base/options.ts";
import { findLargestKeys } from "../base/text.ts";
import { LimitError, StoreError } from "../errors.ts";
import { type DynamoClient, dynamoClient } from "./dynamodb/client.ts";
import { type DynamoRow, itemBytes, readItem } from "./dynamodb/item.ts";
import { DynamoTable, type UpdateOutcome } from "./dynamodb/table.ts";
import { newEndsOf, type NewEnd, replacementOf, type Save, updateOf } from "./dynamodb/update.ts";

export type {
  DynamoClient,
  DynamoGet,
  DynamoKey,
  DynamoUpdate,
  DynamoValue,
} from "./dynamodb/client.ts";

/** The client and the table of a DynamoDB store. */
export interface SessionDynamoStoreOptions {
  /**
   * A `DynamoDB` of @aws-sdk/client-dynamodb, or an object whose `getItem`, `updateItem` and `deleteItem`
   * send the commands of those names.
   */
  readonly client: DynamoClient;
  /** The table's name or ARN. Default "kocha_sessions". */
  readonly table?: string | undefined;
  /** The clock, for tests: Unix milliseconds. Default Date.now. */
  readonly now?: (() => number) | undefined;
}

/** The most bytes of an item. */
const MAX_ITEM = 409_600;
const DEFAULT_TABLE = "kocha_sessions";

/**
 * The input of CreateTable for a store's table. UpdateTimeToLive for its attribute `ttl` makes DynamoDB delete
 * expired sessions.
 * @param table - as the store's option. Default "kocha_sessions".
 */
export function dynamoSessionsTable(table: string = DEFAULT_TABLE): {
  TableName: string;
  AttributeDefinitions: { AttributeName: "id"; AttributeType: "S" }[];
  KeySchema: { AttributeName: "id"; KeyType: "HASH" }[];
  BillingMode: "PAY_PER_REQUEST";
} {
  return {
    TableName: table,
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    BillingMode: "PAY_PER_REQUEST",
  };
}

/** A store in a table of one AWS Region: atomic, durable, without lists. */
export class SessionDynamoStore implements SessionStore {
  readonly capabilities = { atomic: true, expects: true, durable: true } as const;
  readonly #table: DynamoTable;
  readonly #now: () => number;
  readonly #queue = new RowQueue();

  /** @throws {ConfigError} ERR_SESSION_CONFIG_STORE or ERR_SESSION_CONFIG_FIELD */
  constructor(options: SessionDynamoStoreOptions) {
    const { client, table, now } = readOptions("SessionDynamoStore", options, {
      client: dynamoClient,
      table: option<string, string>(
        "a table's name of 3 to 255 letters, digits, dots, dashes and underscores, or its ARN",
        (value) => typeof value === "string" && /^(?:[\w.-]{3,255}|arn:[\w:./-]+)$/.test(value),
        DEFAULT_TABLE,
      ),
      now: clock(),
    });
    this.#table = new DynamoTable(client, table);
    this.#now = now;
  }

  answerWithin(ms: number): void {
    this.#queue.allow(ms);
  }

  async load(selector: string): Promise<StoredSession | undefined> {
    if (!isSelector(selector)) return undefined;
    const row = readItem(await this.#table.get(selector, "load"));
    return row !== undefined && row.stored.expires > this.#now() ? row.stored : undefined;
  }

  /**
   * One UpdateItem, and a second one where the session already ends later than this change would set it. A
   * change of too many keys for an expression reads the session and replaces it whole.
   * @throws {LimitError} ERR_SESSION_LIMIT_SESSION for a session over 400 KB.
   * @throws {StoreError} ERR_SESSION_STORE_FAILED when the client sent the change twice, and nothing shows
   * whether it was applied the first time.
   */
  async save(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    if (change.op === "destroy") {
      if (isSelector(selector)) await this.#table.delete(selector);
      return toSaved(undefined);
    }
    if (!isSelector(selector)) return undefined;
    const save = { change, now: Math.floor(this.#now()), nonce: mintNonce() };
    return this.#update(selector, save, ...newEndsOf(change));
  }

  async #update(
    selector: string,
    save: Save,
    newEnd: NewEnd,
    otherEnd?: NewEnd,
  ): Promise<SavedSession | undefined> {
    const parts = updateOf(save, newEnd);
    if (parts === undefined) {
      return this.#queue.run(selector, (turn) =>
        untilApplied(turn, () => this.#replace(selector, save)),
      );
    }
    const answer = await this.#judge(selector, save, await this.#table.update(selector, parts));
    if ("saved" in answer) return answer.saved;
    const { refused } = applyChange(answer.row?.stored, save.change, save.now);
    return otherEnd === undefined || refused ? undefined : this.#update(selector, save, otherEnd);
  }

  /** Reads the session, changes it, and replaces it whole unless somebody else has written meanwhile. */
  async #replace(selector: string, save: Save): Promise<SavedSession | undefined | typeof OUTRUN> {
    const row = readItem(await this.#table.get(selector, "save"));
    const { refused, stored } = applyChange(row?.stored, save.change, this.#now());
    if (refused || row === undefined || stored === undefined) return undefined;
    const parts = replacementOf(stored, row.version, save.nonce);
    const answer = await this.#judge(selector, save, await this.#table.update(selector, parts));
    return "saved" in answer ? answer.saved : OUTRUN;
  }

  async #judge(selector: string, save: Save, outcome: UpdateOutcome): Promise<Judgement> {
    if (outcome.kind === "applied") return appliedTo(outcome.item);
    const item = outcome.kind === "refused" ? outcome.item : undefined;
    const row = readItem(item ?? (await this.#table.get(selector, "save")));
    if (outcome.kind === "too large") mustFit(selector, save, row);
    else if (row !== undefined) {
      const isApplied = row.nonce === save.nonce || row.version === save.nonce;
      if (isApplied) return { saved: toSaved(row.stored) };
      if (outcome.wasResent && isAppliedOnce(save.change)) throw unknownOutcome();
    }
    return { row };
  }
}

/** The answer for a change that was applied, or the row that refused it. */
type Judgement = { readonly saved: SavedSession } | { readonly row: DynamoRow | undefined };

function appliedTo(item: unknown): Judgement {
  if (item === undefined) {
    const message = "the client gave no item after UpdateItem; see the store's option client";
    throw new StoreError("ERR_SESSION_STORE_ANSWER", "save", message);
  }
  const row = readItem(item);
  // An item of somebody else's that looks like ours so far is no session after the change either.
  return row === undefined ? { row } : { saved: toSaved(row.stored) };
}

function unknownOutcome(): StoreError {
  const message =
    "the client sent the change twice, and other requests have changed the session since: it was " +
    "applied once, or not at all";
  return new StoreError("ERR_SESSION_STORE_FAILED", "save", message);
}

/** Throws the LimitError of a session that DynamoDB refused for its size, if the change still applies. */
function mustFit(selector: string, { change, now }: Save, row: DynamoRow | undefined): void {
  const { refused, stored } = applyChange(row?.stored, change, now);
  if (refused || stored === undefined) return;
  const actual = itemBytes(selector, stored);
  const message =
    `the session needs about ${actual} bytes in DynamoDB, which takes no item over ${MAX_ITEM}; keep ` +
    "less in it, or lower maxSessionBytes";
  const largestKeys = findLargestKeys(stored.data);
  throw new LimitError("ERR_SESSION_LIMIT_SESSION", message, {
    actual,
    limit: MAX_ITEM,
    largestKeys,
  });
}
