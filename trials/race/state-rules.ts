// The rules on a session's content: some order of the saves explains all reads, with whole values, and none
// across a barrier.
import { BOUND, EPOCH, PAIR, type RaceRequest } from "./history.ts";
import { type Edge, findCycles } from "./order.ts";
import type { Placed } from "./session-history.ts";
import { name, type Rule, type RuleName, type Violation, violation } from "./violation.ts";

/** Values are whole, and written to this session by a save that was not refused. */
const values: Rule = (session) => {
  const found: Violation[] = [];
  for (const load of session.loads) {
    const add = (rule: RuleName, message: string, evidence: readonly RaceRequest[]): void => {
      found.push({ rule, session: session.id, message, evidence });
    };
    if (!load.seen?.has(EPOCH)) {
      add("S2 half a save", `${name(load)} saw a session without what made it`, [load]);
    }
    for (const [key, mark] of load.seen ?? []) {
      const writer = session.saveOf(mark);
      const { set = [], outcome } = writer?.save ?? {};
      if (writer === undefined || !set.includes(key)) {
        add("S8 value that nobody wrote", `${name(load)} saw ${key} = ${mark}`, [load]);
      } else if (outcome === "refused") {
        const message = `${name(load)} saw ${key} = ${mark}, which ${name(writer.request)} was told is refused`;
        add("L8 refused but visible", message, [writer.request, load]);
      }
    }
    const [one, other] = PAIR.map((key) => load.seen?.get(key));
    if (one !== other) {
      const message = `${name(load)} saw ${PAIR[0]} = ${one ?? "nothing"} beside ${PAIR[1]} = ${other ?? "nothing"}`;
      add("S2 half a save", message, [load]);
    }
  }
  return found;
};

/** The chain of barriers: each has one successor, and no load goes back to before one. */
const barriers: Rule = (session) => {
  const found: Violation[] = [];
  const byBase = new Map<string, Placed[]>();
  for (const epoch of session.epochs.values()) {
    if (epoch.base === undefined || epoch.save.outcome !== "saved") continue;
    const known = byBase.get(epoch.base);
    if (known === undefined) byBase.set(epoch.base, [epoch]);
    else known.push(epoch);
  }
  for (const [base, successors] of byBase) {
    if (successors.length < 2) continue;
    const areRegenerates = successors.every(({ save }) => save.kind === "regenerate");
    const evidence = successors.map(({ request }) => request);
    const message = `${evidence.map(name).join(" and ")} were both told that they came next after ${base}`;
    const rule = areRegenerates ? "L4 two successors" : "L3 two barriers from one";
    found.push(violation(rule, session, message, evidence));
  }
  const seen: { readonly depth: number; readonly request: RaceRequest }[] = [];
  for (const epoch of session.epochs.values()) {
    if (epoch.save.outcome === "saved") seen.push({ depth: epoch.depth, request: epoch.request });
  }
  for (const load of session.loads) seen.push({ depth: session.depthOfLoad(load), request: load });
  for (const load of session.loads) {
    const depth = session.depthOfLoad(load);
    if (depth < 0) continue;
    const ahead = seen.find((other) => other.depth > depth && other.request.end < load.start);
    if (ahead === undefined) continue;
    const message = `${name(load)} saw the session as it was before a barrier that ${name(ahead.request)} had passed`;
    found.push(violation("L3 barrier undone", session, message, [ahead.request, load]));
  }
  return found;
};

/** Of the bindings that were made from the same one, only one is saved. */
const bindings: Rule = (session) => {
  const byBase = new Map<string, RaceRequest>();
  return session.acknowledged("bind").flatMap(({ request }) => {
    const base = session.determinerOf(request, BOUND);
    if (request.session !== session.id || base === undefined) return [];
    // The same binding may be found on both sides of a barrier.
    const from = `${request.seen?.get(EPOCH)} ${base}`;
    const other = byBase.get(from);
    byBase.set(from, request);
    if (other === undefined) return [];
    const message = `${name(other)} and ${name(request)} were both told that they bound what ${base} had left`;
    return [violation("L1 two bindings from one", session, message, [other, request])];
  });
};

/** Data from before a clear is gone with it, and so is data made from it. */
const clears: Rule = (session) => {
  const found: Violation[] = [];
  for (const load of session.loads) {
    const depth = session.depthOfLoad(load);
    for (const [key, mark] of load.seen ?? []) {
      const writer = session.saveOf(mark);
      if (writer === undefined || key === EPOCH || depth < 0) continue;
      const written = session.depthOf(writer);
      if (written > depth) {
        const message = `${name(load)} saw ${key} = ${mark}, which was written after a barrier that it didn't see`;
        found.push(violation("S2 half a save", session, message, [writer.request, load]));
      }
      const clear = [...session.epochs.values()].find(
        (epoch) => epoch.save.kind === "clear" && epoch.depth > written && epoch.depth <= depth,
      );
      if (clear === undefined || written < 0) continue;
      const message = `${name(load)} saw ${key} = ${mark}, which ${name(writer.request)} made from what ${name(clear.request)} had cleared`;
      const evidence = [writer.request, clear.request, load];
      found.push(violation("L3 change across a barrier", session, message, evidence));
    }
  }
  return found;
};

/** For each key some order of its saves explains every read of it. */
const order: Rule = (session) =>
  findCycles(session).map(({ key, edges, byTimeAlone }) => {
    const rule = byTimeAlone ? "L1 lost update" : "L3 change across a barrier";
    const steps = edges.map((edge) => explain(edge)).join("; ");
    const evidence = [...new Set(edges.flatMap(({ requests }) => requests))];
    return violation(
      rule,
      session,
      `no order of the saves of ${key} explains it: ${steps}`,
      evidence,
    );
  });

function explain({ from, to, because, requests: [one, other] }: Edge): string {
  if (because === "read")
    return `${from} before ${to}, as ${name(one)} saw ${from} and wrote ${to}`;
  return `${from} before ${to}, as ${name(one)} of ${from} was over before ${name(other)} of ${to} began`;
}

/** The rules of this file, in the order of their reports. */
export const stateRules: readonly Rule[] = [values, barriers, bindings, clears, order];
