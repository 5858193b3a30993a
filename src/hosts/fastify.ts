// Sessions for Fastify: `request.session`, saved in onSend, so that a failed commit is answered by
// the error handler.
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from "fastify";
import { isThenable, type Awaitable } from "../base/awaitable.ts";
import type { SessionConfig } from "../engine/config.ts";
import type { OwnAnswer } from "../engine/device.ts";
import type { SessionConfigSource } from "../session/middleware.ts";
import { occupied } from "../session/misuse.ts";
import type { Session } from "../session/session.ts";
import { attach, NodeConnection } from "./shared/attach.ts";
import { type EngineSource, engineSource } from "./shared/engine-source.ts";
import { answerError } from "./shared/error-answer.ts";
import { type HostHead, joined, listed } from "./shared/head.ts";
import { holdOf } from "./shared/hold.ts";
import { ownNodeAnswer } from "./shared/own-path.ts";
import { ConfigError } from "../errors.ts";

export { openSession } from "./shared/engine-source.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The client's session; `sessionPlugin` of kocha-session/fastify puts it there. */
    session: Session;
  }
}

/** Marks the decorator `session` as ours. */
const decorated = Symbol.for("kocha-session.decorated");
/** Earlier versions have other hooks and request decorators. */
const LEAST_MAJOR = 4;

/**
 * The plugin's options: a configuration, or in `config` the argument of other entry points. Fastify itself
 * calls a function in place of the options, while it loads its plugins.
 */
export type SessionPluginOptions = SessionConfig | { readonly config: SessionConfigSource };

/**
 * Sessions for a Fastify instance and all below it: `app.register(sessionPlugin, config)`.
 *
 * `request.protocol` decides on https, so `trustProxy` counts. A hijacked reply is held until the session is
 * saved, too. Registered twice with one configuration, it opens once.
 * @throws {ConfigError} when the configuration is wrong, and on Fastify 3 and older.
 * @throws {UsageError} ERR_SESSION_USAGE_FOREIGN when another plugin has decorated `request.session`.
 */
export const sessionPlugin: FastifyPluginCallback<SessionPluginOptions> = (
  instance,
  options,
  done,
) => {
  let engine: EngineSource;
  try {
    mustBeRecent(instance.version);
    engine = engineSource("config" in options ? options.config : withoutPrefix(options));
  } catch (error) {
    done(error as Error);
    return;
  }
  if (!instance.hasRequestDecorator(decorated)) {
    if (instance.hasRequestDecorator("session")) {
      done(occupied("a decorator request.session"));
      return;
    }
    instance.decorateRequest(decorated, true);
    instance.decorateRequest("session", {
      getter(this: FastifyRequest) {
        return this.raw.session;
      },
      setter(this: FastifyRequest, value: unknown) {
        // Both share one setter, which throws for anything but the session.
        this.raw.session = value as Session;
      },
    });
  }
  instance.addHook("onRequest", (request, reply, next) => {
    let session: Awaitable<Session>;
    try {
      const { raw } = request;
      const own = engine();
      const isSecure = (): boolean => request.protocol === "https";
      const answering =
        own.devices && ownNodeAnswer(own, raw, () => new NodeConnection(raw, isSecure));
      if (answering !== undefined) {
        answering.then((answer) => sendOwn(reply, answer)).catch(next);
        return;
      }
      session = attach(own, raw, reply.raw, (error) => failHijacked(reply, error), isSecure);
    } catch (error) {
      next(error as Error);
      return;
    }
    if (isThenable(session)) session.then(() => next(), next);
    else next();
  });
  instance.addHook("onSend", (_, reply, payload, next) => {
    const hold = holdOf(reply.raw);
    // The handler whose answer was dropped has ended: the error is still to be answered.
    if (hold?.failure !== undefined && isNothing(reply, payload)) {
      next(hold.failure.error as Error);
      return undefined;
    }
    // Without a connection, the reply doesn't look sent while it waits.
    if (hold?.isSettling === true) {
      reply.log.warn("the reply was sent already, and waits for its session");
      return undefined;
    }
    // Fastify handles its error, thrown or as a rejection.
    const settled = hold?.settle(new ReplyHead(reply));
    if (isThenable(settled)) return settled;
    // Most sessions are saved at once, and need no promise.
    next(null, payload);
    return undefined;
  });
  done();
};

/**
 * True for a reply without content, as Fastify sends when an async handler ends without a value: that is no
 * answer to an error.
 */
function isNothing(reply: FastifyReply, payload: unknown): boolean {
  return payload === undefined && reply.statusCode < 400 && !reply.hasHeader("location");
}

/** The head of a reply: Fastify keeps the headers itself until it sends them. */
class ReplyHead implements HostHead {
  readonly #reply: FastifyReply;

  constructor(reply: FastifyReply) {
    this.#reply = reply;
  }

  get(name: string): string | undefined {
    return joined(this.#reply.getHeader(name));
  }

  set(name: string, value: string): void {
    void this.#reply.header(name, value);
  }

  /** As `set`: Fastify keeps several Set-Cookie values. */
  append(name: string, value: string): void {
    void this.#reply.header(name, value);
  }

  remove(name: string): void {
    void this.#reply.removeHeader(name);
  }

  cookies(): readonly string[] {
    return listed(this.#reply.getHeader("Set-Cookie"));
  }

  remember(): () => void {
    const reply = this.#reply;
    const before = reply.getHeaders();
    return () => {
      for (const name of Object.keys(reply.getHeaders())) void reply.removeHeader(name);
      void reply.headers(before);
    };
  }
}

// Fastify's mark for a plugin that also applies to its parent, not only to a scope of its own; and its name
// for error messages.
Object.assign(sessionPlugin, {
  [Symbol.for("skip-override")]: true,
  [Symbol.for("fastify.display-name")]: "kocha-session",
});

/** @throws {ConfigError} ERR_SESSION_CONFIG_FIELD */
function mustBeRecent(version: string): void {
  if (Number.parseInt(version, 10) >= LEAST_MAJOR) return;
  const message = `is version ${version}; kocha-session/fastify needs Fastify ${LEAST_MAJOR} or later`;
  throw new ConfigError("ERR_SESSION_CONFIG_FIELD", "fastify", message);
}

/** The configuration without the fields that Fastify adds to a plugin's options. */
function withoutPrefix(options: SessionConfig): SessionConfig {
  const { prefix, logLevel, logSerializers, encapsulate, ...config } = options as SessionConfig & {
    readonly prefix?: unknown;
    readonly logLevel?: unknown;
    readonly logSerializers?: unknown;
    readonly encapsulate?: unknown;
  };
  const hasOwn = [prefix, logLevel, logSerializers, encapsulate].some((one) => one !== undefined);
  // The same object gives the same engine, wherever it is registered.
  return hasOwn ? config : options;
}

/** Sends the engine's own answer by Fastify, whose hooks see it. */
function sendOwn(reply: FastifyReply, { status, headers, body }: OwnAnswer): void {
  void reply.code(status);
  // Fastify keeps several Set-Cookie values.
  for (const [name, value] of headers) void reply.header(name, value);
  void reply.send(body);
}

/** A hijacked reply is the application's: no error handler sees it. */
function failHijacked(reply: FastifyReply, error: unknown): void {
  reply.log.error(error, "the session of a hijacked reply could not be saved");
  answerError(reply.raw, error);
}
