// The application of a race on our own sessions: carries a plan out on `req.session` and notes the events of
// each save.
import { AsyncLocalStorage } from "node:async_hooks";
import {
  ConflictError,
  type Session,
  type SessionConfig,
  sessionMap,
  type SessionStore,
} from "kocha-session";
import { BOUND, COUNTER, ENTRY, EPOCH, TOKEN } from "./history.ts";
import type { Found, Notes, RaceMap } from "./notes.ts";
import type { Plan } from "./plan.ts";
import { markOf } from "./values.ts";

/** Seconds; longer than any race. */
const HOUR = 3600;

const bag = sessionMap("bag", {
  "~standard": {
    version: 1,
    vendor: "race",
    validate: (value: unknown) => ({ value: value as string }),
  },
});

const running = new AsyncLocalStorage<Notes>();

/** Observers that note outcomes for the request in which they are called. */
export const observers: NonNullable<SessionConfig["on"]> = {
  created: ({ id }) => note("saved", id, true),
  committed: ({ id }) => note("saved", id),
  regenerated: ({ id }) => note("saved", id),
  destroyed: ({ id }) => note("saved", id),
  refused: ({ id }) => note("refused", id),
};

function note(outcome: "saved" | "refused", session: string, isNew = false): void {
  const notes = running.getStore();
  if (isNew && notes?.current !== undefined) notes.current.kind = "create";
  notes?.settle(outcome, session);
}

/** Runs a request's course; observers that are called in it write into `notes`. */
export function inCourse<T>(notes: Notes, course: () => T): T {
  return running.run(notes, course);
}

/** The session that the request found. */
export function lookAt(session: Session): Found {
  const nothing = { session: undefined, entries: [], expires: undefined };
  if (session.isNew || session.readOnly) return nothing;
  const expires = session.expiresAt?.getTime();
  const added = Array.from(bag.of(session), ([id, value]) => [`${ENTRY}${id}`, value] as const);
  return { session: session.id, entries: [...session, ...added], expires };
}

/** The parts that the application needs. */
export interface World {
  readonly store: SessionStore;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Carries the plan out; the last save may be left to the end of the response. */
export async function perform(
  session: Session,
  plan: Plan,
  notes: Notes,
  { store, sleep }: World,
): Promise<void> {
  await sleep(plan.holdMs);
  switch (plan.kind) {
    case "read":
      return;
    case "signout":
      await signOut(session, plan, notes, store);
      return;
    case "destroy":
      notes.begin("destroy");
      await session.destroy();
      return;
    case "clear":
      notes.begin("clear");
      session.clear();
      notes.set(session, [EPOCH, ...plan.set]);
      break;
    case "regenerate":
      await regenerate(session, plan, notes);
      break;
    case "bind":
      bind(session, plan, notes);
      break;
    case "increment":
      await increment(session, notes);
      return;
    case "take":
      await take(session, notes, store);
      break;
    case "add":
      notes.begin("change");
      notes.set(collectionOf(session), plan.set);
      notes.setEpochIfNew(session);
      break;
    case "lifetime":
      notes.begin("change");
      notes.set(session, plan.set);
      notes.setEpochIfNew(session);
      // A different one each time, or it would be no change.
      session.cookieExpires = HOUR + plan.id;
      break;
    case "create":
    case "write":
    case "pair":
    case "token":
      notes.begin("change");
      notes.set(session, plan.set);
      notes.del(session, plan.del);
      notes.setEpochIfNew(session);
  }
  if (plan.commits) await session.commit();
}

/** The collection, by the keys that its entries have. */
function collectionOf(session: Session): RaceMap {
  const entries = bag.of(session);
  const idOf = (key: string): string => key.slice(ENTRY.length);
  return {
    has: (key) => entries.has(idOf(key)),
    set: (key, value) => void entries.set(idOf(key), value),
    del: (key) => void entries.delete(idOf(key)),
  };
}

async function increment(session: Session, notes: Notes): Promise<void> {
  const save = notes.begin("change");
  notes.setEpochIfNew(session);
  await unlessConflict(async () => {
    save.count = await session.increment(COUNTER);
  });
}

/** An application's own way over a store that promises no `take`. */
async function take(session: Session, notes: Notes, store: SessionStore): Promise<void> {
  if (session.isNew) return;
  const save = notes.begin("change");
  const isExact = store.capabilities?.expects === true;
  await unlessConflict(async () => {
    const taken = isExact ? await session.take(TOKEN) : session.get(TOKEN);
    if (taken) save.taken = markOf(TOKEN, taken);
  });
  if (!isExact) session.del(TOKEN);
}

/** The observer has noted a conflict; the application answers. */
async function unlessConflict(step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
  }
}

/** Binds the session without a new credential. */
function bind(session: Session, plan: Plan, notes: Notes): void {
  const save = notes.begin("bind");
  notes.set(session, [BOUND, ...plan.set]);
  notes.setEpochIfNew(session);
  if (plan.subject === undefined) return;
  session.bind(plan.subject, { label: "a race" });
  save.subject = plan.subject;
}

/** Like a login: regenerates with the present data, then sets new keys. */
async function regenerate(session: Session, plan: Plan, notes: Notes): Promise<void> {
  const first = notes.begin("regenerate");
  notes.set(session, [EPOCH, ...plan.set]);
  if (plan.subject !== undefined) {
    session.bind(plan.subject, { label: "a race" });
    first.subject = plan.subject;
  }
  await session.regenerate();
  if (plan.after.length === 0 && first.outcome !== "none") return;
  const second = notes.begin("change");
  // A regenerate doesn't save a session that wasn't stored: its keys are still unsaved.
  if (first.outcome === "none") {
    notes.saves.splice(notes.saves.indexOf(first), 1);
    second.mark = first.mark;
    second.set.push(...first.set);
  }
  notes.set(session, plan.after);
  notes.setEpochIfNew(session);
}

/** "Your devices": lists sessions, then signs them out, all or all others. */
async function signOut(
  session: Session,
  plan: Plan,
  notes: Notes,
  store: SessionStore,
): Promise<void> {
  const { subject } = plan;
  if (store.list === undefined || store.destroyAll === undefined || subject === undefined) return;
  const listed: string[] = [];
  for await (const { id } of store.list(subject)) listed.push(id);
  const except = plan.stays && !session.isNew ? session.id : undefined;
  await store.destroyAll(subject, except === undefined ? {} : { except });
  notes.signOut = { subject, except, listed };
}
