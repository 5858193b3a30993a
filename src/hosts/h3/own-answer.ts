// The engine's own path on h3 2. Whatever a middleware or a sub-application changed of the event before, the
// request's own path counts, and the answer's own headers.
import type { IncomingMessage } from "node:http";
import type { Connection } from "../../engine/connection.ts";
import type { SessionMiddleware } from "../../session/middleware.ts";
import { ownResponse } from "../shared/own-path.ts";
import { nodeRequestOf } from "../shared/underneath.ts";

/** The part of an event that it needs. */
interface AskedEvent {
  readonly req: Pick<Request, "url" | "method" | "headers">;
  readonly res: { readonly headers: Headers; readonly errHeaders?: Headers };
}

/** A request of node:http, of which Express around h3 has kept the whole path. */
type Routed = IncomingMessage & { readonly originalUrl?: string };

/** The engine's own answer to an event; undefined: the event is for the application. */
export function ownAnswerTo(
  engine: SessionMiddleware,
  { req, res }: AskedEvent,
  connection: () => Connection,
  env: unknown,
): Promise<Response> | undefined {
  const { method, headers } = req;
  const asked = { url: urlOf(req), method, headers };
  return ownResponse(engine, asked, connection, env)?.then((answer) => {
    for (const name of answer.headers.keys()) {
      if (name === "set-cookie") continue;
      // h3 would lay them over the answer.
      res.headers.delete(name);
      res.errHeaders?.delete(name);
    }
    return answer;
  });
}

/** The request's URL, or on Node.js its path: in `mount` h3 cuts its beginning from the URL meanwhile. */
function urlOf(request: AskedEvent["req"]): string {
  const node: Routed | undefined = nodeRequestOf(request, undefined);
  return node?.originalUrl ?? node?.url ?? request.url;
}
