// A private DynamoDB for the tests: dynalite, which keeps its tables in memory, behind the AWS SDK's client.
import { createRequire } from "node:module";
import {
  type CreateTableCommandInput,
  DynamoDB,
  type DynamoDBClientConfig,
} from "@aws-sdk/client-dynamodb";
import { dynamoSessionsTable } from "kocha-session/dynamodb";
import { until } from "../until.ts";
import { answers, freePort, ServerProcess } from "./process.ts";

/** A running server; `server` kills, pauses and restarts it (what it held is gone then). */
export interface DynamoServer {
  readonly url: string;
  readonly server: ServerProcess;
  readonly close: () => Promise<void>;
}

/** Starts a server; the caller closes it. */
export async function startDynamo(): Promise<DynamoServer> {
  const port = await freePort();
  const server = new ServerProcess({
    program: process.execPath,
    args: [
      createRequire(import.meta.url).resolve("dynalite/cli.js"),
      "--host",
      "127.0.0.1",
      "--port",
      String(port),
      "--createTableMs",
      "0",
    ],
    isReady: () => answers(port, "GET / HTTP/1.0\r\n\r\n", (reply) => reply.length > 0),
  });
  await server.start();
  return { url: `http://127.0.0.1:${port}`, server, close: () => server.kill() };
}

/** The options of a client of the server at `endpoint`. */
export function dynamoOptions(endpoint: string): DynamoDBClientConfig {
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  return { endpoint, region: "eu-west-1", credentials };
}

/** A client of a server; the caller destroys it. */
export function dynamoClientOf(endpoint: string): DynamoDB {
  return new DynamoDB(dynamoOptions(endpoint));
}

/** Makes a store's table, and waits until it can be used. */
export function makeDynamoTable(client: DynamoDB, table?: string): Promise<void> {
  return makeTable(client, dynamoSessionsTable(table));
}

/** Makes any table, and waits until it can be used. */
export async function makeTable(client: DynamoDB, input: CreateTableCommandInput): Promise<void> {
  const { TableName } = input;
  await client.createTable(input);
  await until("the table is active", async () => {
    const { Table } = await client.describeTable({ TableName });
    return Table?.TableStatus === "ACTIVE";
  });
}
