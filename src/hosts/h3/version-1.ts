// Sessions for h3 1, on which Nuxt 4 and Nitro 2 are built. Its middlewares aren't around what follows them,
// so on Node.js the response is held; elsewhere Nitro is asked for the answer, which carries the session.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connection } from "../../engine/connection.ts";
import type { OwnAnswer } from "../../engine/device.ts";
import { withEffects } from "../../engine/response.ts";
import { ConfigError } from "../../errors.ts";
import type { EngineSource } from "../shared/engine-source.ts";
import { answerError } from "../shared/error-answer.ts";
import { hold } from "../shared/hold.ts";
import { pageSession, stillOpen } from "../shared/joining.ts";
import { isLocal } from "../shared/loopback.ts";
import { ownNodeAnswer, sendOwnAnswer, toResponse } from "../shared/own-path.ts";
import { leaveSession } from "../shared/underneath.ts";
import { carry, type Exchange, mustBeFree } from "../shared/web.ts";
import { BEHIND_FETCH, nitroEnv } from "./inner.ts";

interface Context {
  session?: unknown;
  /** Nitro's, on Cloudflare. */
  readonly cloudflare?: { readonly env?: unknown; readonly request?: { readonly url: string } };
}

/** A request of node:http, or what Nitro makes of one that isn't. */
interface Incoming extends IncomingMessage {
  /** On a request that Nitro makes for a page: the context of the page's event. */
  readonly __unenv__?: Context | undefined;
  readonly body?: unknown;
}

/** The part of an event of h3 1 that a session needs; `fetch` and `captureError` are Nitro's. */
export interface OlderEvent {
  readonly node: { readonly req: Incoming; readonly res: ServerResponse };
  readonly context: object;
  readonly fetch?: (url: string, init: object) => Promise<Response>;
  readonly captureError?: (error: unknown, context: object) => void;
}

/**
 * Puts the session into an event's context; gives the answer, where that has been asked for.
 * @throws {ConfigError} when no response of node:http is there, and no Nitro.
 */
export async function attachOlder(engines: EngineSource, event: OlderEvent): Promise<unknown> {
  const { node } = event;
  const context = event.context as Context;
  mustBeFree(context.session, "event.context.session");
  const env = context.cloudflare?.env ?? nitroEnv();
  const engine = engines(env);
  const answering =
    engine.devices && ownNodeAnswer(engine, node.req, () => new OlderConnection(event));
  if (answering !== undefined) return answerHere(event, await answering);
  const { session: around, __unenv__: page } = node.req;
  const outer =
    stillOpen(engine, context.session) ??
    stillOpen(engine, around) ??
    pageSession(engine, page?.session);
  if (outer !== undefined) {
    context.session = outer;
    return undefined;
  }
  const { cookie } = node.req.headers;
  if (isAnonymous(event)) {
    context.session = await engine.openReadOnly(cookie, undefined, env, BEHIND_FETCH);
    return undefined;
  }
  const connection = new OlderConnection(event);
  const session = await engine.open(cookie, connection, undefined, env);
  context.session = session;
  if (isOfNode(node.res)) {
    leaveSession(node.req, session);
    hold(node.res, {
      engine,
      session,
      request: context as { session: unknown },
      fail: failed(event),
    });
    return undefined;
  }
  return answerOf({ engine, session, underneath: undefined }, event);
}

/** Sends the engine's own answer, or gives it where there is no response of node:http. */
function answerHere({ node }: OlderEvent, answer: OwnAnswer): Response | undefined {
  if (!isOfNode(node.res)) return toResponse(answer);
  sendOwnAnswer(node.req, node.res, answer);
  return undefined;
}

/**
 * True for a request that the server makes to itself by the global `$fetch`, which brings nothing of the
 * page's event: Nitro gives it this host, without a port. Its answer reaches no client.
 */
function isAnonymous({ node, fetch }: OlderEvent): boolean {
  const { __unenv__, headers } = node.req;
  const isMade = fetch !== undefined && !isOfNode(node.res) && __unenv__ === undefined;
  return isMade && headers.host === "localhost";
}

/** True for a response of node:http, not one that stands for it. */
function isOfNode(response: ServerResponse): boolean {
  return response.socket !== null && response.socket !== undefined;
}

/** Asks Nitro for the answer of what follows, and gives it with what the session owes. */
async function answerOf(exchange: Exchange, event: OlderEvent): Promise<Response> {
  const { req } = event.node;
  if (event.fetch === undefined) throw withoutResponse();
  const { method, headers, body, url = "/" } = req;
  // The context has the session: the same middleware finds it there, and lets the request pass.
  const response = await event.fetch(url, {
    method,
    headers,
    body,
    context: event.context,
    redirect: "manual",
  });
  return carry(
    exchange,
    response,
    () => false,
    (effects) => withEffects(effects, response),
  );
}

function withoutResponse(): ConfigError {
  const message =
    "by toWebHandler can't wait for the session; serve it by toNodeListener or Nitro, or use h3 2";
  return new ConfigError("ERR_SESSION_CONFIG_FIELD", "h3 1", message);
}

/** Answers a failed commit: h3 has no error path for a response that has begun. */
function failed(event: OlderEvent): (error: unknown) => void {
  return (error) => {
    // oxlint-disable-next-line no-console -- as h3 does with what nobody handles
    if (event.captureError === undefined) console.error(error);
    else event.captureError(error, { tags: ["response"] });
    answerError(event.node.res, error);
  };
}

class OlderConnection implements Connection {
  readonly #event: OlderEvent;

  constructor(event: OlderEvent) {
    this.#event = event;
  }

  get secure(): boolean {
    const { node } = this.#event;
    const { cloudflare } = this.#event.context as Context;
    const socket = node.req.socket as { readonly encrypted?: boolean };
    return socket.encrypted === true || cloudflare?.request?.url.startsWith("https:") === true;
  }

  get loopback(): boolean {
    const { headers, socket } = this.#event.node.req;
    return isLocal(socket.remoteAddress, (name) => headers[name]);
  }
}
