// Express 5.
import express, { type Express, type Request, type Response } from "express";
import type { Awaitable, BenchServer } from "../../lib/subject.ts";
import { after, nextValue, page, routes } from "../routes.ts";
import { listen } from "./node.ts";

/** What a subject does on Express. */
export interface ExpressActions {
  readonly mount?: (app: Express) => void;
  readonly login: (request: Request, response: Response) => Awaitable<void>;
  /** The session's "name". */
  readonly read: (request: Request, response: Response) => Awaitable<string | undefined>;
  /** Sets "csrf" and saves. */
  readonly write: (request: Request, response: Response, value: string) => Awaitable<void>;
}

/** A server with the routes. */
export function onExpress(actions: ExpressActions): Promise<BenchServer> {
  const app = express();
  actions.mount?.(app);
  app.get(routes.read, (request, response) =>
    after(actions.read(request, response), (name) => void response.send(page(name))),
  );
  app.get(routes.write, (request, response) =>
    after(actions.write(request, response, nextValue()), () => void response.send(page("alice"))),
  );
  app.get(routes.login, (request, response) =>
    after(actions.login(request, response), () => void response.send(page("alice"))),
  );
  app.get(routes.idle, (_, response) => void response.send(page("alice")));
  return listen(app);
}
