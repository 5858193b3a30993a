// SQL as pieces: what stands in a statement is either text of ours or a bound value, by type. It
// knows no engine; each client's file writes the placeholders that its driver wants.
import { option, type Reader } from "../../base/options.ts";

/** What is bound to a statement; bytes where the engine must not guess their character set. */
export type SqlValue = string | number | Uint8Array | null;

/** A piece of SQL: text of ours with a bound value between every two chunks. */
export class SqlFragment {
  readonly chunks: readonly string[];
  readonly values: readonly SqlValue[];

  constructor(chunks: readonly string[], values: readonly SqlValue[]) {
    this.chunks = chunks;
    this.values = values;
  }
}

/** A piece of SQL from a template: fragments are spliced, everything else is bound. */
export function sql(
  literals: TemplateStringsArray,
  ...parts: readonly (SqlValue | SqlFragment)[]
): SqlFragment {
  const chunks: string[] = [];
  const values: SqlValue[] = [];
  let open = literals[0] ?? "";
  for (const [index, part] of parts.entries()) {
    if (part instanceof SqlFragment) {
      const [first = "", ...rest] = part.chunks;
      open += first;
      for (const chunk of rest) {
        chunks.push(open);
        open = chunk;
      }
      values.push(...part.values);
    } else {
      chunks.push(open);
      values.push(part);
      open = "";
    }
    open += literals[index + 1] ?? "";
  }
  chunks.push(open);
  return new SqlFragment(chunks, values);
}

/** Text of ours as a piece of SQL; never anything that came from outside. */
export function raw(text: string): SqlFragment {
  return new SqlFragment([text], []);
}

/** The pieces with commas between them. */
export function list(pieces: readonly SqlFragment[]): SqlFragment {
  return pieces.reduce((all, piece) => sql`${all}, ${piece}`);
}

/** The conditions, all of which must hold. */
export function every(conditions: readonly SqlFragment[]): SqlFragment {
  return conditions.reduce((one, other) => sql`${one} AND ${other}`);
}

/** A table's name, optionally with its schema's; a quote could never stand in it. */
const TABLE = /^[A-Za-z_][A-Za-z0-9_]{0,47}(?:\.[A-Za-z_][A-Za-z0-9_]{0,47})?$/;

/**
 * The option `table`.
 * @param qualifier - how the engine calls what may stand before the name; undefined: nothing may.
 */
export function tableOption(fallback: string, qualifier?: string): Reader<string> {
  const more = qualifier === undefined ? "" : `, or ${qualifier}.name, each`;
  return option(
    `a name of letters, digits and _${more} up to 48 long`,
    (value) =>
      typeof value === "string" &&
      TABLE.test(value) &&
      (qualifier !== undefined || !value.includes(".")),
    fallback,
  );
}

/**
 * A table's name as it stands in a statement.
 * @param quote - the engine's quote for identifiers.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD when it isn't a plain name.
 */
export function tableName(name: string, quote: '"' | "`"): SqlFragment {
  const checked = tableOption(name, "schema")(name, "table");
  return raw(
    checked
      .split(".")
      .map((part) => quote + part + quote)
      .join("."),
  );
}
