// The exact steps on one key of one session within one process, one after the other. Whoever is done
// leaves a hint of what is stored now, so that the next one needn't lose a race to find out. The
// lanes only save work: what is right is decided by the store, and a step that took another's place
// too early loses there.
import { StoreError } from "../errors.ts";
import { Bell } from "../base/bell.ts";

/** How many steps may wait for one key. */
const MAX_WAITING = 64;
/** How long one of them may wait, as so many times the store's own time. */
const MAX_PATIENCES = 10;

/** The steps of one key. */
export interface Lane<Hint> {
  /** What the last step has left. */
  hint: Hint | undefined;
  /** Whose turn it is: any object of its own. */
  holder: object | undefined;
  /** By the monotonic clock, in milliseconds: from when on nobody waits for the holder. */
  until: number;
  /** The store has failed: whoever waits would wait for nothing. */
  isOpen: boolean;
  readonly bell: Bell;
}

/** The lanes of one engine; each is there while somebody uses it. */
export class Lanes<Hint> {
  readonly #lanes = new Map<string, Lane<Hint>>();
  readonly #patience: number;

  /** @param patience - how long the store may take for one answer, in milliseconds. */
  constructor(patience: number) {
    this.#patience = patience;
  }

  /** How many lanes there are. */
  get size(): number {
    return this.#lanes.size;
  }

  /**
   * What `step` gives, once it is its turn; a turn that goes on longer than the store's own time is
   * waited for no more.
   * @returns "contended" without a step: too many wait already, or it has waited for too long.
   */
  async run<T>(name: string, step: (lane: Lane<Hint>) => Promise<T>): Promise<T | "contended"> {
    const lane = this.#laneOf(name);
    const end = performance.now() + MAX_PATIENCES * this.#patience;
    if (isTaken(lane) && lane.bell.waiting >= MAX_WAITING) return "contended";
    while (isTaken(lane)) {
      const now = performance.now();
      if (now >= end) return "contended";
      // oxlint-disable-next-line no-await-in-loop -- another one may have been faster
      await lane.bell.wait(Math.min(lane.until, end) - now);
    }
    const holder = {};
    lane.holder = holder;
    lane.until = performance.now() + this.#patience;
    try {
      return await step(lane);
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
    const lane = { hint: undefined, holder: undefined, until: 0, isOpen: false, bell: new Bell() };
    this.#lanes.set(name, lane);
    return lane;
  }

  /** A request that was cancelled never leaves its lane: each new lane looks after two others. */
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
