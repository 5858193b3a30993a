// Koa 3.
import Koa, { type Context } from "koa";
import type { Awaitable, BenchServer } from "../../lib/subject.ts";
import { nextValue, page, routes } from "../routes.ts";
import { listen } from "./node.ts";

/** What a subject does on Koa. */
export interface KoaActions {
  readonly mount?: (app: Koa) => void;
  readonly login: (context: Context) => Awaitable<void>;
  /** The session's "name". */
  readonly read: (context: Context) => Awaitable<string | undefined>;
  /** Sets "csrf" and saves. */
  readonly write: (context: Context, value: string) => Awaitable<void>;
}

/** A server with the routes. */
export function onKoa(actions: KoaActions): Promise<BenchServer> {
  const app = new Koa();
  actions.mount?.(app);
  app.use(async (context) => {
    switch (context.url) {
      case routes.read:
        context.body = page(await actions.read(context));
        return;
      case routes.write:
        await actions.write(context, nextValue());
        break;
      case routes.login:
        await actions.login(context);
        break;
      default:
    }
    context.body = page("alice");
  });
  return listen(app.callback());
}
