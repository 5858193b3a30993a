// A change as one conditional UpdateItem. It knows no client.
import { isFenced, mayEndSooner } from "../../store/change.ts";
import type { SessionChange, StoredSession } from "../../store/contract.ts";
import { isAppliedOnce } from "../../store/nonce.ts";
import type { DynamoUpdate, DynamoValue } from "./client.ts";
import { dataValue, endOf, nameOf, numberValue, textValue, ttlOf } from "./item.ts";

/** What an update does to the session's end: there is no max() in an expression. */
export type NewEnd =
  /** Replaces it. */
  | "replace"
  /** Replaces it, on the condition that it isn't later. */
  | "extend"
  /** Keeps it. */
  | "keep";

/** A change on its way, with its time and its nonce. */
export interface Save {
  readonly change: SessionChange;
  /** Unix milliseconds. */
  readonly now: number;
  readonly nonce: string;
}

/** The parts of UpdateItem that depend on the change. */
export type UpdateParts = Pick<
  DynamoUpdate,
  | "UpdateExpression"
  | "ConditionExpression"
  | "ExpressionAttributeNames"
  | "ExpressionAttributeValues"
>;

/** The most operators and functions of an expression. */
const MAX_OPERATORS = 300;
/** The most bytes of an expression. */
const MAX_EXPRESSION = 4096;

/** What becomes of the end, in the order to try. */
export function newEndsOf(change: SessionChange): readonly [NewEnd, NewEnd?] {
  if (change.op === "create" || mayEndSooner(change)) return ["replace"];
  return change.ttl > 0 ? ["extend", "keep"] : ["keep"];
}

/**
 * The UpdateItem of a create or an update; only changed keys travel.
 * @returns undefined when the change has too many keys for an expression.
 */
export function updateOf(save: Save, newEnd: NewEnd): UpdateParts | undefined {
  const { change, now, nonce } = save;
  const update = new Expressions();
  if (change.op === "create") {
    update.require("attribute_not_exists(id) OR e <= %", numberValue(now));
    update.set("d = %", dataValue(change.set));
    update.set("r = %, g = %", numberValue(1), numberValue(1));
    update.set("m = %", textValue(change.meta ?? ""));
  } else {
    update.require("r = % AND e > %", numberValue(change.rev ?? 0), numberValue(now));
    expectValues(update, change);
    setData(update, change);
    if (change.meta !== undefined) update.set("m = %", textValue(change.meta));
    if (isFenced(change)) update.set("r = r + %", numberValue(1));
    if (change.bump === true) update.set("g = g + %", numberValue(1));
  }
  setEnd(update, endOf(Math.min(now + change.ttl, change.deadline)), newEnd);
  if (isAppliedOnce(change)) update.set("n = %", textValue(nonce));
  update.set("v = %", textValue(nonce));
  const parts = update.parts();
  return fits(parts) ? parts : undefined;
}

/** The UpdateItem that replaces a whole session, if its item still has this version. */
export function replacementOf(stored: StoredSession, version: string, nonce: string): UpdateParts {
  const update = new Expressions();
  update.require("v = %", textValue(version));
  update.set("d = %, m = %", dataValue(stored.data), textValue(stored.meta));
  update.set("r = %, g = %", numberValue(stored.rev), numberValue(stored.generation));
  setEnd(update, endOf(stored.expires), "replace");
  update.set("n = %, v = %", textValue(nonce), textValue(nonce));
  return update.parts();
}

function expectValues(update: Expressions, { expect }: SessionChange): void {
  for (const [key, value] of expect ?? []) {
    const path = update.pathOf(key);
    if (value === undefined) update.require(`attribute_not_exists(${path})`);
    else update.require(`${path} = %`, textValue(value));
  }
}

function setData(update: Expressions, { clear, set, del }: SessionChange): void {
  if (clear === true) return update.set("d = %", dataValue(set));
  if (set.size === 0 && del.length === 0) return;
  // A path into anything else than a map is an error, not a failed condition.
  update.require("attribute_type(d, %)", textValue("M"));
  for (const key of new Set(del)) if (!set.has(key)) update.remove(update.pathOf(key));
  for (const [key, value] of set) update.set(`${update.pathOf(key)} = %`, textValue(value));
}

function setEnd(update: Expressions, end: number, newEnd: NewEnd): void {
  if (newEnd === "keep") return;
  const value = numberValue(end);
  if (newEnd === "extend") update.require("e <= %", value);
  update.set("e = %", value);
  const ttl = ttlOf(end);
  if (ttl === undefined) update.remove(update.nameOf("ttl"));
  else update.set(`${update.nameOf("ttl")} = %`, numberValue(ttl));
}

/** Expressions in the making, with placeholders for their names and values. */
class Expressions {
  readonly #sets: string[] = [];
  readonly #removes: string[] = [];
  readonly #conditions: string[] = [];
  readonly #placeholders = new Map<string, string>();
  readonly #values: Record<string, DynamoValue> = {};
  #valueCount = 0;

  /** Adds a condition; each % stands for a value. One with an OR must be the only one. */
  require(condition: string, ...values: readonly DynamoValue[]): void {
    this.#conditions.push(this.#bind(condition, values));
  }

  /** Adds an assignment; each % stands for a value. */
  set(assignment: string, ...values: readonly DynamoValue[]): void {
    this.#sets.push(this.#bind(assignment, values));
  }

  remove(path: string): void {
    this.#removes.push(path);
  }

  /** The path of a session's key. */
  pathOf(key: string): string {
    return `d.${this.nameOf(nameOf(key))}`;
  }

  /** The placeholder of a name, which may be a reserved word or hold any character. */
  nameOf(name: string): string {
    const known = this.#placeholders.get(name);
    if (known !== undefined) return known;
    const placeholder = `#${this.#placeholders.size}`;
    this.#placeholders.set(name, placeholder);
    return placeholder;
  }

  parts(): UpdateParts {
    const removes = this.#removes.length > 0 ? ` REMOVE ${this.#removes.join(", ")}` : "";
    const names = Array.from(this.#placeholders, ([name, placeholder]) => [placeholder, name]);
    return {
      UpdateExpression: `SET ${this.#sets.join(", ")}${removes}`,
      ConditionExpression: this.#conditions.join(" AND "),
      // An empty one is an error.
      ...(names.length > 0 && {
        ExpressionAttributeNames: Object.fromEntries(names) as Record<string, string>,
      }),
      ExpressionAttributeValues: this.#values,
    };
  }

  #bind(text: string, values: readonly DynamoValue[]): string {
    let next = 0;
    return text.replaceAll("%", () => {
      const placeholder = `:${this.#valueCount++}`;
      this.#values[placeholder] = values[next++] as DynamoValue;
      return placeholder;
    });
  }
}

/** True if DynamoDB takes expressions as large as these. */
function fits({ UpdateExpression: update, ConditionExpression: condition }: UpdateParts): boolean {
  if (update.length > MAX_EXPRESSION || condition.length > MAX_EXPRESSION) return false;
  return countOperators(update) + countOperators(condition) <= MAX_OPERATORS;
}

/** Everything that DynamoDB could count as an operator or a function: rather too many. */
function countOperators(expression: string): number {
  return expression.match(/[.=<>+(]| AND | OR /g)?.length ?? 0;
}
