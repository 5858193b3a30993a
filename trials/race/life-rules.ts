// The rules on a session's existence: it is found with its credential until it ends, and never again.
import type { RaceRequest } from "./history.ts";
import type { Placed, SessionHistory } from "./session-history.ts";
import { name, type Rule, type Violation, violation } from "./violation.ts";

/** The tolerance in milliseconds: stores may keep whole seconds, and clocks are read at different moments. */
const SLACK = 1000;

/** After an acknowledged destroy or sign-out nothing is read and nothing is saved. */
const logout: Rule = (session) => {
  const [destroyer] = session.acknowledgedEnds.toSorted((one, other) => one.end - other.end);
  if (destroyer === undefined) return [];
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

/** A subject's live sessions are listed: an index never misses one. */
const listing: Rule = (session, { idleMs, absoluteMs }) =>
  session.listings.flatMap((by) => {
    if (by.signOut?.listed?.includes(session.id) !== false) return [];
    const isEnded = session.possibleEnds.some((other) => other !== by && other.start < by.end);
    if (isEnded || by.endMs >= knownEnd(session, by, Math.min(idleMs, absoluteMs))) return [];
    const message = `${name(by)} listed the sessions of ${by.signOut.subject} without this one`;
    const binds = session
      .acknowledged("regenerate")
      .filter(({ save }) => save.subject !== undefined);
    return [
      violation("L2 not listed", session, message, [...binds.map(({ request }) => request), by]),
    ];
  });

/** After an acknowledged regenerate the credential that it replaced neither reads nor writes. */
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

/** A change is refused only for a barrier or an end in between, a binding also for another binding. */
const refusals: Rule = (session) => {
  // A request without an answer may be done long after its client gave up.
  const within = ({ save, request }: Placed) => ({
    by: request,
    end: save.outcome === "unknown" ? Infinity : request.end,
  });
  const between = [...session.possible("clear"), ...session.possible("regenerate")].map(within);
  const bindings = session.possible("bind").map(within);
  for (const by of session.possibleEnds) between.push({ by, end: by.answered ? by.end : Infinity });
  return session.saves.flatMap(({ save, request }) => {
    if (save.outcome !== "refused" || request.seen === undefined) return [];
    if (request.expires !== undefined && request.endMs >= request.expires) return [];
    const reasons = save.subject === undefined ? between : [...between, ...bindings];
    const isExcused = reasons.some(
      ({ by, end }) => by !== request && by.start < request.end && end > request.start,
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
    const isEnded = session.possibleEnds.some((by) => by.start < request.end);
    const isExpired = request.endMs >= knownEnd(session, request, Math.min(idleMs, absoluteMs));
    if (isOld || isEnded || isExpired) continue;
    const message = `${name(request)} found no session, but nobody had ended it`;
    found.push(violation("L9 vanished", session, message, [created.request, request]));
  }
  return found;
};

/** The earliest possible end of a session, by the views of others before `request` began; Unix milliseconds. */
function knownEnd(session: SessionHistory, request: RaceRequest, firstMs: number): number {
  const [created] = session.acknowledged("create");
  const known = [created === undefined ? 0 : created.request.startMs + firstMs];
  for (const { end, expires } of session.loads) {
    if (end < request.start && expires !== undefined) known.push(expires);
  }
  return Math.max(...known) - SLACK;
}

/** A session ends at its end, which becomes earlier only at a barrier. */
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

/** The ends of the requests before `load`: none of them can have renewed the session later. */
function touches(session: SessionHistory, load: RaceRequest): number[] {
  const before = [...session.saves.map(({ request }) => request), ...session.requests].filter(
    ({ start }) => start < load.start,
  );
  // A request without an answer may be done at any time.
  if (before.length === 0) return [Infinity];
  return before.map(({ answered, endMs }) => (answered ? endMs : Infinity));
}

/** The rules of this file, in the order of their reports. */
export const lifeRules: readonly Rule[] = [logout, listing, credentials, refusals, vanishing, ends];
