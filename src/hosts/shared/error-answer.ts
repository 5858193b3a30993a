// The answer to an error without a host's error path: a status and a line of text. It imports nothing
// of Node.js.
import type { ServerResponse } from "node:http";
import { isSessionError } from "../../errors.ts";
import { forgetReason } from "./head.ts";

/** Answers with the status and its standard text, never the error's: RFC 9110 section 15.6. */
export function answerError(response: ServerResponse, error: unknown): void {
  // The handler threw after its answer was complete.
  if (response.writableEnded) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  const status = statusOf(error);
  response.statusCode = status;
  forgetReason(response);
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.setHeader("Cache-Control", "no-store");
  response.end(`${reasonOf(status)}\n`);
}

/** What a status means, in words: RFC 9110 section 15. */
export function reasonOf(status: number): string {
  if (status === 409) return "Conflict";
  return status === 503 ? "Service Unavailable" : "Internal Server Error";
}

/** The status of an error of ours, else 500: other errors' `status` may be another server's. */
export function statusOf(error: unknown): number {
  return (isSessionError(error) && (error as { readonly status?: number }).status) || 500;
}
