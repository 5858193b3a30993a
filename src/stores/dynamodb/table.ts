// A table of DynamoDB behind its three calls, with errors that hold no session value. It knows no session.
import { StoreError, type StoreOperation } from "../../errors.ts";
import { kindOf } from "../../base/text.ts";
import type { DynamoClient, DynamoKey } from "./client.ts";
import type { UpdateParts } from "./update.ts";

/** The outcome of an UpdateItem. */
export type UpdateOutcome =
  /** The whole item after it. */
  | { readonly kind: "applied"; readonly item: unknown }
  /** Its condition failed; the item then, where the server told, and whether the client had sent it before. */
  | { readonly kind: "refused"; readonly item: unknown; readonly wasResent: boolean }
  | { readonly kind: "too large" };

/** The parts of the AWS SDK's errors that are used. */
interface AwsError {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly Item?: unknown;
  readonly $metadata?: { readonly attempts?: unknown };
}

/** Errors whose messages may quote the request or the answer. */
const QUOTING: ReadonlySet<unknown> = new Set([
  "ValidationException",
  "SerializationException",
  "SyntaxError",
]);
const TOO_LARGE = /exceeded the maximum allowed size/;

/** One table, whose rows have a text for a key. */
export class DynamoTable {
  readonly #client: DynamoClient;
  readonly #name: string;

  constructor(client: DynamoClient, name: string) {
    this.#client = client;
    this.#name = name;
  }

  /** The item with this key; undefined: none. A read that isn't consistent could show one after its end. */
  async get(id: string, operation: StoreOperation): Promise<unknown> {
    const answer = await this.#call(operation, () =>
      this.#client.getItem({ ...this.#keyOf(id), ConsistentRead: true }),
    );
    return mustBeAnswer(operation, answer).Item;
  }

  async update(id: string, parts: UpdateParts): Promise<UpdateOutcome> {
    try {
      const answer = await this.#client.updateItem({
        ...this.#keyOf(id),
        ...parts,
        ReturnValues: "ALL_NEW",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      });
      return { kind: "applied", item: mustBeAnswer("save", answer).Attributes };
    } catch (error) {
      const { name, message, Item, $metadata } = (error ?? {}) as AwsError;
      if (name === "ConditionalCheckFailedException") {
        return { kind: "refused", item: Item, wasResent: Number($metadata?.attempts) > 1 };
      }
      if (name === "ValidationException" && TOO_LARGE.test(String(message))) {
        return { kind: "too large" };
      }
      throw this.#failure("save", error);
    }
  }

  async delete(id: string): Promise<void> {
    await this.#call("save", () => this.#client.deleteItem(this.#keyOf(id)));
  }

  #keyOf(id: string): DynamoKey {
    return { TableName: this.#name, Key: { id: { S: id } } };
  }

  async #call<T>(operation: StoreOperation, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw this.#failure(operation, error);
    }
  }

  /** The client's error, or one in its place that says more, or less. */
  #failure(operation: StoreOperation, cause: unknown): unknown {
    const { name } = (cause ?? {}) as AwsError;
    if (name === "ResourceNotFoundException") {
      const message = `the table ${this.#name} isn't there, or not yet; make it with ${creation(this.#name)}`;
      return new StoreError("ERR_SESSION_STORE_FAILED", operation, message, { cause });
    }
    if (!QUOTING.has(name)) return cause;
    const message =
      `DynamoDB's client failed with ${String(name)}, whose message is left out, since it may quote ` +
      `values; the table's key must be the string "id" and nothing else, as ${creation(this.#name)} makes it`;
    return new StoreError("ERR_SESSION_STORE_FAILED", operation, message);
  }
}

function mustBeAnswer<T extends object>(operation: StoreOperation, answer: T): T {
  if (typeof answer === "object" && (answer as T | null) !== null) return answer;
  const message = `the client answered with ${kindOf(answer)}; see the store's option client`;
  throw new StoreError("ERR_SESSION_STORE_ANSWER", operation, message);
}

/** The command that makes a table. */
function creation(table: string): string {
  return (
    `\`aws dynamodb create-table --table-name ${table} --billing-mode PAY_PER_REQUEST ` +
    "--attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH`"
  );
}
