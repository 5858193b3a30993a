// h3 2 on its own adapter for Node.js.
import { H3, type H3Event, serve } from "h3";
import type { Awaitable, BenchServer } from "../../lib/subject.ts";
import { after, nextValue, page, routes } from "../routes.ts";

/** What a subject does on h3. */
export interface H3Actions {
  readonly mount?: (app: H3) => void;
  readonly login: (event: H3Event) => Awaitable<void>;
  /** The session's "name". */
  readonly read: (event: H3Event) => Awaitable<string | undefined>;
  /** Sets "csrf" and saves. */
  readonly write: (event: H3Event, value: string) => Awaitable<void>;
}

/** A server with the routes. */
export async function onH3(actions: H3Actions): Promise<BenchServer> {
  const app = new H3();
  actions.mount?.(app);
  app.get(routes.read, (event) => after(actions.read(event), page));
  app.get(routes.write, (event) => after(actions.write(event, nextValue()), () => page("alice")));
  app.get(routes.login, (event) => after(actions.login(event), () => page("alice")));
  app.get(routes.idle, () => page("alice"));
  const server = serve(app, { port: 0, hostname: "127.0.0.1", silent: true });
  await server.ready();
  return { port: Number(new URL(server.url ?? "").port) };
}
