// The application of a race on express-session, as its users write it: the controls, whose faults the checker
// must find. Its sessions have names of their own, since a regenerate changes their id.
import { promisify } from "node:util";
import type { Session, SessionData } from "express-session";
import { COUNTER, EPOCH, TOKEN } from "./history.ts";
import type { Found, Notes, RaceMap, SaveNote } from "./notes.ts";
import type { Plan } from "./plan.ts";
import { markOf } from "./values.ts";

type Bag = Session & Partial<SessionData> & Record<string, unknown>;

/** The property that names a session through all its ids. */
const NAME = "named";
const hidden = new Set(["cookie", NAME]);

/** The session that the request found. */
export function lookAt(bag: Bag): Found {
  const session = nameOf(bag);
  const entries = Object.entries(bag).filter(([key]) => !hidden.has(key));
  const expires = bag.cookie.expires?.valueOf();
  return session === ""
    ? { session: undefined, entries: [], expires: undefined }
    : { session, entries, expires: typeof expires === "number" ? expires : undefined };
}

/** Carries the plan out. A save at the end of the response counts as saved if that is a 200. */
export async function perform(
  request: { session: Bag },
  plan: Plan,
  notes: Notes,
  sleep: (ms: number) => Promise<void>,
): Promise<void> {
  await sleep(plan.holdMs);
  const bag = request.session;
  const isNew = nameOf(bag) === "";
  switch (plan.kind) {
    case "read":
    case "signout":
      return;
    case "destroy":
      if (isNew) return;
      notes.begin("destroy", nameOf(bag)).outcome = "saved";
      await promisify(bag.destroy.bind(bag))();
      return;
    case "clear":
      begin("clear");
      for (const key of Object.keys(bag)) if (!hidden.has(key)) delete bag[key];
      notes.set(mapOf(bag), [EPOCH, ...plan.set]);
      break;
    case "regenerate": {
      begin("regenerate");
      // Its regenerate drops the data; applications that keep it copy it.
      const kept = Object.entries(bag).filter(([key]) => key !== "cookie");
      if (!isNew) await promisify(bag.regenerate.bind(bag))();
      Object.assign(request.session, Object.fromEntries(kept));
      notes.set(mapOf(request.session), [EPOCH, ...plan.set, ...plan.after]);
      break;
    }
    case "increment":
      begin("change").count = Number(bag[COUNTER] ?? 0) + 1;
      bag[COUNTER] = notes.current?.count;
      break;
    case "take":
      if (bag[TOKEN] === undefined) return;
      begin("change").taken = markOf(TOKEN, bag[TOKEN]);
      delete bag[TOKEN];
      break;
    case "create":
    case "write":
    case "pair":
    case "add":
    case "token":
    // It binds nothing, and its cookie's lifetime is a part of its data.
    case "bind":
    case "lifetime":
      begin("change");
      notes.set(mapOf(bag), plan.set);
      notes.del(mapOf(bag), plan.del);
  }
  notes.setEpochIfNew(mapOf(request.session));
  const { current } = notes;
  if (current === undefined) return;
  const { set, del, count, taken } = current;
  const isChanged = set.length + del.length > 0 || count !== undefined || taken !== undefined;
  if (isChanged) current.outcome = "saved";

  function begin(kind: "change" | "clear" | "regenerate"): SaveNote {
    if (isNew) bag[NAME] = String(plan.id);
    return notes.begin(isNew ? "create" : kind, nameOf(bag));
  }
}

function nameOf(bag: Bag): string {
  const name = bag[NAME];
  return typeof name === "string" ? name : "";
}

function mapOf(bag: Bag): RaceMap {
  return {
    has: (key) => Object.hasOwn(bag, key),
    set: (key, value) => void (bag[key] = value),
    del: (key) => void delete bag[key],
  };
}
