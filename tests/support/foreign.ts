// A reader of another library's cookies, asked without a store around it.
import { findCookies } from "../../src/cookie/find.ts";
import type { ForeignCookies } from "../../src/cookie/foreign.ts";
import type { RejectedReason } from "../../src/events.ts";
import type { OpenedSession } from "../../src/store/contract.ts";

/** What a reader makes of a Cookie header, at an instant in Unix milliseconds. */
export function openWithReader(
  reader: ForeignCookies,
  header: string,
  now: number,
): { readonly session: OpenedSession | undefined; readonly rejected: readonly RejectedReason[] } {
  const cookies = reader.names.flatMap((name) =>
    findCookies(header, name).map((value) => ({ name, value })),
  );
  const rejected: RejectedReason[] = [];
  const session = reader.open(cookies, { name: "session", now }, rejected);
  return { session, rejected };
}
