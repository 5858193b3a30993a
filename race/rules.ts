// The rules of a race, one function each: what a session's history may not show. Each names the law
// that it belongs to and the requests that prove it. They look at one session at a time.
import { EPOCH, type History, PAIR, type RaceRequest } from "./history.ts";
import { type Edge, findCycles } from "./order.ts";
import type { Placed, SessionHistory } from "./session-history.ts";

/** What a history can show that no store with the laws of DESIGN.md section 2 lets happen. */
export const ruleNames = [
  "L1 lost update",
  "L1 refused without a barrier",
  "L2 resurrection",
  "L2 write after logout",
  "L3 change across a barrier",
  "L3 barrier undone",
  "L3 two barriers from one",
  "L4 old credential reads",
  "L4 old credential writes",
  "L4 two successors",
  "L8 refused but visible",
  "L9 vanished",
  "S2 half a save",
  "S6 end shrank",
  "S7 alive after its end",
  "S8 value that nobody wrote",
] as const;

/** A rule's name: the law or the store contract's clause that it belongs to, and what was seen. */
export type RuleName = (typeof ruleNames)[number];

/** One breach, with the requests that prove it. */
export interface Violation {
  readonly rule: RuleName;
  readonly session: number;
  readonly message: string;
  readonly evidence: readonly RaceRequest[];
}

type Rule = (session: SessionHistory, history: History) => Violation[];

/** Stores may keep whole seconds, and clocks are read at different moments: milliseconds. */
const SLACK = 1000;

const name = ({ id }: RaceRequest): string => `#${id}`;

/** Values are whole, written by a save that was not refused, and to this session. */
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

/** After an acknowledged destroy nothing is read and nothing is saved. */
const logout: Rule = (session) => {
  const first = earliest(session.acknowledged("destroy"));
  if (first === undefined) return [];
  const { request: destroyer } = first;
  const found: Violation[] = [];
  for (const load of session.loads) {
    if (load.start <= destroyer.end) continue;
    const message = `${name(load)} found the session, which ${name(destroyer)} had ended`;
    found.push(violation("L2 resurrection", session, message, [destroyer, load]));
  }
  for (const { save, request } of session.saves) {
    if (save.outcome !== "saved" || save.kind === "destroy") continue;
    if (request.start <= destroyer.end) continue;
    const message = `${name(request)} was told that it saved into the session, which ${name(destroyer)} had ended`;
    found.push(violation("L2 write after logout", session, message, [destroyer, request]));
  }
  return found;
};

/** The chain of barriers: one after each, and what was loaded never goes back behind one. */
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

/** What was loaded before a clear is gone with it, and so is what was made from it. */
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

/** For each key some order of its saves explains everything that was seen. */
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

/** After an acknowledged regenerate the credential of before it neither reads nor writes. */
const credentials: Rule = (session) => {
  const found: Violation[] = [];
  const regenerates = session.acknowledged("regenerate");
  for (const request of session.requests) {
    const newer = regenerates.find(
      ({ request: by }) => by.generation >= request.generation && by.end < request.start,
    );
    if (newer === undefined) continue;
    const { request: by } = newer;
    if (request.seen !== undefined) {
      const message = `${name(request)} read the session with the credential of before ${name(by)}`;
      found.push(violation("L4 old credential reads", session, message, [by, request]));
    }
    for (const save of request.saves) {
      const isEnd = save.kind === "destroy";
      if (save.session !== session.id || save.outcome !== "saved" || isEnd) continue;
      const message = `${name(request)} wrote to the session with the credential of before ${name(by)}`;
      found.push(violation("L4 old credential writes", session, message, [by, request]));
    }
  }
  return found;
};

