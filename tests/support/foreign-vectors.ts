// vectors/foreign-cookies.json: cookies that other libraries made, with what they hold.
import { readFileSync } from "node:fs";

/** A cookie of another library. */
export interface ForeignVector {
  readonly reader: string;
  readonly name: string;
  readonly source: string;
  /** Those of its reader, without `until`. */
  readonly options: Record<string, unknown>;
  /** A Cookie header. */
  readonly cookie: string;
  readonly data: Record<string, unknown>;
  /** Seconds; null: the format has no end inside; absent: it isn't looked at. */
  readonly lifetime?: number | null;
}

/** The vectors, and an instant shortly after they were made, in Unix milliseconds. */
export function readVectors(): {
  readonly now: number;
  readonly cases: readonly ForeignVector[];
  readonly find: (reader: string, name: string, source?: string) => ForeignVector;
} {
  const path = new URL("../../vectors/foreign-cookies.json", import.meta.url);
  const { now, cases } = JSON.parse(readFileSync(path, "utf8")) as {
    readonly now: number;
    readonly cases: readonly ForeignVector[];
  };
  const find = (reader: string, name: string, source = ""): ForeignVector => {
    const found = cases.find(
      (one) => one.reader === reader && one.name === name && one.source.includes(source),
    );
    if (found === undefined) throw new Error(`there is no vector ${reader}, ${name}`);
    return found;
  };
  return { now, cases, find };
}
