// One step after the other for each row: what stores without an atomic update of their own do not
// to race themselves within one process. Between processes it orders nothing.
//
// A driver's call may never settle. So each step waits no longer than the patience (base/bell.ts):
// then it takes over, and the turn that went on too long is overtaken.
import { StoreError } from "../errors.ts";
import { Bell } from "../base/bell.ts";

/** The patience before an engine sets it, in milliseconds: storeTimeout's default. */
const DEFAULT_PATIENCE = 1000;

/** The steps of one row. */
interface Line<Value> {
  holder: Turn<Value> | undefined;
  /** The instant from which the holder can be overtaken, monotonic milliseconds. */
  until: number;
  /** Turns that were overtaken and haven't ended. */
  readonly late: Set<Turn<Value>>;
  readonly bell: Bell;
}

/** A step's time with its row. */
export class Turn<Value> {
  readonly #line: Line<Value>;
  /** The result of a later turn, since this one was overtaken. */
  newer: { readonly value: Value } | undefined;

  /** @internal */
  constructor(line: Line<Value>) {
    this.#line = line;
  }

  /** True once another step took over. */
  get isOvertaken(): boolean {
    return this.#line.holder !== this;
  }

  /**
   * Throws if another step took over; to be called before a write.
   * @throws {StoreError} ERR_SESSION_STORE_TIMEOUT
   */
  assertHeld(): void {
    if (!this.isOvertaken) return;
    const message = "the store answered so late that another request took over; nothing was saved";
    throw new StoreError("ERR_SESSION_STORE_TIMEOUT", "save", message);
  }

  /** Notes the stored value, for overtaken turns. */
  leave(value: Value): void {
    for (const turn of this.#line.late) turn.newer = { value };
  }
}

/** Runs the steps of one row one after the other; those of other rows don't wait. */
export class RowQueue<Value = never> {
  readonly #lines = new Map<string, Line<Value>>();
  #patience: number | undefined;

  /** Sets the patience in milliseconds; the longest of several calls counts. */
  allow(ms: number): void {
    this.#patience = Math.max(ms, this.#patience ?? 0);
  }

  /** What `step` gives, once it is its turn. */
  async run<T>(row: string, step: (turn: Turn<Value>) => Promise<T>): Promise<T> {
    let line = this.#lineOf(row);
    while (line.holder !== undefined && line.until > performance.now()) {
      // oxlint-disable-next-line no-await-in-loop -- another one may have been faster
      await line.bell.wait(line.until - performance.now());
      line = this.#lineOf(row);
    }
    if (line.holder !== undefined) line.late.add(line.holder);
    const turn = new Turn(line);
    line.holder = turn;
    line.until = performance.now() + (this.#patience ?? DEFAULT_PATIENCE);
    try {
      return await step(turn);
    } finally {
      this.#end(row, line, turn);
    }
  }

  #lineOf(row: string): Line<Value> {
    const known = this.#lines.get(row);
    if (known !== undefined) return known;
    const line: Line<Value> = {
      holder: undefined,
      until: 0,
      late: new Set(),
      bell: new Bell(),
    };
    this.#lines.set(row, line);
    return line;
  }

  #end(row: string, line: Line<Value>, turn: Turn<Value>): void {
    line.late.delete(turn);
    if (line.holder === turn) line.holder = undefined;
    if (line.holder !== undefined) return;
    // Whoever waits looks the line up again.
    if (line.late.size === 0) this.#lines.delete(row);
    line.bell.ring();
  }
}
