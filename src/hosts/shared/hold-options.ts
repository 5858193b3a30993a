// What a held response needs of the session that it waits for, and of its host.
import type { Awaitable } from "../../base/awaitable.ts";
import type { ResponseEffects } from "../../engine/effects.ts";
import type { PlainRequest } from "./lost-cookie.ts";

/** The part of an engine, or of a drop-in over one, that a held response needs. */
export interface HeldEngine<Session> {
  /** As the engine's: a second call, after a failed one, doesn't fail. */
  commit(session: Session): Awaitable<ResponseEffects>;
  abandon(session: Session): void;
  whenChanged(session: Session, listener: () => void): void;
}

/** The part of a host that a held response needs. */
export interface HoldOptions<Session = unknown> {
  readonly engine: HeldEngine<Session>;
  readonly session: Session;
  /** Where the session is found, until another library puts its own there; absent: nowhere. */
  readonly request?: PlainRequest & { readonly session: unknown };
  /** The request as the client has sent it, where that is another object; default: `request`. */
  readonly sent?: PlainRequest;
  /** Takes a failed commit to the host's own error path; the response is still unsent. */
  readonly fail: (error: unknown) => void;
}
