// The right column: the same application with this library. What a request changes is all that it says.
import { sessionMap, type AnySessionStore } from "kocha-session";
import type { Answer } from "../browser/proofs.mjs";
import { count } from "../catalog.ts";
import { clearNotes, refusal } from "../feed.ts";
import { type Routes, sendJson, type Visit } from "../http.ts";
import { itemOf, lookUp, slowRequests } from "./work.ts";

type Step = (visit: Visit) => Promise<Answer | void> | Answer | void;

/** Whether `increment` is one step at the store, so that it can be shown. */
export function isExact(store: AnySessionStore): boolean {
  return !("sealed" in store) && store.capabilities?.expects === true;
}

const cart = sessionMap("cart", count);

/** The handlers, by step. */
function ourSteps(counts: boolean): Readonly<Record<string, Step>> {
  return {
    begin: ({ session }) => {
      clearNotes();
      session.clear();
      session.start();
    },
    add: async ({ form, session }) => {
      await lookUp();
      cart.of(session).set(itemOf(form), 1);
      if (counts) await session.increment("clicks");
    },
    cart: ({ session }) => ({
      kept: cart.of(session).size,
      counted: counts ? Number(session.get("clicks")) : undefined,
    }),
    login: async ({ session }) => {
      clearNotes();
      session.clear();
      await session.regenerate();
      session.set("name", "Ada");
    },
    slow: async ({ form, session }) => {
      const name = session.get("name");
      await slowRequests.wait(form.get("run") ?? "");
      session.set("report", `ready for ${name}`);
    },
    logout: async ({ session }) => {
      await session.destroy();
    },
    me: ({ session }) => ({ name: session.get("name"), refused: refusal() }),
  };
}

/** The application under a path. */
export function ourWay(path: string, counts: boolean): Routes {
  const routes = Object.entries(ourSteps(counts)).map(([name, step]) => {
    const handler = async (visit: Visit): Promise<void> => {
      sendJson(visit.response, (await step(visit)) ?? {});
    };
    return [`POST ${path}/${name}`, handler] as const;
  });
  return Object.fromEntries(routes);
}
