// Options: each maker has a table of readers with every option's kind and default. All messages about
// wrong options are made here: they name the option, the values that it takes, and the kind of the given
// one.
import { ConfigError, type ConfigErrorCode } from "../errors.ts";
import { kindOf } from "./text.ts";
import { MAX_SECONDS, tooLong } from "./time.ts";

/** Gives an option's value, or its default where it is undefined; null is a value like any other. */
export type Reader<Value> = (value: unknown, field: string) => Value;

/** A reader for each option. */
export type Readers<Options> = { readonly [Name in keyof Required<Options>]: Reader<unknown> };

/** Options as they were read: each has a value, except those without a default. */
export type Checked<Options, Absent extends keyof Options = never> = {
  readonly [Name in keyof Required<Options>]: Name extends Absent
    ? Options[Name]
    : Exclude<Options[Name], undefined>;
};

/** Readers of {@link Checked} options, for tables that are part of others. */
export type ReadersOf<Values> = { readonly [Name in keyof Values]: Reader<Values[Name]> };

type Read<Table extends Readers<object>> = {
  readonly [Name in keyof Table]: Table[Name] extends Reader<infer Value> ? Value : never;
};

/** Larger counts are a mistake. */
const MAX_COUNT = 2 ** 32;

/** @throws {ConfigError} */
export function fail(
  field: string,
  message: string,
  code: ConfigErrorCode = "ERR_SESSION_CONFIG_FIELD",
): never {
  throw new ConfigError(code, field, message);
}

/** @throws {ConfigError} */
export function mustBe(field: string, what: string, value: unknown, code?: ConfigErrorCode): never {
  return fail(field, `must be ${what}, not ${describe(value)}`, code);
}

/**
 * All options, read in the order of the table.
 * @param of - the maker's name, for messages.
 * @param path - a prefix of the options' names in errors: "keys[1].".
 * @throws {ConfigError} for anything but an object, for an unknown option, and by the readers.
 */
export function readOptions<Options extends object, Table extends Readers<Options>>(
  of: string,
  options: Options,
  table: Table,
  path = "",
): Read<Table> {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    mustBe(path.slice(0, -1) || "options", `an object with options of ${of}`, options);
  }
  const names = Object.keys(table);
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    const meant = findClosest(name, names);
    const hint = meant === undefined ? `known are ${names.join(", ")}` : `did you mean ${meant}?`;
    fail(path + name, `is not an option of ${of}; ${hint}`);
  }
  const values = options as Readonly<Record<string, unknown>>;
  const readers = Object.entries<Reader<unknown>>(table);
  return Object.fromEntries(
    readers.map(([name, read]) => [name, read(values[name], path + name)]),
  ) as Read<Table>;
}

/** A value that is checked elsewhere. */
export const unchecked: Reader<unknown> = (value) => value;

/**
 * Any kind of option.
 * @param what - the values that it takes, after "must be".
 */
export function option<Value, Fallback>(
  what: string,
  isRight: (value: unknown) => boolean,
  fallback: Fallback,
): Reader<Value | Fallback> {
  return (value, field) => {
    if (value === undefined) return fallback;
    return isRight(value) ? (value as Value) : mustBe(field, what, value);
  };
}

/**
 * A required object, such as a client.
 * @throws {ConfigError} ERR_SESSION_CONFIG_STORE, by the reader.
 */
export function required<Value>(what: string, isRight: (value: unknown) => boolean): Reader<Value> {
  return (value, field) =>
    isRight(value) ? (value as Value) : mustBe(field, what, value, "ERR_SESSION_CONFIG_STORE");
}

/** A string. */
export function text<Fallback extends string | undefined>(
  fallback: Fallback,
): Reader<string | Fallback> {
  return option("a string", (value) => typeof value === "string", fallback);
}

/** A function; undefined where there is none. */
export function callback<Call extends (...args: never[]) => unknown>(): Reader<Call | undefined> {
  return option("a function", isFunction, undefined);
}

/** `now`: Unix milliseconds. */
export function clock(): Reader<() => number> {
  return option("a function", isFunction, Date.now);
}

/** true or false. */
export function flag(fallback: boolean): Reader<boolean> {
  return oneOf([true, false], fallback);
}

/** One of a few values. */
export function oneOf<const Choice extends string | boolean, Fallback extends Choice | undefined>(
  choices: readonly Choice[],
  fallback: Fallback,
): Reader<Choice | Fallback> {
  const quoted = choices.map((choice) => JSON.stringify(choice));
  const what = `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
  return option(what, (value) => choices.includes(value as Choice), fallback);
}

/** A whole number. */
export function count(fallback: number, least = 1, most: number = MAX_COUNT): Reader<number> {
  return option(
    `a whole number from ${least} to ${most}`,
    (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
    fallback,
  );
}

/**
 * A span of time in seconds. One that is too long is usually meant in milliseconds, and the error asks.
 * @param reason - the reason for the longest one, for the message.
 */
export function seconds<Fallback extends number | undefined>(
  fallback: Fallback,
  most: number = MAX_SECONDS,
  reason = "a hundred years",
  what = "a number of seconds over 0",
  isRight: (value: number) => boolean = (value) => value > 0,
): Reader<number | Fallback> {
  const read = option<number, Fallback>(
    what,
    (value) => Number.isFinite(value) && isRight(value as number),
    fallback,
  );
  return (value, field) => {
    const span = read(value, field);
    if (span === fallback || span === undefined || span <= most) return span;
    return fail(field, tooLong(span, most, reason));
  };
}

/** True for a value with all these methods. */
export function hasMethods(value: unknown, ...names: readonly string[]): boolean {
  const methods = Object(value) as Readonly<Record<string, unknown>>;
  return names.every((name) => isFunction(methods[name]));
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

/** The kind of a value, of a string only its length: it may be a secret in the wrong place. */
function describe(value: unknown): string {
  if (typeof value === "string") return `a string of length ${value.length}`;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : kindOf(value);
}

/** The share of a name's letters that may be wrong. */
const SLIPS = 1 / 3;

/** The name that was probably meant: the one with the fewest wrong letters. */
function findClosest(name: string, names: readonly string[]): string | undefined {
  for (let slips = 0; slips <= Math.min(2, name.length * SLIPS); slips++) {
    const close = names.find((known) => isWithin(slips, known.toLowerCase(), name.toLowerCase()));
    if (close !== undefined) return close;
  }
  return undefined;
}

/** True if so many insertions, removals and replacements of letters turn one text into the other. */
function isWithin(slips: number, one: string, other: string): boolean {
  if (one === other) return true;
  if (slips === 0) return false;
  let same = 0;
  while (one[same] === other[same]) same++;
  const [first, second] = [one.slice(same), other.slice(same)];
  return (
    isWithin(slips - 1, first.slice(1), second) ||
    isWithin(slips - 1, first, second.slice(1)) ||
    isWithin(slips - 1, first.slice(1), second.slice(1))
  );
}
