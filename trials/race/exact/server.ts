// One server process of a race for one key: the path names the operation on the session. It counts its store
// calls, and each answer has the `refused` events of its request.
import { AsyncLocalStorage } from "node:async_hooks";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import express from "express";
import { type Session, type SessionConfig, sessionMap, type SessionStore } from "kocha-session";
import { sessionMiddleware as expressSessions } from "kocha-session/express";
import { withSession } from "kocha-session/node";
import { subjects } from "../subjects.ts";

/** The parent's orders. */
export interface ExactOrders {
  readonly subject: string;
  readonly address: string;
  /** The number of this process, from 0: every second one has Express in front. */
  readonly number: number;
  readonly signingKey: string;
}

/** The store calls of a process since the last time that it was asked for them. */
export interface Counts {
  readonly loads: number;
  readonly saves: number;
}

/** The content of an answer. */
export interface ExactAnswer {
  /** The step's result. */
  readonly value?: unknown;
  /** The key "epoch" as the session was loaded. */
  readonly epoch: string;
}

/** The content of a session. */
export interface Dump {
  readonly isNew: boolean;
  readonly entries: readonly (readonly [string, string])[];
  /** The ids of the collection. */
  readonly ids: readonly string[];
}

const anything = {
  "~standard": {
    version: 1,
    vendor: "race",
    validate: (value: unknown) => ({ value: value as number }),
  },
} as const;
const bag = sessionMap("bag", anything);

const orders = JSON.parse(process.env["RACE_ORDERS"] ?? "{}") as ExactOrders;
const subject = subjects[orders.subject];
if (subject?.library !== "kocha-session" || "serve" in subject) {
  throw new Error(`no store of ours for a process: ${orders.subject}`);
}
const opened = await subject.open(orders.address);
const counts = { loads: 0, saves: 0 };
const heard = new AsyncLocalStorage<string[]>();
const config: SessionConfig = {
  store: counting(opened.store),
  signingKey: orders.signingKey,
  secure: false,
  // A machine that is busy with the race is no store that hangs.
  storeTimeout: 20,
  on: { refused: ({ reason }) => void heard.getStore()?.push(reason) },
};
const server = createServer(listener());
// A connection that is closed while a client reuses it would look like a request that failed.
server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.once("disconnect", () => {
  server.closeAllConnections();
  server.close();
  void Promise.resolve(opened.close()).then(() => process.exit());
});

/** The store, with each call of it counted. */
function counting(store: SessionStore): SessionStore {
  const { capabilities } = store;
  return {
    ...(capabilities !== undefined && { capabilities }),
    answerWithin: (ms) => store.answerWithin?.(ms),
    load: (selector) => {
      counts.loads++;
      return store.load(selector);
    },
    save: (selector, change) => {
      counts.saves++;
      return store.save(selector, change);
    },
  };
}

function listener(): RequestListener {
  const handle = async (session: Session, url: string, response: ServerResponse): Promise<void> => {
    const answer = await perform(session, new URL(url, "http://race"));
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(answer));
  };
  if (orders.number % 2 === 1) {
    const app = express();
    // Express prints the errors that it answers, but for this environment.
    app.set("env", "test");
    app.use(inCourse);
    app.use(expressSessions(config));
    app.use((request, response) => handle(request.session, request.url, response));
    return app;
  }
  const serve = withSession(
    config,
    (request, response, session) => handle(session, request.url ?? "", response),
    { reportError: () => undefined },
  );
  return (request, response) => inCourse(request, response, () => serve(request, response));
}

/** Mounted before the sessions: a request's events are sent with its head. */
function inCourse(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  if (request.url === "/counts") {
    response.end(JSON.stringify(counts));
    Object.assign(counts, { loads: 0, saves: 0 });
    return;
  }
  const events: string[] = [];
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
  response.writeHead = (...args: unknown[]) => {
    response.setHeader("x-heard", events.join());
    return writeHead(...args);
  };
  heard.run(events, next);
}

/** "/word/key/value?hold=ms": it pauses between its load and its step. */
async function perform(session: Session, url: URL): Promise<ExactAnswer | Dump> {
  const [word, key = "", value = ""] = url.pathname.split("/").slice(1).map(decodeURIComponent);
  const epoch = session.get("epoch");
  const ids = bag.of(session);
  await sleep(Number(url.searchParams.get("hold") ?? 0));
  switch (word) {
    case "increment":
      return { epoch, value: await session.increment(key) };
    case "append":
      return { epoch, value: await session.update(key, (list = "") => `${list}${value} `) };
    case "take":
      return { epoch, value: await session.take(key) };
    case "add":
      ids.set(key, 1);
      return { epoch };
    case "set":
      session.set(key, value);
      return { epoch };
    case "clear":
      session.clear();
      session.set("epoch", value);
      return { epoch };
    case "regenerate":
      await session.regenerate();
      return { epoch };
    case "destroy":
      await session.destroy();
      return { epoch };
    case undefined:
    default:
  }
  return { isNew: session.isNew, entries: [...session], ids: ids.keys() };
}