/** A change is refused for a barrier or an end that came between, and for nothing else. */
const refusals: Rule = (session) => {
  const barriersAndEnds = [
    ...session.possible("clear"),
    ...session.possible("regenerate"),
    ...session.possible("destroy"),
  ];
  return session.saves.flatMap(({ save, request }) => {
    if (save.outcome !== "refused" || request.seen === undefined) return [];
    if (request.expires !== undefined && request.endMs >= request.expires) return [];
    const isExcused = barriersAndEnds.some(
      ({ request: by }) => by !== request && by.start < request.end && by.end > request.start,
    );
    if (isExcused) return [];
    const message = `${name(request)} was refused, but nothing came between what it loaded and its save`;
    return [violation("L1 refused without a barrier", session, message, [request])];
  });
};

/** A session with a good credential is found until it is destroyed or its end has come. */
const vanishing: Rule = (session, { idleMs, absoluteMs }) => {
  const [created] = session.acknowledged("create");
  if (created === undefined) return [];
  const found: Violation[] = [];
  for (const request of session.requests) {
    if (!request.answered || request.seen !== undefined) continue;
    const isOld = session
      .possible("regenerate")
      .some(({ request: by }) => by.generation >= request.generation && by.start < request.end);
    const isEnded = session.possible("destroy").some(({ request: by }) => by.start < request.end);
    const known = [created.request.startMs + Math.min(idleMs, absoluteMs)];
    for (const { end, expires } of session.loads) {
      if (end < request.start && expires !== undefined) known.push(expires);
    }
    const isExpired = request.endMs >= Math.max(...known) - SLACK;
    if (isOld || isEnded || isExpired) continue;
    const message = `${name(request)} found no session, but nobody had ended it`;
    found.push(violation("L9 vanished", session, message, [created.request, request]));
  }
  return found;
};

/** The end comes, and until then never moves nearer but at a barrier. */
const ends: Rule = (session, { idleMs, absoluteMs }) => {
  const found: Violation[] = [];
  const [created] = session.acknowledged("create");
  const { loads } = session;
  for (const load of loads) {
    const idleEnd = Math.max(...touches(session, load)) + idleMs;
    const absoluteEnd = (created?.request.endMs ?? Infinity) + absoluteMs;
    if (load.startMs > Math.min(idleEnd, absoluteEnd) + SLACK) {
      const message = `${name(load)} found the session ${Math.round(load.startMs - Math.min(idleEnd, absoluteEnd))} ms after its end`;
      found.push(violation("S7 alive after its end", session, message, [load]));
    }
    const earlier = loads.find(
      (other) =>
        other.end < load.start &&
        session.depthOfLoad(other) === session.depthOfLoad(load) &&
        (other.expires ?? 0) > (load.expires ?? Infinity) + SLACK,
    );
    if (earlier === undefined) continue;
    const message = `${name(load)} saw an earlier end than ${name(earlier)} had seen before it`;
    found.push(violation("S6 end shrank", session, message, [earlier, load]));
  }
  return found;
};

/** When the requests before `load` were over: none of them can have renewed the session later. */
function touches(session: SessionHistory, load: RaceRequest): number[] {
  const before = [...session.saves.map(({ request }) => request), ...session.requests].filter(
    ({ start }) => start < load.start,
  );
  // One that was not answered may be done at any time.
  if (before.length === 0) return [Infinity];
  return before.map(({ answered, endMs }) => (answered ? endMs : Infinity));
}

/** All rules, in the order in which a reader wants to know. */
export const rules: readonly Rule[] = [
  values,
  logout,
  credentials,
  barriers,
  clears,
  order,
  refusals,
  vanishing,
  ends,
];

function violation(
  rule: RuleName,
  session: SessionHistory,
  message: string,
  evidence: readonly RaceRequest[],
): Violation {
  return { rule, session: session.id, message, evidence };
}

function earliest(placed: readonly Placed[]): Placed | undefined {
  let first: Placed | undefined;
  for (const one of placed) {
    if (first === undefined || one.request.end < first.request.end) first = one;
  }
  return first;
}
