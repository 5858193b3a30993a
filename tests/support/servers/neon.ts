// What Neon's proxy does, in front of a PostgreSQL of the tests': SQL over HTTP, one request a
// statement, every value as the server wrote it; and PostgreSQL's protocol inside a WebSocket.
import { neon, neonConfig, type NeonQueryFunction, Pool } from "@neondatabase/serverless";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import type pg from "pg";
import { createWebSocketStream, WebSocket, WebSocketServer } from "ws";

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

/** A running proxy of WebSockets, and Neon's Pool behind it. */
export interface NeonSockets {
  readonly pool: Pool;
  readonly close: () => Promise<void>;
}

/** Starts a proxy of WebSockets to the PostgreSQL at `url`; the caller closes it. */
export async function startNeonSockets(url: string): Promise<NeonSockets> {
  const { hostname, port: postgresPort, username, pathname } = new URL(url);
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", (socket) => {
    const outside = createWebSocketStream(socket);
    const inside = connect(Number(postgresPort), hostname);
    for (const end of [outside, inside]) {
      end.on("error", () => {
        outside.destroy();
        inside.destroy();
      });
    }
    outside.pipe(inside).pipe(outside);
  });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  neonConfig.webSocketConstructor = WebSocket;
  neonConfig.wsProxy = () => `127.0.0.1:${port}/`;
  neonConfig.useSecureWebSocket = false;
  neonConfig.pipelineTLS = false;
  neonConfig.pipelineConnect = false;
  const database = pathname.slice(1);
  const pool = new Pool({ host: "neon.test", user: username, password: "x", database, max: 8 });
  return {
    pool,
    close: async () => {
      await pool.end();
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
