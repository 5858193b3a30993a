// The course of races for one key: server processes that share a store, a client without a browser, and the
// count of the processes' store calls.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { startProcesses } from "../processes.ts";
import type { Counts, Dump, ExactAnswer, ExactOrders } from "./server.ts";

/** The response to one request. */
export interface ExactReply extends Partial<ExactAnswer> {
  readonly status: number;
  /** The reasons of `refused` events. */
  readonly refused: readonly string[];
  /** "name=value"; undefined: none was set. */
  readonly cookie: string | undefined;
}

/** The processes of a race. */
export interface Course {
  /** One request to the process of this number, modulo their number. */
  readonly ask: (path: string, cookie: string, server?: number) => Promise<ExactReply>;
  readonly dump: (cookie: string) => Promise<Dump>;
  /** The store calls of all processes since the last time. */
  readonly counts: () => Promise<Counts>;
  readonly close: () => Promise<void>;
}

/** Options of the processes. */
export interface CourseOptions {
  /** A store of ours, by its name in ../subjects.ts. */
  readonly subject: string;
  readonly address: string;
  readonly processes: number;
}

const program = fileURLToPath(new URL("server.ts", import.meta.url));

/** Starts the processes; the caller closes the course. */
export async function openCourse({ subject, address, processes }: CourseOptions): Promise<Course> {
  const signingKey = randomBytes(32).toString("base64");
  const orders = Array.from({ length: processes }, (_, number): ExactOrders => {
    return { subject, address, number, signingKey };
  });
  const { ports, close } = await startProcesses(program, orders);
  const agent = new Agent({ keepAlive: true });
  const fetch = async (
    path: string,
    cookie: string,
    server: number,
  ): Promise<[IncomingMessage, string]> => {
    const headers = cookie === "" ? {} : { cookie };
    const port = ports[server % ports.length] ?? 0;
    const sent = request({ host: "127.0.0.1", port, agent, path, headers, timeout: 60_000 });
    sent.once("timeout", () => sent.destroy(new Error(`no answer to ${path}`)));
    sent.end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    return [response, await text(response)];
  };
  return {
    ask: async (path, cookie, server = 0) => {
      const [response, body] = await fetch(path, cookie, server);
      const { statusCode: status = 0, headers } = response;
      const heard = String(headers["x-heard"] ?? "");
      return {
        status,
        refused: heard === "" ? [] : heard.split(","),
        cookie: headers["set-cookie"]?.[0]?.split(";", 1)[0],
        ...(status === 200 && (JSON.parse(body) as ExactAnswer)),
      };
    },
    dump: async (cookie) => JSON.parse((await fetch("/dump", cookie, 0))[1]) as Dump,
    counts: async () => {
      const all = ports.map(
        async (_, server) => JSON.parse((await fetch("/counts", "", server))[1]) as Counts,
      );
      const sum = { loads: 0, saves: 0 };
      for (const { loads, saves } of await Promise.all(all)) {
        sum.loads += loads;
        sum.saves += saves;
      }
      return sum;
    },
    close: async () => {
      agent.destroy();
      await close();
    },
  };
}

/** A session with these entries; gives its cookie. */
export async function begin(
  course: Course,
  entries: Readonly<Record<string, string>>,
): Promise<string> {
  let cookie = "";
  for (const [key, value] of Object.entries({ epoch: "1", ...entries })) {
    const reply = await course.ask(`/set/${key}/${encodeURIComponent(value)}`, cookie);
    if (reply.status !== 200) throw new Error(`${key} was not set: ${reply.status}`);
    cookie = reply.cookie ?? cookie;
  }
  return cookie;
}
