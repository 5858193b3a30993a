// The exact steps on one key of one session within one process, one after the other. Each step leaves a
// hint of the stored value, so that the next one needn't lose a race to learn it. The lanes only save
// work: the store decides, and a step that overtook another too early loses there.
import { StoreError } from "../../errors.ts";
import { Bell } from "../../base/bell.ts";

/** The most steps that wait for one key. */
const MAX_WAITING = 64;
/** The longest wait, as a multiple of the store's time limit. */
const MAX_PATIENCES = 10;

/** The steps of one key. */
export interface Lane<Hint> {
  /** The last step's hint. */
  hint: Hint | undefined;
  /** The number of steps that have begun. */
  begun: number;
  /** The step whose turn it is, as an object of its own. */
  holder: object | undefined;
  /** The instant from which the holder can be overtaken, monotonic milliseconds. */
  until: number;
  /** True once the store has failed: waiting is no use any more. */
  isOpen: boolean;
  readonly bell: Bell;
}

/** The lanes of one engine; each exists while a step uses it. */
export class Lanes<Hint> {
  readonly #lanes = new Map<string, Lane<Hint>>();
  readonly #patience: number;

  /** @param patience - the store's time limit for one answer, in milliseconds. */
  constructor(patience: number) {
    this.#patience = patience;
  }

  /** The number of lanes. */
  get size(): number {
    return this.#lanes.size;
  }

  /**
   * Runs `step` in its turn and gives its result. A turn that takes longer than the store's time limit is
   * overtaken.
   * @param step - gets its lane, and the number of steps that had begun when it came.
   * @returns "contended", without running `step`, if too many wait already or the wait was too long.
   */
  async run<T>(
    name: string,
    step: (lane: Lane<Hint>, came: number) => Promise<T>,
  ): Promise<T | "contended"> {
    const lane = this.#laneOf(name);
    const came = lane.begun;
    const end = performance.now() + MAX_PATIENCES * this.#patience;
    if (isTaken(lane) && lane.bell.waiting >= MAX_WAITING) return "contended";
    while (isTaken(lane)) {
      const now = performance.now();
      if (now >= end) return "contended";
      // oxlint-disable-next-line no-await-in-loop -- another step may have been faster
      await lane.bell.wait(Math.min(lane.until, end) - now);
    }
    const holder = {};
    lane.holder = holder;
    lane.begun++;
    lane.until = performance.now() + this.#patience;
    try {
      return await step(lane, came);
    } catch (error) {
      if (error instanceof StoreError) lane.isOpen = true;
      throw error;
    } finally {
      if (lane.holder === holder) lane.holder = undefined;
      if (lane.bell.waiting > 0) lane.bell.ring();
      else if (lane.holder === undefined && this.#lanes.get(name) === lane) {
        this.#lanes.delete(name);
      }
    }
  }

  #laneOf(name: string): Lane<Hint> {
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    this.#removeAbandoned();
    const bell = new Bell();
    const lane = { hint: undefined, begun: 0, holder: undefined, until: 0, isOpen: false, bell };
    this.#lanes.set(name, lane);
    return lane;
  }

  /** Cancelled requests never leave their lane, so each new lane checks two others. */
  #removeAbandoned(): void {
    let looked = 0;
    for (const [name, lane] of this.#lanes) {
      this.#lanes.delete(name);
      if (performance.now() < lane.until + MAX_PATIENCES * this.#patience) {
        this.#lanes.set(name, lane);
      }
      if (++looked === 2) return;
    }
  }
}

function isTaken({ holder, isOpen, until }: Lane<unknown>): boolean {
  return holder !== undefined && !isOpen && until > performance.now();
}
