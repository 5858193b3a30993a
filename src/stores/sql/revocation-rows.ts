// How a revocation stands in a SQL row, the same on every engine: one row for each kind and id, and an
// upsert merges a new entry into it. It knows no driver.
import type {
  AppendedRevocation,
  RevocationEntry,
  RevocationKind,
  RevocationRecord,
} from "../../revocations/revocations.ts";
import { MAX_SKEW } from "../../base/time.ts";
import { StoreError } from "../../errors.ts";
import { decodeText, toNumber } from "./codec.ts";
import { raw, sql, type SqlFragment } from "./fragment.ts";

/** A number of ours, spelled out: a placeholder would need a type. */
const skew = raw(String(MAX_SKEW));
const kinds: readonly string[] = ["session", "credential", "subject"] satisfies RevocationKind[];

/** The columns of a record, in the order of {@link mergedColumns}. */
export const recordColumns: SqlFragment = raw(
  "kind, id, since, until, bound_before, spared, spared_before",
);

/** The columns that an upsert writes and returns: a record, and the nonce of a credential's first entry. */
export const appendedColumns: SqlFragment = raw(
  "kind, id, since, until, bound_before, spared, spared_before, nonce",
);

/** An engine's functions for the smallest and the largest of several values. */
export interface Extremes {
  readonly least: SqlFragment;
  readonly greatest: SqlFragment;
}

/**
 * `toRecord` and `mergeRecords` in SQL: the columns of the merged record of a row and an entry, from
 * `since` on.
 * @param known - the row's name.
 * @param added - the name of a row of the entry, whose reach takes no earlier entry into account.
 */
export function mergedColumns(known: string, added: string, words: Extremes): SqlFragment {
  const { least, greatest } = words;
  const [one, other] = [raw(known), raw(added)];
  const reach = sql`CASE WHEN ${other}.kind = 'subject' AND ${other}.bound_before >= ${one}.bound_before - ${skew} THEN ${greatest}(${other}.bound_before, ${one}.bound_before + 1) ELSE ${other}.bound_before END`;
  // With equal reaches each entry revokes the session that the other spares: either may be taken.
  const later = sql`CASE WHEN ${one}.bound_before >= ${reach} THEN ${one}.spared ELSE ${other}.spared END`;
  const earlier = sql`CASE WHEN coalesce(${one}.spared, '') = coalesce(${other}.spared, '') THEN 0 ELSE ${least}(${one}.bound_before, ${reach}) END`;
  return sql`${least}(${one}.since, ${other}.since), ${greatest}(${one}.until, ${other}.until), ${greatest}(${one}.bound_before, ${reach}), ${later}, ${greatest}(${one}.spared_before, ${other}.spared_before, ${earlier})`;
}

/** The record of a row; undefined for a malformed row. */
export function readRecord(
  row: Readonly<Record<string, unknown>> | undefined,
): RevocationRecord | undefined {
  const { kind, id, spared } = row ?? {};
  const decoded = typeof id === "string" ? decodeText(id) : undefined;
  const [at, until, before, exceptBefore] = ["since", "until", "bound_before", "spared_before"].map(
    (column) => toNumber(row?.[column]),
  ) as [number, number, number, number];
  const areInstants = [at, until, before, exceptBefore].every((ms) => Number.isFinite(ms));
  if (decoded === undefined || !areInstants || !kinds.includes(kind as string)) return undefined;
  return {
    kind: kind as RevocationKind,
    id: decoded,
    at,
    until,
    before,
    except: typeof spared === "string" ? spared : undefined,
    exceptBefore,
  };
}

/**
 * The log's answer for an entry, read from the row that the upsert returned.
 * @throws {StoreError} ERR_SESSION_STORE_ANSWER when it is no record.
 */
export function readAppended(
  row: Readonly<Record<string, unknown>> | undefined,
  { kind, nonce }: RevocationEntry,
): AppendedRevocation {
  const record = readRecord(row);
  if (record === undefined) {
    const message = "the database gave back something else than the entry that it was to take";
    throw new StoreError("ERR_SESSION_STORE_ANSWER", "revoke", message);
  }
  const isFirst = kind !== "credential" || (nonce !== undefined && row?.["nonce"] === nonce);
  return { record, isFirst };
}
