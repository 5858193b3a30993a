// Searches for an order of a key's saves that explains every read of it. Every value has one writer, so the
// question is one on a graph: each save with all its readers is a block, with edges from blocks to later
// ones. A cycle means that there is no such order (Gibbons and Korach 1997, with unique writes).
import { EPOCH, isTombstone, type RaceRequest, TOKEN } from "./history.ts";
import type { Placed, SessionHistory } from "./session-history.ts";

/** The reason that one block comes before another. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  /** `before`: a request of one ended before one of the other began. `read`: it saw the one and wrote the other. */
  readonly because: "before" | "read";
  /** The request of the first block, then that of the second. */
  readonly requests: readonly [RaceRequest, RaceRequest];
}

/** Blocks that would each have to come before the next, around a circle. */
export interface Cycle {
  readonly key: string;
  readonly edges: readonly Edge[];
  /** True if it follows from real time only; else barriers are part of the reason. */
  readonly byTimeAlone: boolean;
}

/** A request at its place: its start and end, ordered by the barriers before it if they count. */
interface Place {
  readonly request: RaceRequest;
  readonly start: number;
  readonly end: number;
}

/** The save that wrote a state of the key, with all requests that saw it. */
interface Block {
  readonly mark: string;
  /** The request that was over first, and the one that began last. */
  firstOver: Place;
  lastBegun: Place;
}

/** More than any history's ticks, so that barriers count before times. */
const EPOCH_SPAN = 1e9;

/** The keys of a session that have an order of their own. */
function keysOf(session: SessionHistory): string[] {
  const keys = new Set(session.saves.flatMap(({ save }) => [...save.set, ...save.del]));
  // A take leaves no author: takes have rules of their own.
  return [...keys].filter((key) => key !== EPOCH && key !== TOKEN && !isTombstone(key));
}

/** The shortest cycle of each key that has one. */
export function findCycles(session: SessionHistory): Cycle[] {
  return keysOf(session).flatMap((key): Cycle[] => {
    const byTime = shortestCycle(edgesOf(session, key, false));
    if (byTime !== undefined) return [{ key, edges: byTime, byTimeAlone: true }];
    const byEpoch = shortestCycle(edgesOf(session, key, true));
    return byEpoch === undefined ? [] : [{ key, edges: byEpoch, byTimeAlone: false }];
  });
}

function edgesOf(session: SessionHistory, key: string, withEpochs: boolean): Edge[] {
  const at = (request: RaceRequest, depth: number, mayBeLate = false): Place => {
    // A request with unknown barriers before it bounds nothing.
    if (withEpochs && depth < 0) return { request, start: -Infinity, end: Infinity };
    const offset = withEpochs ? depth * EPOCH_SPAN : 0;
    // A request without an answer may be done long after its client gave up.
    const end = mayBeLate ? Infinity : request.end + offset;
    return { request, start: request.start + offset, end };
  };
  const blocks = new Map<string, Block>();
  const put = (mark: string, place: Place): void => {
    const block = blocks.get(mark);
    if (block === undefined) {
      blocks.set(mark, { mark, firstOver: place, lastBegun: place });
      return;
    }
    if (place.end < block.firstOver.end) block.firstOver = place;
    if (place.start > block.lastBegun.start) block.lastBegun = place;
  };
  const writes = session.saves.filter(
    (placed) => session.isEffective(placed.save) && affects(placed, key),
  );
  for (const placed of writes) {
    const mayBeLate = placed.save.outcome === "unknown";
    put(placed.save.mark, at(placed.request, session.depthOf(placed), mayBeLate));
  }
  for (const load of session.loads) {
    const mark = session.determinerOf(load, key);
    // Values that nobody of this session wrote are another rule's.
    if (mark !== undefined && blocks.has(mark)) put(mark, at(load, session.depthOfLoad(load)));
  }
  const edges: Edge[] = [];
  for (const one of blocks.values()) {
    for (const other of blocks.values()) {
      if (one === other || one.firstOver.end >= other.lastBegun.start) continue;
      const requests = [one.firstOver.request, other.lastBegun.request] as const;
      edges.push({ from: one.mark, to: other.mark, because: "before", requests });
    }
  }
  for (const { save, request } of writes) {
    if (request.session !== session.id) continue;
    const from = session.determinerOf(request, key);
    if (from === undefined || from === save.mark || !blocks.has(from)) continue;
    edges.push({ from, to: save.mark, because: "read", requests: [request, request] });
  }
  return edges;
}

/** True if a save determines the value of `key`. */
function affects({ save }: Placed, key: string): boolean {
  const empties = save.kind === "clear" || save.kind === "create";
  return empties || save.set.includes(key) || save.del.includes(key);
}

/** By breadth first from every block that lies on a cycle; undefined: there is none. */
function shortestCycle(edges: readonly Edge[]): readonly Edge[] | undefined {
  const next = new Map<string, Edge[]>();
  for (const edge of edges) {
    const out = next.get(edge.from);
    if (out === undefined) next.set(edge.from, [edge]);
    else out.push(edge);
  }
  const cyclic = withoutAcyclicPart(next);
  let best: readonly Edge[] | undefined;
  for (const start of cyclic) {
    const found = cycleThrough(start, next, cyclic);
    if (found !== undefined && (best === undefined || found.length < best.length)) best = found;
  }
  return best;
}

/** The blocks that are left after repeatedly removing those without a successor. */
function withoutAcyclicPart(next: ReadonlyMap<string, readonly Edge[]>): ReadonlySet<string> {
  const left = new Set(next.keys());
  let isShrinking = true;
  while (isShrinking) {
    isShrinking = false;
    for (const mark of left) {
      if ((next.get(mark) ?? []).some(({ to }) => left.has(to))) continue;
      left.delete(mark);
      isShrinking = true;
    }
  }
  return left;
}

function cycleThrough(
  start: string,
  next: ReadonlyMap<string, readonly Edge[]>,
  among: ReadonlySet<string>,
): readonly Edge[] | undefined {
  const paths = new Map<string, readonly Edge[]>([[start, []]]);
  for (const [mark, path] of paths) {
    for (const edge of next.get(mark) ?? []) {
      if (edge.to === start) return [...path, edge];
      if (among.has(edge.to) && !paths.has(edge.to)) paths.set(edge.to, [...path, edge]);
    }
  }
  return undefined;
}
