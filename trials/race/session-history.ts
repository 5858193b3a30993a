// One session's part of a history, indexed: the requests with its credential, the saves into it, and the
// chain of its barriers. The rules on it are elsewhere.
import { EPOCH, type RaceRequest, type Save, tombstoneOf } from "./history.ts";

/** A save with the request that asked for it. */
export interface Placed {
  readonly save: Save;
  readonly request: RaceRequest;
}

/** The time from a barrier to the next one. */
export interface Epoch extends Placed {
  /** The mark of the barrier that the request had loaded; undefined: it made the session. */
  readonly base: string | undefined;
  /** The number of barriers before it; -1: its base is none of this session's. */
  readonly depth: number;
}

/** The history of one session. */
export class SessionHistory {
  readonly id: number;
  /** The requests with its credential, in the order of their starts. */
  readonly requests: readonly RaceRequest[];
  /** The saves that went to it. */
  readonly saves: readonly Placed[];
  /** Its barriers that took effect, by their marks. */
  readonly epochs: ReadonlyMap<string, Epoch>;
  /** The sign-outs of all subjects. */
  readonly #signOuts: readonly RaceRequest[];
  readonly #placed: ReadonlyMap<string, Placed>;
  readonly #observed: ReadonlySet<string>;

  constructor(
    id: number,
    requests: readonly RaceRequest[],
    saves: readonly Placed[],
    signOuts: readonly RaceRequest[] = [],
  ) {
    this.id = id;
    this.#signOuts = signOuts.filter(({ signOut }) => signOut?.except !== id);
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

  /** True if a save is known to have taken effect: its client was told, or a request saw it. */
  isEffective({ mark, outcome }: Save): boolean {
    return outcome === "saved" || this.#observed.has(mark);
  }

  /** The saves of one kind that may have taken effect. */
  possible(kind: Save["kind"]): Placed[] {
    return this.saves.filter(({ save }) => save.kind === kind && save.outcome !== "refused");
  }

  /** The acknowledged saves of one kind. */
  acknowledged(kind: Save["kind"]): Placed[] {
    return this.saves.filter(({ save }) => save.kind === kind && save.outcome === "saved");
  }

  /** The epoch that a save was made from: the one that its request had loaded, or had begun before. */
  baseOf({ save, request }: Placed): string | undefined {
    let base = request.session === this.id ? request.seen?.get(EPOCH) : undefined;
    for (const earlier of request.saves) {
      if (earlier === save) return base;
      const isOurs = earlier.session === this.id && earlier.outcome === "saved";
      if (isOurs && earlier.set.includes(EPOCH)) base = earlier.mark;
    }
    return base;
  }

  /** The number of barriers before a save; -1: unknown. */
  depthOf(placed: Placed): number {
    const own = this.epochs.get(placed.save.mark);
    if (own !== undefined) return own.depth;
    const base = this.baseOf(placed);
    return base === undefined ? -1 : (this.epochs.get(base)?.depth ?? -1);
  }

  /** The number of barriers before a request's load; -1: unknown. */
  depthOfLoad(request: RaceRequest): number {
    const epoch = request.seen?.get(EPOCH);
    return epoch === undefined ? -1 : (this.epochs.get(epoch)?.depth ?? -1);
  }

  /** The requests that found the session. */
  get loads(): readonly RaceRequest[] {
    return this.requests.filter(({ seen }) => seen !== undefined);
  }

  /**
   * The mark of the save that determined a request's view of `key`: the one that set it, the one that removed
   * it, or the barrier that emptied the session; undefined: unknown.
   */
  determinerOf(request: RaceRequest, key: string): string | undefined {
    const { seen } = request;
    if (seen === undefined) return undefined;
    const written = seen.get(key) ?? seen.get(tombstoneOf(key));
    if (written !== undefined) return written;
    return this.emptierOf(seen.get(EPOCH));
  }

  /** The last barrier, up to this one, that emptied or created the session; undefined: unknown. */
  emptierOf(mark: string | undefined): string | undefined {
    let epoch = this.epochs.get(mark ?? "");
    while (epoch?.save.kind === "regenerate") {
      epoch = epoch.base === undefined ? undefined : this.epochs.get(epoch.base);
    }
    return epoch?.save.mark;
  }

  /** The requests that may have ended the session: its destroys, and sign-outs of its subject. */
  get possibleEnds(): readonly RaceRequest[] {
    const destroys = this.possible("destroy").map(({ request }) => request);
    const signOuts = this.#signOuts.filter((request) => this.#subjectsAt(request).may);
    return [...destroys, ...signOuts];
  }

  /** The requests whose end of the session was acknowledged. */
  get acknowledgedEnds(): readonly RaceRequest[] {
    const destroys = this.acknowledged("destroy").map(({ request }) => request);
    const signOuts = this.#signOuts.filter(
      (request) => request.signOut?.listed !== undefined && this.#subjectsAt(request).must,
    );
    return [...destroys, ...signOuts];
  }

  /** The sign-outs that had to list the session if it was live. */
  get listings(): readonly RaceRequest[] {
    return this.acknowledgedEnds.filter(({ signOut }) => signOut !== undefined);
  }

  /** Whether the session was, or may have been, the subject's during its sign-out. */
  #subjectsAt(by: RaceRequest): { readonly may: boolean; readonly must: boolean } {
    const subject = by.signOut?.subject;
    const binds = this.saves.filter(
      ({ save }) => save.subject !== undefined && save.outcome !== "refused",
    );
    const may = binds.some(
      ({ save, request }) => save.subject === subject && request.start < by.end,
    );
    if (!may || binds.some(({ save }) => save.outcome === "unknown")) return { may, must: false };
    // By barriers and by time: the last finished binding counts, and all that may have come since.
    const over = binds.filter(({ request }) => request.end < by.start);
    const last = Math.max(-1, ...over.map((placed) => this.depthOf(placed)));
    const current = binds.filter(
      (placed) =>
        isSince(this.depthOf(placed), last) &&
        placed.request.start < by.end &&
        !over.some(({ request }) => request.start > placed.request.end),
    );
    const isSure = last >= 0 && current.every(({ save }) => save.subject === subject);
    return { may: current.some(({ save }) => save.subject === subject), must: isSure };
  }

  #findEpochs(): Map<string, Epoch> {
    const epochs = new Map<string, Epoch>();
    const barriers = this.saves.filter(
      ({ save }) => save.set.includes(EPOCH) && this.isEffective(save),
    );
    // A barrier's base is a barrier, too: each round places at least one more, or the rest has no root.
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

/** True if `depth` may be at or after `last`; -1: unknown. */
function isSince(depth: number, last: number): boolean {
  return depth < 0 || depth >= last;
}

/** The sessions of a history, each with its own part. */
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
  const signOuts = requests.filter(({ signOut }) => signOut !== undefined);
  return Array.from(
    parts,
    ([id, part]) => new SessionHistory(id, part.requests, part.saves, signOuts),
  );
}
