// One session's part of a history, indexed: who came with its credential, who saved into it, and
// the chain of its barriers. It finds nothing wrong by itself; the rules do.
import { EPOCH, type RaceRequest, type Save, tombstoneOf } from "./history.ts";

/** A save with the request that asked for it. */
export interface Placed {
  readonly save: Save;
  readonly request: RaceRequest;
}

/** What begins with a barrier and ends with the next one. */
export interface Epoch extends Placed {
  /** The mark of the barrier that the request had loaded; undefined: it made the session. */
  readonly base: string | undefined;
  /** How many barriers come before it; -1: its base is none of this session's. */
  readonly depth: number;
}

/** All that happened to one session. */
export class SessionHistory {
  readonly id: number;
  /** The requests with its credential, in the order of their starts. */
  readonly requests: readonly RaceRequest[];
  /** The saves that went to it. */
  readonly saves: readonly Placed[];
  /** Its barriers that took effect, by their marks. */
  readonly epochs: ReadonlyMap<string, Epoch>;
  readonly #placed: ReadonlyMap<string, Placed>;
  readonly #observed: ReadonlySet<string>;

  constructor(id: number, requests: readonly RaceRequest[], saves: readonly Placed[]) {
    this.id = id;
    this.requests = requests.toSorted((one, other) => one.start - other.start);
    this.saves = saves;
    this.#placed = new Map(saves.map((placed) => [placed.save.mark, placed]));
    this.#observed = new Set(requests.flatMap(({ seen }) => [...(seen?.values() ?? [])]));
    this.epochs = this.#findEpochs();
  }

  /** The save of a mark, if it went to this session. */
  saveOf(mark: string): Placed | undefined {
    return this.#placed.get(mark);
  }

  /** Whether a save is known to have taken effect: its client was told, or someone saw it. */
  isEffective({ mark, outcome }: Save): boolean {
    return outcome === "saved" || this.#observed.has(mark);
  }

  /** The saves of one kind that may have taken effect. */
  possible(kind: Save["kind"]): Placed[] {
    return this.saves.filter(({ save }) => save.kind === kind && save.outcome !== "refused");
  }

  /** The saves of one kind whose clients were told that they are saved. */
  acknowledged(kind: Save["kind"]): Placed[] {
    return this.saves.filter(({ save }) => save.kind === kind && save.outcome === "saved");
  }

  /** The epoch that a save was made from: the one that its request had loaded, or made before it. */
  baseOf({ save, request }: Placed): string | undefined {
    let base = request.session === this.id ? request.seen?.get(EPOCH) : undefined;
    for (const earlier of request.saves) {
      if (earlier === save) return base;
      const isOurs = earlier.session === this.id && earlier.outcome === "saved";
      if (isOurs && earlier.set.includes(EPOCH)) base = earlier.mark;
    }
    return base;
  }

  /** How many barriers come before what a save wrote; -1: unknown. */
  depthOf(placed: Placed): number {
    const own = this.epochs.get(placed.save.mark);
    if (own !== undefined) return own.depth;
    const base = this.baseOf(placed);
    return base === undefined ? -1 : (this.epochs.get(base)?.depth ?? -1);
  }

  /** How many barriers come before what a request loaded; -1: unknown. */
  depthOfLoad(request: RaceRequest): number {
    const epoch = request.seen?.get(EPOCH);
    return epoch === undefined ? -1 : (this.epochs.get(epoch)?.depth ?? -1);
  }

  /** The requests that found the session. */
  get loads(): readonly RaceRequest[] {
    return this.requests.filter(({ seen }) => seen !== undefined);
  }

  /**
   * The mark of the save that made `key` what a request saw: the one that set it, the one that
   * removed it, or the barrier that emptied the session; undefined: unknown.
   */
  determinerOf(request: RaceRequest, key: string): string | undefined {
    const { seen } = request;
    if (seen === undefined) return undefined;
    const written = seen.get(key) ?? seen.get(tombstoneOf(key));
    if (written !== undefined) return written;
    let epoch = this.epochs.get(seen.get(EPOCH) ?? "");
    while (epoch?.save.kind === "regenerate") {
      epoch = epoch.base === undefined ? undefined : this.epochs.get(epoch.base);
    }
    return epoch?.save.mark;
  }

  #findEpochs(): Map<string, Epoch> {
    const epochs = new Map<string, Epoch>();
    const barriers = this.saves.filter(
      ({ save }) => save.set.includes(EPOCH) && this.isEffective(save),
    );
    // A barrier's base is a barrier too: one more is placed in each round, or the rest has no root.
    let left = barriers;
    while (left.length > 0) {
      const later: Placed[] = [];
      for (const placed of left) {
        const base = placed.save.kind === "create" ? undefined : this.baseOf(placed);
        const depth = base === undefined ? 0 : (epochs.get(base)?.depth ?? -1) + 1;
        if (base !== undefined && depth === 0) later.push(placed);
        else epochs.set(placed.save.mark, { ...placed, base, depth });
      }
      if (later.length === left.length) {
        for (const placed of later) {
          epochs.set(placed.save.mark, { ...placed, base: this.baseOf(placed), depth: -1 });
        }
        return epochs;
      }
      left = later;
    }
    return epochs;
  }
}

/** The sessions of a history, each with what is its own. */
export function splitBySession(requests: readonly RaceRequest[]): SessionHistory[] {
  const parts = new Map<number, { requests: RaceRequest[]; saves: Placed[] }>();
  const partOf = (id: number): { requests: RaceRequest[]; saves: Placed[] } => {
    const part = parts.get(id) ?? { requests: [], saves: [] };
    parts.set(id, part);
    return part;
  };
  for (const request of requests) {
    if (request.session !== undefined) partOf(request.session).requests.push(request);
    for (const save of request.saves) partOf(save.session).saves.push({ save, request });
  }
  return [...parts].map(([id, part]) => new SessionHistory(id, part.requests, part.saves));
}
