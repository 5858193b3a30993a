// One server process of a race: plain node:http or Express, by its number, with the sessions of the
// subject. It is forked, gets its orders by the environment, sends its port, and ends with its parent.
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import express from "express";
import type { Store } from "express-session";
import type { SessionConfig, SessionStore } from "kocha-session";
import { sessionMiddleware as expressSessions } from "kocha-session/express";
import { withSession } from "kocha-session/node";
import * as theirApp from "./express-session-app.ts";
import * as ourApp from "./kocha-app.ts";
import { type Found, Notes } from "./notes.ts";
import type { Plan } from "./plan.ts";
import { subjects } from "./subjects.ts";

/** The parent's orders. */
export interface ServerOrders {
  readonly subject: string;
  readonly address: string;
  /** The number of this process, from 0. */
  readonly number: number;
  readonly signingKey: string;
  readonly idleMs: number;
  readonly absoluteMs: number;
}

const orders = JSON.parse(process.env["RACE_ORDERS"] ?? "{}") as ServerOrders;
const subject = subjects[orders.subject];
if (subject === undefined || "serve" in subject) {
  throw new Error(`there is no subject ${orders.subject} for a process`);
}
const { store, close } = await subject.open(orders.address);
const listener =
  subject.library === "kocha-session"
    ? ourListener(store as SessionStore)
    : await theirListener(store as Store);
const server = createServer(listener);
// A connection that is closed while a client reuses it would look like a request that failed.
server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.once("disconnect", () => {
  server.closeAllConnections();
  server.close();
  void Promise.resolve(close()).then(() => process.exit());
});

/** Every second process has Express in front, the others plain node:http. */
function ourListener(ours: SessionStore): RequestListener {
  const config: SessionConfig = {
    store: ours,
    signingKey: orders.signingKey,
    secure: false,
    sessionExpires: orders.idleMs / 1000,
    absoluteExpires: orders.absoluteMs / 1000,
    // A machine that is busy with the race is no store that hangs.
    storeTimeout: 20,
    on: ourApp.observers,
  };
  const handle = async (request: Planned, response: ServerResponse): Promise<void> => {
    const { plan, notes } = courseOf(request);
    await ourApp.inCourse(notes, async () => {
      const found = ourApp.lookAt(request.session);
      await ourApp.perform(request.session, plan, notes, { store: ours, sleep });
      answer(response, notes, found);
    });
  };
  if (orders.number % 2 === 1) {
    const app = express();
    app.use(begin);
    app.use(expressSessions(config));
    app.use((request, response) => handle(request, response));
    return app;
  }
  const serve = withSession(config, handle);
  return (request, response) => begin(request, response, () => serve(request, response));
}

/** express-session with the settings that its own documentation recommends. */
async function theirListener(theirs: Store): Promise<RequestListener> {
  const { default: session } = await import("express-session");
  const app = express();
  app.use(begin);
  app.use(
    session({
      store: theirs,
      secret: orders.signingKey,
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: orders.idleMs },
    }),
  );
  app.use(async (request, response) => {
    const { plan, notes } = courseOf(request);
    const theirRequest = request as unknown as Parameters<typeof theirApp.perform>[0];
    const found = theirApp.lookAt(theirRequest.session);
    await theirApp.perform(theirRequest, plan, notes, sleep);
    answer(response, notes, found);
  });
  return app;
}

/** A request, with its plan and the notes on it. */
type Planned = IncomingMessage & { course?: { readonly plan: Plan; readonly notes: Notes } };

/**
 * Reads the plan. Mounted before the sessions: the head is sent once they are saved, and only then is the
 * last outcome known.
 */
function begin(request: Planned, response: ServerResponse, next: () => void): void {
  const plan = JSON.parse(String(request.headers["x-plan"])) as Plan;
  const notes = new Notes(plan.id);
  request.course = { plan, notes };
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
  response.writeHead = (...args: unknown[]) => {
    response.setHeader("x-saves", JSON.stringify(notes.saves));
    return writeHead(...args);
  };
  next();
}

function courseOf({ course }: Planned): NonNullable<Planned["course"]> {
  if (course === undefined) throw new Error("the request has no plan");
  return course;
}

function answer(response: ServerResponse, notes: Notes, found: Found): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ found, signOut: notes.signOut }));
}
