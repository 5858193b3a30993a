// The string map of one request, with a record of the request's changes. It checks the limits on the
// request's view; it knows no store and no cookie.
import { copyOf } from "../base/maps.ts";
import { DEVICE_KEY } from "../base/reserved.ts";
import { LimitError } from "../errors.ts";
import { countUnits, findLargestKeys, MAX_BYTES_PER_UNIT, utf8Length } from "../base/text.ts";

/** The limits that `set` checks. */
export interface MapLimits {
  readonly maxKeyBytes: number;
  readonly maxKeys: number;
  readonly maxSessionBytes: number;
}

/** A recorded change, which applies in this order: clear, del, set. */
export interface RecordedChange {
  readonly clear: boolean;
  readonly set: ReadonlyMap<string, string>;
  readonly del: readonly string[];
}

/** The state of a map. */
export interface MapState {
  readonly base: ReadonlyMap<string, string>;
  readonly change: RecordedChange;
}

/** From a key's value to its next value; undefined: absent; null: the key is removed. */
export type Edit = (value: string | undefined) => string | null;

const none: ReadonlyMap<string, string> = new Map();

/** No change. */
export const noChange: RecordedChange = { clear: false, set: none, del: [] };

/** A string map that records its difference from the loaded one. */
export class SessionMap {
  readonly #limits: MapLimits;
  #base: ReadonlyMap<string, string> = none;
  /** The request's view; the base itself until the first change. */
  #view: ReadonlyMap<string, string> = none;
  /** The view, if it is a copy of our own. */
  #own: Map<string, string> | undefined;
  #cleared = false;
  #set: Map<string, string> | undefined;
  #del: Set<string> | undefined;
  /** The view's length in UTF-16 units, counted at the first set; -1: not yet. */
  #units = -1;
  /** The keys whose stored values the request has read; undefined: not recorded. */
  readonly #reads: Set<string> | undefined;

  /** @param notesReads - true: records reads, for `premises`. */
  constructor(limits: MapLimits, notesReads = false) {
    this.#limits = limits;
    this.#reads = notesReads ? new Set() : undefined;
  }

  /** The request's view: the loaded data with its own changes. */
  get view(): ReadonlyMap<string, string> {
    return this.#view;
  }

