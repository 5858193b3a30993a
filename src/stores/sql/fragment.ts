// SQL as pieces: by its type, a part of a statement is either our own text or a bound value. It knows no
// engine; each client's file writes its driver's placeholders.
import { option, type Reader } from "../../base/options.ts";

/** A bound value; bytes where the engine must not assume a character set. */
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

/** A piece of SQL from a template: fragments are inserted, everything else is bound. */
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

/** Our own text as a piece of SQL; never any input. */
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
 * @param qualifier - the engine's word for a name before the dot, such as "schema"; undefined: no dot.
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
