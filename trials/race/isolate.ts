// One isolate of a race: a Worker with the sessions of the subject. It gets its orders by a binding.
import type { SessionConfig, SessionStore } from "kocha-session";
import { type DurableNamespace, SessionDurableStore } from "kocha-session/durable-object";
import { withSession } from "kocha-session/fetch";
import { SessionSqliteStore, type SqliteD1 } from "kocha-session/sqlite";
import * as app from "./kocha-app.ts";
import { Notes } from "./notes.ts";
import type { Plan } from "./plan.ts";
import type { ServerOrders } from "./server.ts";

export { SessionObject, SubjectObject } from "kocha-session/durable-object";

/** The Worker's bindings: a database, or objects. */
interface Env {
  readonly DB?: SqliteD1;
  readonly SESSIONS: DurableNamespace;
  readonly SUBJECTS: DurableNamespace;
  readonly ORDERS: ServerOrders;
}

/** A request's plan, and the notes on it. */
interface Course {
  readonly plan: Plan;
  readonly notes: Notes;
}

const courses = new WeakMap<Request, Course>();
const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
let store: SessionStore | undefined;
const storeOf = ({ DB: client, SESSIONS: sessions, SUBJECTS: subjects }: Env): SessionStore =>
  (store ??=
    client === undefined
      ? new SessionDurableStore({ sessions, subjects })
      : new SessionSqliteStore({ client }));

const config = (env: Env): SessionConfig => ({
  store: storeOf(env),
  signingKey: env.ORDERS.signingKey,
  secure: false,
  sessionExpires: env.ORDERS.idleMs / 1000,
  absoluteExpires: env.ORDERS.absoluteMs / 1000,
  // A machine that is busy with the race is no store that hangs.
  storeTimeout: 20,
  on: app.observers,
});

const serve = withSession(config, async (request: Request, session, env: Env) => {
  const course = courses.get(request);
  if (course === undefined) throw new Error("the request has no plan");
  const { plan, notes } = course;
  const found = app.lookAt(session);
  await app.perform(session, plan, notes, { store: storeOf(env), sleep });
  return Response.json({ found, signOut: notes.signOut });
});

// What workerd calls.
// oxlint-disable-next-line import/no-default-export
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (new URL(request.url).pathname === "/prepare") {
      if (env.DB !== undefined) await new SessionSqliteStore({ client: env.DB }).createTable();
      return new Response();
    }
    const plan = JSON.parse(request.headers.get("x-plan") ?? "") as Plan;
    const notes = new Notes(plan.id);
    courses.set(request, { plan, notes });
    const saved = await app.inCourse(notes, async () => serve(request, env));
    const response = new Response(saved.body, saved);
    // Once they are saved the last outcome is known.
    response.headers.set("x-saves", JSON.stringify(notes.saves));
    return response;
  },
};
