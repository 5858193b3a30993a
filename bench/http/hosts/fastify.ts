// Fastify 5.
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { AddressInfo } from "node:net";
import type { Awaitable, BenchServer } from "../../lib/subject.ts";
import { nextValue, page, routes } from "../routes.ts";

/** What a subject does on Fastify. */
export interface FastifyActions {
  readonly mount?: (app: FastifyInstance) => Promise<unknown>;
  readonly login: (request: FastifyRequest, reply: FastifyReply) => Awaitable<void>;
  /** The session's "name". */
  readonly read: (request: FastifyRequest, reply: FastifyReply) => Awaitable<string | undefined>;
  /** Sets "csrf" and saves. */
  readonly write: (request: FastifyRequest, reply: FastifyReply, value: string) => Awaitable<void>;
}

/** A server with the routes. */
export async function onFastify(actions: FastifyActions): Promise<BenchServer> {
  const app = Fastify();
  await actions.mount?.(app);
  app.get(routes.read, async (request, reply) => page(await actions.read(request, reply)));
  app.get(routes.write, async (request, reply) => {
    await actions.write(request, reply, nextValue());
    return page("alice");
  });
  app.get(routes.login, async (request, reply) => {
    await actions.login(request, reply);
    return page("alice");
  });
  app.get(routes.idle, async () => page("alice"));
  await app.listen({ port: 0, host: "127.0.0.1" });
  return { port: (app.server.address() as AddressInfo).port };
}
