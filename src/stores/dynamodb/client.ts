// The part of a DynamoDB client that is used: three calls with plain objects, as the class DynamoDB of
// @aws-sdk/client-dynamodb has them. No driver is imported.
import { fail, hasMethods } from "../../base/options.ts";
import { kindOf } from "../../base/text.ts";

/** A value as DynamoDB's API writes it: a string, a number as text, or a map of strings. */
export type DynamoValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly M: Record<string, { readonly S: string }> };

/** A row's key. */
export interface DynamoKey {
  readonly TableName: string;
  readonly Key: Record<string, { readonly S: string }>;
}

/** The input of GetItem. */
export interface DynamoGet extends DynamoKey {
  readonly ConsistentRead: true;
}

/** The input of UpdateItem. */
export interface DynamoUpdate extends DynamoKey {
  readonly UpdateExpression: string;
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues: Record<string, DynamoValue>;
  readonly ReturnValues: "ALL_NEW";
  readonly ReturnValuesOnConditionCheckFailure: "ALL_OLD";
}

/**
 * A `DynamoDB` of @aws-sdk/client-dynamodb, or an object whose three methods send the commands of those names
 * by a DynamoDBClient.
 */
export interface DynamoClient {
  getItem(input: DynamoGet): Promise<{ readonly Item?: unknown }>;
  updateItem(input: DynamoUpdate): Promise<{ readonly Attributes?: unknown }>;
  deleteItem(input: DynamoKey): Promise<unknown>;
}

const EXPECTED =
  "a DynamoDB of @aws-sdk/client-dynamodb, or an object with its methods getItem, updateItem and deleteItem";

/**
 * Reads the option `client`.
 * @throws {ConfigError} ERR_SESSION_CONFIG_STORE
 */
export function dynamoClient(client: unknown): DynamoClient {
  if (hasMethods(client, "makeRequest")) {
    refuse(`is a client of the AWS SDK 2, whose calls are no promises; it must be ${EXPECTED}`);
  }
  if (hasMethods(client, "getItem", "updateItem", "deleteItem")) return client as DynamoClient;
  if (hasMethods(client, "send")) {
    refuse(
      "takes only commands: make a DynamoDB of @aws-sdk/client-dynamodb with the same options in " +
        `place of a DynamoDBClient or a document client; it must be ${EXPECTED}`,
    );
  }
  return refuse(`must be ${EXPECTED}, not ${kindOf(client)}`);
}

function refuse(message: string): never {
  return fail("client", message, "ERR_SESSION_CONFIG_STORE");
}
