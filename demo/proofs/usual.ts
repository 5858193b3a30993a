// The left column: an honest application of the usual way. Each request loads the whole session, changes
// it, and writes the whole session at its end if it has changed, as express-session and the libraries of
// sealed cookies do.
import type { Answer } from "../browser/proofs.mjs";
import { clearNotes, note } from "../feed.ts";
import { addCookie, cookiesOf, type Routes, sendJson, type Visit } from "../http.ts";
import { LIFE, type WholeSessions } from "./sessions.ts";
import { itemOf, lookUp, slowRequests } from "./work.ts";

/** What `req.session` is there: an object of the application's own. */
interface UsualSession {
  name: string;
  cart: Record<string, number>;
  clicks: number;
  report: string;
}

/** What a step says: an answer, or that the session gets a new cookie, or that it ends. */
type Result = Answer | "replaced" | "destroyed" | undefined;

type Step = (session: UsualSession, form: URLSearchParams) => Promise<Result> | Result;

const freshSession = (): UsualSession => ({ name: "", cart: {}, clicks: 0, report: "" });

/** The handlers, by step. */
function usualSteps(counts: boolean): Readonly<Record<string, Step>> {
  return {
    begin: (session) => {
      clearNotes();
      Object.assign(session, freshSession());
      return "replaced";
    },
    add: async (session, form) => {
      await lookUp();
      session.cart[itemOf(form)] = 1;
      session.clicks += 1;
      return undefined;
    },
    cart: ({ cart, clicks }) => ({
      kept: Object.keys(cart).length,
      counted: counts ? clicks : undefined,
    }),
    login: (session) => {
      clearNotes();
      Object.assign(session, { ...freshSession(), name: "Ada" });
      // A new id, as at every login.
      return "replaced";
    },
    slow: async (session, form) => {
      await slowRequests.wait(form.get("run") ?? "");
      session.report = "ready";
      return undefined;
    },
    logout: () => "destroyed",
    me: ({ name }) => ({ name }),
  };
}

/** The application under a path, on either kind of whole sessions. */
export function usualWay(
  sessions: WholeSessions,
  cookieName: string,
  path: string,
  counts: boolean,
): Routes<undefined> {
  const attributes = `Path=${path}; HttpOnly; SameSite=Lax`;
  const serve = async (step: Step, { form, request, response }: Visit<undefined>) => {
    const cookie = cookiesOf(request.headers.cookie).get(cookieName);
    const before = await sessions.load(cookie);
    const session = before === undefined ? freshSession() : (JSON.parse(before) as UsualSession);
    if (before !== undefined) note(`loaded all: ${summaryOf(session)}`);
    const original = before ?? JSON.stringify(session);
    const result = await step(session, form);
    const after = JSON.stringify(session);
    const isNew = result === "replaced";
    if (result === "destroyed") {
      await sessions.destroy(cookie);
      addCookie(response, `${cookieName}=; ${attributes}; Max-Age=0`);
      note("destroyed the session");
    } else if (isNew || after !== original) {
      const value = await sessions.save(isNew ? undefined : cookie, after);
      if (isNew) await sessions.destroy(cookie);
      addCookie(response, `${cookieName}=${value}; ${attributes}; Max-Age=${LIFE}`);
      note(`wrote all: ${summaryOf(session)}`);
    }
    sendJson(response, typeof result === "object" ? result : {});
  };
  const routes = Object.entries(usualSteps(counts)).map(([name, step]) => {
    const handler = (visit: Visit<undefined>) => serve(step, visit);
    return [`POST ${path}/${name}`, handler] as const;
  });
  return Object.fromEntries(routes);
}

/** A session in a few words, for the list of events. */
function summaryOf({ name, cart, report }: UsualSession): string {
  const items = Object.keys(cart);
  const lines = items.length === 0 ? undefined : `${items.length} in the cart`;
  const known = [name, lines, report === "" ? undefined : "a report"].filter(Boolean);
  return known.length === 0 ? "empty" : known.join(", ");
}
