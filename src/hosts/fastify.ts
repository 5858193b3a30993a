// Sessions for Fastify: `request.session`, saved in onSend, so that a failed commit is answered by
// the error handler.
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from "fastify";
import { isThenable, type Awaitable } from "../base/awaitable.ts";
import type { SessionConfig } from "../engine/config.ts";
import type { SessionConfigSource } from "../session/middleware.ts";
import { occupied } from "../session/misuse.ts";
import type { Session } from "../session/session.ts";
import { attach } from "./shared/attach.ts";
import { type EngineSource, engineSource } from "./shared/engine-source.ts";
import { answerError } from "./shared/error-answer.ts";
import { type HostHead, joined, listed } from "./shared/head.ts";
import { holdOf } from "./shared/hold.ts";
import { ConfigError } from "../errors.ts";

export { openSession } from "./shared/engine-source.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The client's session; `sessionPlugin` of kocha-session/fastify puts it there. */
    session: Session;
  }
}

/** Says that the decorator `session` is ours. */
const decorated = Symbol.for("kocha-session.decorated");
/** Before it, hooks and decorators of requests are others. */
const LEAST_MAJOR = 4;

/**
 * What the plugin is registered with: a configuration, or in `config` whatever other entry points
 * take. Fastify itself calls a function that is given as the options, while it loads its plugins.
 */
export type SessionPluginOptions = SessionConfig | { readonly config: SessionConfigSource };

/**
 * Sessions for a Fastify instance and all below it: `app.register(sessionPlugin, config)`.
 *
 * Https is what `request.protocol` says, so `trustProxy` counts. A hijacked reply is held until the
 * session is saved, too. Registered twice with one configuration, it opens once.
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
        // Throws for what isn't the session: the one setter for both.
        this.raw.session = value as Session;
      },
    });
  }
  instance.addHook("onRequest", (request, reply, next) => {
    let session: Awaitable<Session>;
    try {
      session = attach(
        engine(),
        request.raw,
        reply.raw,
        (error) => failHijacked(reply, error),
        () => request.protocol === "https",
      );
    } catch (error) {
      next(error as Error);
      return;
    }
    if (isThenable(session)) session.then(() => next(), next);
    else next();
  });
  instance.addHook("onSend", (_, reply, payload, next) => {
    const hold = holdOf(reply.raw);
    // The end of the handler whose answer was dropped: the error is still to be answered.
    if (hold?.failure !== undefined && isNothing(reply, payload)) {
      next(hold.failure.error as Error);
      return undefined;
    }
    // Without a connection the reply doesn't look sent while it waits.
    if (hold?.isSettling === true) {
      reply.log.warn("the reply was sent already, and waits for its session");
      return undefined;
    }
    // What it throws is Fastify's to catch, and so is what the promise rejects with.
    const settled = hold?.settle(new ReplyHead(reply));
    if (isThenable(settled)) return settled;
    // Most sessions are saved at once, and need no promise.
    next(null, payload);
    return undefined;
  });
  done();
};

/**
 * Whether a reply says nothing, as Fastify's own one does when an async handler has ended without a
 * value: that isn't an error's answer.
 */
function isNothing(reply: FastifyReply, payload: unknown): boolean {
  return payload === undefined && reply.statusCode < 400 && !reply.hasHeader("location");
}

/** Fastify keeps a reply's headers by itself until it sends them. */
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

  /** As `set`: Fastify keeps several Set-Cookie values beside each other. */
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

// Fastify's sign that a plugin is for its parent too, not only for a scope of its own; and the name
// that its error messages use.
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

/** Fastify adds its own options to a plugin's; the configuration knows no such field. */
function withoutPrefix(options: SessionConfig): SessionConfig {
  const { prefix, logLevel, logSerializers, encapsulate, ...config } = options as SessionConfig & {
    readonly prefix?: unknown;
    readonly logLevel?: unknown;
    readonly logSerializers?: unknown;
    readonly encapsulate?: unknown;
  };
  const hasOwn = [prefix, logLevel, logSerializers, encapsulate].some((one) => one !== undefined);
  // The same object is the same engine, wherever it is registered.
  return hasOwn ? config : options;
}

/** A hijacked reply is the application's: no error handler sees it. */
function failHijacked(reply: FastifyReply, error: unknown): void {
  reply.log.error(error, "the session of a hijacked reply could not be saved");
  answerError(reply.raw, error);
}
