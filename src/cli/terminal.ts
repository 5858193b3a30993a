// The commands' input and output: where they print, in colour or not, and what they read.
import { parseArgs, styleText, type ParseArgsConfig } from "node:util";

/** A command of the program. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly help: string;
  /** Gives the exit code. */
  readonly run: (args: readonly string[], out: Terminal) => Promise<number>;
}

/** Where a command prints. */
export interface Terminal {
  /** A line on standard output. */
  readonly print: (line: string) => void;
  /** A line on standard error, without control characters. */
  readonly complain: (line: string) => void;
  /** Coloured on a terminal without NO_COLOR (no-color.org). */
  readonly style: (format: "bold" | "dim" | "green" | "yellow" | "red", text: string) => string;
}

/** The error of a wrong command line. */
export class UsageFault extends Error {}

/** The process's own terminal. */
export function terminal(): Terminal {
  const isPlain = process.env["NO_COLOR"] !== undefined || !process.stdout.isTTY;
  return {
    print: (line) => void process.stdout.write(`${line}\n`),
    // A command line and a file's name can hold anything.
    complain: (line) => void process.stderr.write(`${printable(line)}\n`),
    style: (format, text) => (isPlain ? text : styleText(format, text)),
  };
}

const UNEXPECTED = "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL";

type Options = NonNullable<ParseArgsConfig["options"]>;
type Values<Given extends Options> = ReturnType<
  typeof parseArgs<{ options: Given; args: string[]; allowPositionals: false }>
>["values"];

/**
 * The options of a command line.
 * @throws {UsageFault} for an unknown option.
 */
export function readOptions<const Given extends Options>(
  args: readonly string[],
  options: Given,
): Values<Given> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: false, strict: true }).values;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Node's message shows the argument, which may be a cookie.
    throw new UsageFault(code === UNEXPECTED ? "it takes options only, no arguments" : message);
  }
}

/**
 * Characters that control or mislead a terminal, except the line break: control characters (C0, DEL and
 * C1), format characters such as the bidirectional marks, and Unicode's separators.
 */
const unprintable = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A text with each such character as \uXXXX, so that JSON stays JSON. */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (character) =>
    Array.from(
      { length: character.length },
      (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}

/** A value as JSON that is safe on a terminal; `indent` as of JSON.stringify. */
export function printableJson(value: unknown, indent?: number): string {
  return printable(JSON.stringify(value, null, indent));
}

/** All of standard input, as UTF-8. */
export async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
