// The course of races between express-session and its drop-in: processes of either library on one Redis
// and one PostgreSQL with one secret, and clients that send their cookie by hand.
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { SessionPostgresStore } from "kocha-session/postgres";
import { startPostgres } from "../../../tests/support/servers/postgres.ts";
import { startRedis } from "../../../tests/support/servers/redis.ts";
import { type Processes, startProcesses } from "../processes.ts";
import type { DropInOrders } from "./server.ts";

/** The library that a process runs. */
export type Library = "express-session" | "kocha-session";

/** The stores that it has; the last two only ours. */
const storeNames = ["connect-redis", "connect-pg-simple", "redis", "postgres"] as const;
export type StoreName = (typeof storeNames)[number];

/** The stores of a library. */
export function storesOf(library: Library): readonly StoreName[] {
  return library === "kocha-session" ? storeNames : storeNames.slice(0, 2);
}

/** One application, served by several processes. */
export interface Application {
  /**
   * Asks the process of this number, modulo their number.
   * @returns the JSON of its answer, if it has one.
   * @throws {Error} for any status but 200.
   */
  readonly ask: (server: number, path: string, cookie?: string) => Promise<unknown>;
  /** A new session's cookie. */
  readonly login: (server: number, store: StoreName) => Promise<string>;
  /** Resolves when so many requests have loaded their session, and wait. */
  readonly held: (count: number) => Promise<void>;
  /** Lets them go on. */
  readonly release: () => void;
}

/** Processes that share the stores. */
export interface Course {
  /** Starts a process for each library; gives the application of the processes of these numbers. */
  readonly start: (
    libraries: readonly Library[],
  ) => Promise<(...numbers: readonly number[]) => Application>;
  readonly close: () => Promise<void>;
}

const program = fileURLToPath(new URL("server.ts", import.meta.url));

/** connect-pg-simple's table.sql. */
const THEIR_TABLE = `CREATE TABLE "session" (sid varchar NOT NULL COLLATE "default" PRIMARY KEY,
  sess json NOT NULL, expire timestamp(6) NOT NULL)`;

/** Starts the databases; the caller closes the course. */
export async function openCourse(): Promise<Course> {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
  const pool = new pg.Pool({ connectionString: postgres.url, max: 1 });
  await pool.query(THEIR_TABLE);
  await new SessionPostgresStore({ client: pool }).createTable();
  await pool.end();
  const secret = randomBytes(32).toString("base64");
  const closing: (() => Promise<unknown>)[] = [];
  return {
    start: async (libraries) => {
      const orders = libraries.map((library): DropInOrders => ({
        library,
        redis: redis.url,
        postgres: postgres.url,
        secret,
      }));
      const processes = await startProcesses(program, orders);
      closing.push(processes.close);
      return (...numbers) => applicationOf(processes, numbers);
    },
    close: async () => {
      await Promise.all(closing.map((close) => close()));
      await Promise.all([redis.close(), postgres.close()]);
    },
  };
}

function applicationOf(processes: Processes, numbers: readonly number[]): Application {
  const ports = numbers.map((number) => processes.ports[number]);
  const children = processes.children.filter((_, number) => numbers.includes(number));
  let count = 0;
  let heard = (): void => undefined;
  for (const child of children) {
    child.on("message", () => {
      count++;
      heard();
    });
  }
  const fetchFrom = async (server: number, path: string, cookie = ""): Promise<Response> => {
    const url = `http://127.0.0.1:${ports[server % ports.length]}/${path}`;
    const response = await fetch(url, { headers: cookie === "" ? {} : { cookie } });
    if (!response.ok) throw new Error(`${path}: status ${response.status}`);
    return response;
  };
  return {
    ask: async (server, path, cookie) => {
      const body = await (await fetchFrom(server, path, cookie)).text();
      return body === "" ? undefined : (JSON.parse(body) as unknown);
    },
    login: async (server, store) => {
      const response = await fetchFrom(server, `${store}/set/user`);
      return response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
    },
    held: (wanted) =>
      new Promise((resolve) => {
        heard = () => {
          if (count < wanted) return;
          count = 0;
          resolve();
        };
        heard();
      }),
    release: () => {
      for (const child of children) child.send({ release: true });
    },
  };
}
