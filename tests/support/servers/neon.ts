// What Neon's proxy does, in front of a PostgreSQL of the tests': SQL over HTTP, one request a
// statement, every value as the server wrote it.
import { neon, neonConfig, type NeonQueryFunction } from "@neondatabase/serverless";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type pg from "pg";

/** A running proxy and a client of it. */
export interface NeonProxy {
  readonly client: NeonQueryFunction<false, false>;
  readonly close: () => Promise<void>;
}

const asWritten = { getTypeParser: () => (value: string) => value };

/**
 * Starts a proxy; the caller closes it.
 * @param options - of neon().
 */
export async function startNeon(pool: pg.Pool, options: object = {}): Promise<NeonProxy> {
  const server = createServer((request, response) => {
    void answerOf(pool, request).then(([status, body]) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  // The package keeps it for all its clients, and hands it the host of each.
  neonConfig.fetchEndpoint = (_host, givenPort) => `http://127.0.0.1:${givenPort}/sql`;
  return {
    client: neon(`postgres://user:password@neon.test:${port}/db`, options),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answerOf(pool: pg.Pool, request: IncomingMessage): Promise<[number, unknown]> {
  const { query, params } = JSON.parse(await text(request)) as { query: string; params: unknown[] };
  try {
    const { fields, rows, command, rowCount } = await pool.query({
      text: query,
      values: params,
      rowMode: "array",
      types: asWritten,
    });
    const columns = fields.map(({ name, dataTypeID }) => ({ name, dataTypeID }));
    return [200, { fields: columns, rows, command, rowCount, rowAsArray: true }];
  } catch (error) {
    const { message, code } = error as pg.DatabaseError;
    return [400, { message, code }];
  }
}
