// The verdict on a history: every rule on every session, as a pure function. The requests by themselves prove
// each breach; without a breach, the history could come from a store that keeps the laws.
import { exactRules } from "./exact-rules.ts";
import type { History } from "./history.ts";
import { lifeRules } from "./life-rules.ts";
import { splitBySession } from "./session-history.ts";
import { stateRules } from "./state-rules.ts";
import type { RuleName, Violation } from "./violation.ts";

const rules = [...stateRules, ...exactRules, ...lifeRules];

/** Every breach that a history proves, by session and in the order of the rules. */
export function checkHistory(history: History): Violation[] {
  return splitBySession(history.requests).flatMap((session) =>
    rules.flatMap((rule) => rule(session, history)),
  );
}

/** The number of breaches of each rule, highest first. */
export function countByRule(violations: readonly Violation[]): [RuleName, number][] {
  const counts = new Map<RuleName, number>();
  for (const { rule } of violations) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  return [...counts].toSorted(([, one], [, other]) => other - one);
}
