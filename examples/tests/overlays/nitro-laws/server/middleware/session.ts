// The shop's session, and that of the conformance kit's case whose server the request came to.
import { deviceBinding } from "kocha-session/device";
import { sessionMiddleware } from "kocha-session/h3";
import * as testing from "kocha-session/testing";
import { defineMiddleware } from "nitro/h3";
import { session } from "../utils/session.ts";

type Middleware = ReturnType<typeof sessionMiddleware>;
type Config = Parameters<typeof sessionMiddleware>[0];

const middlewares = new Map<string, Middleware>();
const handlers = new Map<string, testing.ProbeHandler>();

/** What laws.js finds when it has imported the build. */
const kit = {
  testing,
  deviceBinding,
  handlers,
  serve(name: string, config: Config, handler: testing.ProbeHandler) {
    middlewares.set(name, sessionMiddleware(config));
    handlers.set(name, handler);
  },
};
Object.assign(globalThis, { kit });

const ours = sessionMiddleware(session);

export default defineMiddleware((event, next) =>
  (middlewares.get(event.req.headers.get("x-case") ?? "") ?? ours)(event, next),
);
