// How a long run is asked for on the command line: its options by name, `--help`, and an answer to an
// option that it doesn't have: the list of those that it has.
import { parseArgs } from "node:util";

type Given = string | boolean | (string | boolean)[] | undefined;

/** One option: what it is, and its value from what was given. */
interface Option<T> {
  readonly about: string;
  readonly type: "string" | "boolean";
  readonly multiple?: boolean;
  readonly read: (given: Given) => T;
}

/** What may stand on the command line without a dash. */
interface Names {
  readonly about: string;
  readonly of: readonly string[];
}

type Options = Readonly<Record<string, Option<unknown>>>;
type Values<O extends Options> = {
  readonly [Name in keyof O]: O[Name] extends Option<infer T> ? T : never;
};
type Asked<O extends Options> = Values<O> & { readonly names: readonly string[] };

/** A command line that isn't understood; the message names the way out. */
export class UsageError extends Error {}

/** A whole number from 0 on. */
function number<T extends number | undefined>(usual: T, about: string): Option<number | T> {
  return {
    about: usual === undefined ? about : `${about}; ${usual} unless given`,
    type: "string",
    read: (given) => {
      if (given === undefined) return usual;
      if (!/^\d+$/.test(String(given)))
        throw new UsageError(`"${String(given)}" is no whole number`);
      return Number(given);
    },
  };
}

/** Some text. */
function text(about: string): Option<string | undefined> {
  return { about, type: "string", read: (given) => given as string | undefined };
}

/** One of the names in a list. */
function choice<Name extends string>(of: readonly Name[], about: string): Option<Name | undefined> {
  return {
    about: `${about}; one of ${of.join(", ")}`,
    type: "string",
    read: (given) => {
      if (given === undefined || of.includes(given as Name)) return given as Name | undefined;
      throw new UsageError(`"${String(given)}" is none of ${of.join(", ")}`);
    },
  };
}

/** Given or not. */
function flag(about: string): Option<boolean> {
  return { about, type: "boolean", read: (given) => given === true };
}

/** Some texts, one each time that the option is given. */
function texts(about: string): Option<readonly string[] | undefined> {
  return {
    about: `${about}; may be given several times`,
    type: "string",
    multiple: true,
    read: (given) => given as string[] | undefined,
  };
}

/** The seed of what a run draws at random. */
const seed: Option<number> = {
  ...number(undefined, ""),
  about: "of what is drawn at random; the clock's unless given",
  read: (given) => number(Date.now() % 0x7fff_ffff, "").read(given),
};

/** The kinds of options. */
export const option = { number, text, texts, choice, flag, seed } as const;

/** The values of the options in `given`; throws a {@link UsageError}. */
export function parse<O extends Options>(
  given: readonly string[],
  options: O,
  names?: Names,
): Asked<O> {
  const { values, positionals } = parseStrictly(given, options, names);
  for (const name of positionals) {
    if (!names?.of.includes(name))
      throw new UsageError(`"${name}" is none of ${names?.of.join(", ")}`);
  }
  const taken = Object.entries(options).map(([name, { read }]) => {
    try {
      return [name, read(values[name])];
    } catch (error) {
      throw new UsageError(`--${name}: ${(error as Error).message}`);
    }
  });
  return { ...(Object.fromEntries(taken) as Values<O>), names: positionals };
}

function parseStrictly(given: readonly string[], options: Options, names: Names | undefined) {
  try {
    return parseArgs({ args: [...given], options, allowPositionals: names !== undefined });
  } catch (error) {
    const [message = ""] = (error as Error).message.split(/\. |\n/);
    throw new UsageError(message);
  }
}

/** What `npm run <command>` was asked for; with `--help`, or a mistake, it says what there is, and ends. */
export function readArguments<O extends Options>(
  command: string,
  options: O,
  names?: Names,
): Asked<O> {
  const given = process.argv.slice(2);
  const help = usage(command, options, names);
  try {
    if (!given.includes("--help")) return parse(given, options, names);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${help}`);
    return process.exit(2);
  }
  console.log(help);
  return process.exit(0);
}

/** One line an option. */
function usage(command: string, options: Options, names: Names | undefined): string {
  const lines = Object.entries({ ...options, help: flag("says this") }).map(
    ([name, { about, type }]) => {
      const shown = type === "boolean" ? `--${name}` : `--${name} <${name}>`;
      return `  ${shown.padEnd(28)} ${about}`;
    },
  );
  const head = `npm run ${command} -- [options]${names === undefined ? "" : " [names]"}`;
  const named = names === undefined ? [] : [`  names: ${names.about}; of ${names.of.join(", ")}`];
  return [head, ...lines, ...named].join("\n");
}
