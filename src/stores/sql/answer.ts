// Checks of a driver's answers. A client with unusual options, or a wrapper, can return rows of another
// shape, each of which would read as "no session"; so they are errors.
import { kindOf } from "../../base/text.ts";
import { StoreError, type StoreOperation } from "../../errors.ts";

/** A row as a driver gives it. */
export type SqlRow = Readonly<Record<string, unknown>>;

/**
 * The rows of an answer.
 * @throws {StoreError} ERR_SESSION_STORE_ANSWER when it is no array.
 */
export function rowsOf(operation: StoreOperation, answer: unknown): readonly SqlRow[] {
  if (Array.isArray(answer)) return answer;
  return fail(operation, `${kindOf(answer)} in place of an array of rows`);
}

/**
 * Checks that rows are objects with this column; its value may be any.
 * @throws {StoreError} ERR_SESSION_STORE_ANSWER
 */
export function checkColumn(
  operation: StoreOperation,
  rows: readonly SqlRow[],
  column: string,
): void {
  for (const row of rows as readonly unknown[]) {
    if (typeof row === "object" && row !== null && column in row) continue;
    fail(operation, `a row without the column ${column}`);
  }
}

function fail(operation: StoreOperation, found: string): never {
  const message =
    `the client gave ${found}; it isn't a client that the store takes, or an option of it ` +
    "changes the shape of rows";
  throw new StoreError("ERR_SESSION_STORE_ANSWER", operation, message);
}