  /** A key's value in the view; recorded as a read of the application. */
  read(key: string): string | undefined {
    if (this.#reads !== undefined && !this.decides(key)) this.#reads.add(key);
    return this.#view.get(key);
  }

  /** True if the request's own changes determine a key's value, whatever is stored. */
  decides(key: string): boolean {
    return this.#cleared || this.#set?.has(key) === true || this.#del?.has(key) === true;
  }

  /** The loaded values of the keys that were read and then changed; undefined: not recorded. */
  get premises(): ReadonlyMap<string, string | undefined> | undefined {
    if (this.#reads === undefined || this.#cleared) return undefined;
    const changed = [...this.#reads].filter((key) => this.decides(key));
    return new Map(changed.map((key) => [key, this.#base.get(key)]));
  }

  /** True if a change is recorded. */
  get changed(): boolean {
    return this.#cleared || (this.#set?.size ?? 0) > 0 || (this.#del?.size ?? 0) > 0;
  }

  /** Takes `base` as the stored data and forgets every change. The map is not copied. */
  load(base: ReadonlyMap<string, string>): void {
    this.#base = base;
    this.discard();
  }

  /** Forgets every change since `load` or `settle`. */
  discard(): void {
    this.#view = this.#base;
    this.#own = undefined;
    this.#cleared = false;
    this.#set = this.#del = undefined;
    this.#units = -1;
  }

  /**
   * Sets a well-formed key to a well-formed value; an equal value is no change.
   * @returns true if the map changed.
   * @throws {LimitError} ERR_SESSION_LIMIT_KEY, _KEYS or _SESSION; then nothing has changed.
   */
  set(key: string, value: string): boolean {
    const before = this.#view.get(key);
    if (before === value) return false;
    this.#checkLimits(key, value, before);
    this.#put(key, value, before);
    return true;
  }

  #put(key: string, value: string, before: string | undefined): void {
    this.#write().set(key, value);
    if (this.#units >= 0) {
      this.#units += value.length - (before === undefined ? -key.length : before.length);
    }
    if (!this.#cleared && this.#base.get(key) === value) {
      this.#set?.delete(key);
    } else {
      (this.#set ??= new Map()).set(key, value);
    }
    this.#del?.delete(key);
  }

  /**
   * Replaces a key's value by the result of `edit`.
   * @throws as `set`, and what `edit` throws; then nothing has changed.
   */
  edit(key: string, edit: Edit): void {
    const before = this.state;
    try {
      const value = edit(this.#view.get(key));
      if (value === null) this.del(key);
      else this.set(key, value);
    } catch (error) {
      // An edit may have changed the session itself before it threw.
      this.restore(before);
      throw error;
    }
  }

  /** Removes a key; true if it was present. */
  del(key: string): boolean {
    const before = this.#view.get(key);
    if (before === undefined) return false;
    this.#write().delete(key);
    if (this.#units >= 0) this.#units -= key.length + before.length;
    this.#set?.delete(key);
    if (!this.#cleared && this.#base.has(key)) (this.#del ??= new Set()).add(key);
    return true;
  }

  /**
   * Removes all keys, except that a session which is bound to a device stays bound.
   * @param barrier - true: recorded even if the view is empty, since on a stored session a clear also
   * removes the concurrent writes of others (law L3).
   * @returns true if anything changed.
   */
  clear(barrier: boolean): boolean {
    if (!barrier && this.#view.size === 0) return false;
    const device = this.#view.get(DEVICE_KEY);
    this.#own = new Map();
    this.#view = this.#own;
    this.#units = 0;
    this.#cleared = barrier;
    this.#set = undefined;
    this.#del = undefined;
    if (device !== undefined) this.#put(DEVICE_KEY, device, undefined);
    return true;
  }

  /** The change since `load` or `settle`. */
  get change(): RecordedChange {
    return { clear: this.#cleared, set: this.#set ?? none, del: [...(this.#del ?? [])] };
  }

  /** Takes the change as saved, and gives it: the view becomes the base of the next changes. */
  settle(): RecordedChange {
    const settled = this.change;
    this.load(this.#view);
    return settled;
  }

  /** The current state, for `restore`. */
  get state(): MapState {
    const { clear, set, del } = this.change;
    return { base: this.#base, change: { clear, set: new Map(set), del } };
  }

  /** Goes back to an earlier state. */
  restore({ base, change }: MapState): void {
    this.load(base);
    this.apply(change);
  }

  /** Applies a recorded change again, without checking the limits. */
  apply({ clear, set, del }: RecordedChange): void {
    if (clear) this.clear(true);
    for (const key of del) this.del(key);
    for (const [key, value] of set) {
      const before = this.#view.get(key);
      if (before !== value) this.#put(key, value, before);
    }
  }

  /** Takes a key's stored value into the base; the changes stay on top of it. */
  learn(key: string, value: string | undefined): void {
    if (this.#base.get(key) === value) return;
    const base = new Map(this.#base);
    if (value === undefined) base.delete(key);
    else base.set(key, value);
    this.restore({ base, change: this.change });
  }

  #write(): Map<string, string> {
    if (this.#own === undefined) {
      this.#own = copyOf(this.#view);
      this.#view = this.#own;
    }
    return this.#own;
  }

  #checkLimits(key: string, value: string, before: string | undefined): void {
    const { maxKeyBytes, maxKeys, maxSessionBytes } = this.#limits;
    // The number of units bounds the number of bytes, so most sets needn't look at the characters.
    if (key.length * MAX_BYTES_PER_UNIT > maxKeyBytes && utf8Length(key) > maxKeyBytes) {
      const size = { actual: utf8Length(key), limit: maxKeyBytes };
      const message = `the key has ${size.actual} bytes, over maxKeyBytes ${maxKeyBytes}`;
      throw new LimitError("ERR_SESSION_LIMIT_KEY", message, size);
    }
    if (before === undefined && this.#view.size >= maxKeys) {
      const size = { actual: this.#view.size + 1, limit: maxKeys };
      const message = `one more key makes ${size.actual}, over maxKeys ${maxKeys}`;
      throw new LimitError("ERR_SESSION_LIMIT_KEYS", message, size);
    }
    if (this.#units < 0) this.#units = countUnits(this.#view);
    if ((this.#units + key.length + value.length) * MAX_BYTES_PER_UNIT <= maxSessionBytes) return;
    const now = countBytes(this.#view);
    const kept = now - (before === undefined ? 0 : utf8Length(key) + utf8Length(before));
    const actual = kept + utf8Length(key) + utf8Length(value);
    // Racing changes may have passed the limit together: a change that shrinks the session is allowed.
    if (actual <= maxSessionBytes || actual <= now) return;
    const largestKeys = findLargestKeys(new Map(this.#view).set(key, value));
    throw new LimitError(
      "ERR_SESSION_LIMIT_SESSION",
      `the session would have ${actual} bytes, over maxSessionBytes ${maxSessionBytes}`,
      { actual, limit: maxSessionBytes, largestKeys },
    );
  }
}

/** Two successive changes as one. */
export function composeChanges(first: RecordedChange, second: RecordedChange): RecordedChange {
  if (second.clear) return second;
  const set = new Map(first.set);
  const del = new Set(first.del);
  for (const key of second.del) {
    set.delete(key);
    del.add(key);
  }
  for (const [key, value] of second.set) {
    set.set(key, value);
    del.delete(key);
  }
  return { clear: first.clear, set, del: [...del] };
}

function countBytes(data: ReadonlyMap<string, string>): number {
  let bytes = 0;
  for (const [key, value] of data) bytes += utf8Length(key) + utf8Length(value);
  return bytes;
}
