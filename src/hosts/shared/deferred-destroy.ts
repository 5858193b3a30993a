// Defers the destruction of a connection while answers for it wait, so that they are sent first, as they
// would be without the wait. It knows sockets and streams, no session and no response.

/** Restores a covered property. */
export type Undo = () => void;
type Destroy = (error?: unknown) => unknown;

/** A connection's DeferredDestroy while answers wait; pipelined responses share it. */
const deferred = Symbol("kocha-session.deferred");
interface Deferrable {
  destroy: Destroy;
  [deferred]?: DeferredDestroy | undefined;
}

/** Covers an object's own or inherited property; gives a function that restores it. */
export function cover(target: object, name: string, value: unknown): Undo {
  const fields = target as Record<string, unknown>;
  if (Object.hasOwn(target, name)) {
    const own = fields[name];
    fields[name] = value;
    return () => {
      fields[name] = own;
    };
  }
  // An inherited property may be a getter, which an assignment doesn't cover.
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
  return () => void Reflect.deleteProperty(target, name);
}

const nothing = (): void => undefined;

/** Defers the destruction of a connection until it has the last waiting answer. */
export class DeferredDestroy {
  readonly #target: Deferrable;
  readonly #undo: Undo[] = [];
  /** For each waiting answer a function that is called when destruction is asked for. */
  #waiting: (() => void)[] = [];
  #isAsked = false;
  #error: unknown;

  private constructor(target: Deferrable, isGone: (error: unknown) => boolean) {
    this.#target = target;
    const { destroy } = target;
    // By assignment: defining and deleting a property costs more than the rest of the work.
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
   * Makes a connection wait for an answer, until `release`.
   * @param isGone - true for an error that means that the connection is lost anyway.
   * @param asked - called when destruction is asked for; identifies the answer for `release`.
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

  /** Covers a property with its value after a destruction. */
  show(name: string, value: unknown): void {
    this.#undo.push(cover(this.#target, name, value));
  }

  /**
   * Ends the wait of an answer. With the last one the connection is restored.
   * @returns a function that destroys it if that was asked for, to be called once it has the answer.
   */
  release(asked: () => void): () => void {
    const target = this.#target;
    this.#waiting = this.#waiting.filter((one) => one !== asked);
    if (this.#waiting.length > 0) return nothing;
    target[deferred] = undefined;
    for (const undo of this.#undo.toReversed()) undo();
    if (!this.#isAsked) return nothing;
    // In a later turn: node holds the first bytes of a response back until the end of this one.
    return () => void setImmediate(() => target.destroy(this.#error));
  }

  #ask(error: unknown): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#error = error;
    for (const asked of this.#waiting) asked();
  }
}
