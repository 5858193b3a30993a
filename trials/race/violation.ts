// The rules by name, and a breach of one with the requests that prove it.
import type { History, RaceRequest } from "./history.ts";
import type { SessionHistory } from "./session-history.ts";

/** The breaches that no store which keeps the laws of docs/stores.md allows. */
export const ruleNames = [
  "L1 lost update",
  "L1 refused without a barrier",
  "L1 two bindings from one",
  "L2 resurrection",
  "L2 write after logout",
  "L2 not listed",
  "L3 change across a barrier",
  "L3 barrier undone",
  "L3 two barriers from one",
  "L4 old credential reads",
  "L4 old credential writes",
  "L4 two successors",
  "L8 refused but visible",
  "L9 vanished",
  "L13 lost increment",
  "L13 double take",
  "S2 half a save",
  "S6 end shrank",
  "S7 alive after its end",
  "S8 value that nobody wrote",
] as const;

/** A rule's name: its law, or its clause of the store's contract, and the breach. */
export type RuleName = (typeof ruleNames)[number];

/** One breach, with the requests that prove it. */
export interface Violation {
  readonly rule: RuleName;
  readonly session: number;
  readonly message: string;
  readonly evidence: readonly RaceRequest[];
}

/** A rule: gives every breach that one session's history proves. */
export type Rule = (session: SessionHistory, history: History) => Violation[];

/** A request's name in messages. */
export const name = ({ id }: RaceRequest): string => `#${id}`;

/** A breach. */
export function violation(
  rule: RuleName,
  session: SessionHistory,
  message: string,
  evidence: readonly RaceRequest[],
): Violation {
  return { rule, session: session.id, message, evidence };
}
