// Every host without any session: what the others' costs are counted from.
import type { Subject } from "../lib/subject.ts";
import { onExpress } from "../http/hosts/express.ts";
import { onFastify } from "../http/hosts/fastify.ts";
import { onFetch } from "../http/hosts/fetch.ts";
import { onH3 } from "../http/hosts/h3.ts";
import { onHono } from "../http/hosts/hono.ts";
import { onKoa } from "../http/hosts/koa.ts";
import { onNode } from "../http/hosts/node.ts";
import { page } from "../http/routes.ts";

const nothing = (): undefined => undefined;
const actions = { login: nothing, read: () => "alice", write: nothing };
const answer = (): Response => new Response(page("alice"));

/** No session, and what a middleware costs that does nothing: what nobody's can cost less than. */
export const subjects: readonly Subject[] = [
  {
    name: "no session",
    kind: "none",
    http: {
      node: () => onNode(actions),
      express: () => onExpress(actions),
      fastify: () => onFastify(actions),
      koa: () => onKoa(actions),
      hono: () => onHono(actions),
      h3: () => onH3(actions),
      fetch: () => onFetch({ login: answer, read: answer, write: answer, idle: answer }),
    },
  },
  {
    name: "a middleware that does nothing",
    kind: "none",
    // As many as ours: V8 compiles what runs often.
    modes: ["read", "write", "anonymous", "idle", "passing"],
    http: {
      node: () => onNode({ ...actions, mount: (_, __, next) => next() }),
      express: () => onExpress({ ...actions, mount: (app) => app.use((_, __, next) => next()) }),
      fastify: () =>
        onFastify({
          ...actions,
          mount: async (app) => {
            app.addHook("onRequest", (_, __, next) => next());
            app.addHook("onSend", (_, __, payload, next) => next(null, payload));
          },
        }),
      koa: () => onKoa({ ...actions, mount: (app) => app.use(async (_, next) => next()) }),
      hono: () => onHono({ ...actions, mount: (app) => app.use(async (_, next) => next()) }),
      h3: () => onH3({ ...actions, mount: (app) => app.use(async (_, next) => next()) }),
      fetch: () => {
        const wrapped = async (): Promise<Response> => answer();
        return onFetch({ login: wrapped, read: wrapped, write: wrapped, idle: wrapped });
      },
    },
  },
];
