// Revocations of one process: a list in its memory, unknown to other processes and lost at its end.
import { clock, readOptions } from "../base/options.ts";
import type { DeadList } from "./dead-list.ts";
import {
  ListedRevocations,
  type RevocationOptions,
  revocationReaders,
  type RevocationSettings,
} from "./listed.ts";
import {
  type AppendedRevocation,
  type RevocationEntry,
  type Revocations,
  type SessionLimits,
  toRecord,
} from "./revocations.ts";

/** How revocations in memory are kept. */
export interface MemoryRevocationsOptions extends RevocationOptions {
  /** The clock, for tests: Unix milliseconds. Default Date.now. */
  readonly now?: (() => number) | undefined;
}

/** The lists that copies of a module share, by their configurations: one table a process. */
const shared = Symbol.for("kocha-session.shared-memory-revocations");
interface Sharing {
  [shared]?: Map<string, DeadList>;
}

/** Entries that are checked for their end with each new one, in place of a timer. */
const SWEEP_STEPS = 8;

class MemoryRevocations extends ListedRevocations {
  readonly #now: () => number;

  constructor(options: RevocationSettings & { readonly now: () => number }) {
    super(options);
    this.#now = options.now;
  }

  ready(): void {}
  close(): void {}
  protected assertFresh(): void {}

  shareAs(key: string): void {
    const lists = ((globalThis as Sharing)[shared] ??= new Map());
    const first = lists.get(key);
    if (first === undefined) lists.set(key, this.dead);
    else this.dead = first;
  }

  protected get now(): number {
    return this.#now();
  }

  protected lifeOf({ idle, absolute }: SessionLimits): number {
    return Math.min(idle, absolute);
  }

  protected append(entry: RevocationEntry): AppendedRevocation {
    const { now } = this;
    this.dead.sweep(now, SWEEP_STEPS);
    // An append here is never sent twice, so no nonce is kept.
    const isFirst = entry.kind !== "credential" || !this.dead.hasRetired(entry.id);
    const known = entry.kind === "subject" ? this.dead.recordOf(entry.id) : undefined;
    return { record: toRecord(entry, now, known), isFirst };
  }
}

/**
 * Revocations for one process, and for tests: they are lost at its end, and a copied cookie that they
 * ended is valid again in the next process.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD
 */
export function memoryRevocations(options: MemoryRevocationsOptions = {}): Revocations {
  const table = { ...revocationReaders(), now: clock() };
  return new MemoryRevocations(readOptions("memoryRevocations", options, table));
}
