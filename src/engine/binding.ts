// The owner of a session: the subject and the label given to `session.bind`, checked.
import { LimitError } from "../errors.ts";
import { assertText, utf8Length } from "../base/text.ts";

/** The subject and label of a session, before they are saved. */
export interface Binding {
  readonly subject: string;
  readonly label: string | undefined;
}

/**
 * A binding with names of 1 to `maxKeyBytes` bytes of UTF-8.
 * @throws {UsageError} ERR_SESSION_USAGE_TYPE or _MALFORMED
 * @throws {LimitError} ERR_SESSION_LIMIT_KEY
 */
export function toBinding(
  subject: string,
  label: string | undefined,
  maxKeyBytes: number,
): Binding {
  checkName(subject, "subject", maxKeyBytes);
  if (label !== undefined) checkName(label, "label", maxKeyBytes);
  return { subject, label };
}

function checkName(text: string, what: string, maxKeyBytes: number): void {
  assertText(text, what);
  const actual = utf8Length(text);
  if (actual > 0 && actual <= maxKeyBytes) return;
  const message = `the ${what} has ${actual} bytes, but must have 1 to maxKeyBytes ${maxKeyBytes}`;
  throw new LimitError("ERR_SESSION_LIMIT_KEY", message, { actual, limit: maxKeyBytes });
}
