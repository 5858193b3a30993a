// The rules on exact steps: the result of one request's step is given to no other request, and stays true.
import { EPOCH, TOKEN } from "./history.ts";
import type { Placed, SessionHistory } from "./session-history.ts";
import { name, type Rule, type Violation, violation } from "./violation.ts";

/** Between two resets of a counter each number is given once, and the counter never falls below it. */
const counting: Rule = (session) => {
  const found: Violation[] = [];
  const given = new Map<string, Placed>();
  const raised = session.saves.filter(
    ({ save }) => save.count !== undefined && save.outcome === "saved",
  );
  for (const placed of raised) {
    const emptier = emptierOf(session, placed);
    if (emptier === undefined) continue;
    const { save, request } = placed;
    const other = given.get(`${emptier} ${save.count}`);
    given.set(`${emptier} ${save.count}`, placed);
    if (other === undefined) continue;
    const message = `${name(other.request)} and ${name(request)} both raised the counter to ${save.count}`;
    found.push(violation("L13 lost increment", session, message, [other.request, request]));
  }
  for (const load of session.loads) {
    const emptier = session.emptierOf(load.seen?.get(EPOCH));
    if (emptier === undefined) continue;
    const ahead = raised.find(
      (placed) =>
        placed.request.end < load.start &&
        (placed.save.count ?? 0) > load.count &&
        emptierOf(session, placed) === emptier,
    );
    if (ahead === undefined) continue;
    const message = `${name(load)} saw the counter at ${load.count}, which ${name(ahead.request)} had raised to ${ahead.save.count}`;
    found.push(violation("L13 lost increment", session, message, [ahead.request, load]));
  }
  return found;
};

/** A taken value is taken by no other request, and never seen again. */
const taking: Rule = (session) => {
  const found: Violation[] = [];
  const takers = new Map<string, Placed>();
  for (const placed of session.saves) {
    const { save, request } = placed;
    if (save.taken === undefined || save.outcome !== "saved") continue;
    const other = takers.get(save.taken);
    takers.set(save.taken, other ?? placed);
    if (other === undefined) continue;
    const message = `${name(other.request)} and ${name(request)} both took ${TOKEN} = ${save.taken}`;
    found.push(violation("L13 double take", session, message, [other.request, request]));
  }
  for (const load of session.loads) {
    const mark = load.seen?.get(TOKEN);
    const taker = mark === undefined ? undefined : takers.get(mark);
    if (taker === undefined || taker.request.end >= load.start) continue;
    const message = `${name(load)} saw ${TOKEN} = ${mark}, which ${name(taker.request)} had taken`;
    found.push(violation("L13 double take", session, message, [taker.request, load]));
  }
  return found;
};

/** The barrier since which a save's counter counts. */
function emptierOf(session: SessionHistory, placed: Placed): string | undefined {
  const isBarrier = session.epochs.has(placed.save.mark);
  return session.emptierOf(isBarrier ? placed.save.mark : session.baseOf(placed));
}

/** The rules of this file. */
export const exactRules: readonly Rule[] = [counting, taking];
