// A connection that is destroyed while answers for it wait: the answers go out first, as they would
// have gone if they hadn't waited. It knows sockets and streams, no session and no response.

/** What gives a property back that was covered. */
export type Undo = () => void;
type Destroy = (error?: unknown) => unknown;

/** Where a connection has its own, while any waits: pipelined responses share it. */
const deferred = Symbol("kocha-session.deferred");
interface Deferrable {
  destroy: Destroy;
  [deferred]?: DeferredDestroy | undefined;
}

/** Puts a property in front of an object's own or inherited one; gives how to take it away. */
export function cover(target: object, name: string, value: unknown): Undo {
  const fields = target as Record<string, unknown>;
  if (Object.hasOwn(target, name)) {
    const own = fields[name];
    fields[name] = value;
    return () => {
      fields[name] = own;
    };
  }
  // An inherited one may be a getter, which an assignment doesn't cover.
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
  return () => void Reflect.deleteProperty(target, name);
}

const nothing = (): void => undefined;

/** The destruction of a connection, put off until the last answer that waits is with it. */
export class DeferredDestroy {
  readonly #target: Deferrable;
  readonly #undo: Undo[] = [];
  /** One for each answer that waits: called when the connection is to be destroyed. */
  #waiting: (() => void)[] = [];
  #isAsked = false;
  #error: unknown;

  private constructor(target: Deferrable, isGone: (error: unknown) => boolean) {
    this.#target = target;
    const { destroy } = target;
    // Assigned, and assigned back: to define and to delete a property costs more than all the rest.
    target.destroy = (error) => {
      if (isGone(error)) return destroy.call(target, error);
      this.#ask(error);
      return target;
    };
    this.#undo.push(() => {
      target.destroy = destroy;
    });
  }

  /**
   * Makes a connection wait for an answer; `release` ends it.
   * @param isGone - whether the connection is lost anyway, by the error that it is destroyed with.
   * @param asked - called when it is destroyed meanwhile; names the answer for `release`.
   */
  static wait(
    target: object,
    isGone: (error: unknown) => boolean,
    asked: () => void,
  ): DeferredDestroy {
    const place = target as Deferrable;
    const one = (place[deferred] ??= new DeferredDestroy(place, isGone));
    one.#waiting.push(asked);
    if (one.#isAsked) asked();
    return one;
  }

  /** Shows a property of the connection as it is once it is destroyed. */
  show(name: string, value: unknown): void {
    this.#undo.push(cover(this.#target, name, value));
  }

  /**
   * An answer waits no more. With the last one the connection is as it was before.
   * @returns destroys it, if that was asked: to be called when the answer is with the connection.
   */
  release(asked: () => void): () => void {
    const target = this.#target;
    this.#waiting = this.#waiting.filter((one) => one !== asked);
    if (this.#waiting.length > 0) return nothing;
    target[deferred] = undefined;
    for (const undo of this.#undo.toReversed()) undo();
    if (!this.#isAsked) return nothing;
    // Not at once: node keeps the first bytes of a response back for the rest of the turn.
    return () => void setImmediate(() => target.destroy(this.#error));
  }

  #ask(error: unknown): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#error = error;
    for (const asked of this.#waiting) asked();
  }
}
