// The answers of route handlers and proxies: what is thrown in one, and headers that keep a session's
// answer out of caches. It imports nothing of Next.
import { noEffects, type ResponseEffects } from "../../engine/effects.ts";
import { isCopyable, withEffects } from "../../engine/response.ts";
import { isSessionError } from "../../errors.ts";
import { reasonOf } from "../shared/error-answer.ts";

/** What Next throws for `redirect()`, `notFound()` and the like has a text of this name. */
function digestOf(error: unknown): string {
  const digest = (error as { readonly digest?: unknown } | null | undefined)?.digest;
  return typeof digest === "string" ? digest : "";
}

/** True for what Next throws to itself, such as in `redirect()`. */
export function isNexts(error: unknown): boolean {
  return digestOf(error) !== "";
}

/**
 * The answer that Next gives in a route handler for what `redirect()`, `notFound()` and the like throw: to it
 * headers can be added, and Next's own drops cookies, except for a redirect. Undefined: it is another error.
 * @param base - makes a redirect's address absolute, as Next demands of a proxy; undefined: it stays as it is.
 */
export function thrownAnswer(error: unknown, base?: string): Response | undefined {
  const digest = digestOf(error);
  const [, address, redirected] = /^NEXT_REDIRECT;[^;]*;(.*);(\d{3});$/s.exec(digest) ?? [];
  if (address !== undefined) {
    const location = base === undefined ? address : new URL(address, base).href;
    return new Response(null, { status: Number(redirected), headers: { location } });
  }
  const [, status] = /^NEXT_HTTP_ERROR_FALLBACK;(\d{3})$/.exec(digest) ?? [];
  return status === undefined ? undefined : new Response(null, { status: Number(status) });
}

/** The plain answer of an error of ours that has a status, 503 of a store or 409 of a conflict; it is logged. */
export function errorAnswer(error: unknown): Response | undefined {
  if (!isSessionError(error) || !("status" in error)) return undefined;
  const { status } = error;
  // oxlint-disable-next-line no-console -- Next reports what reaches it; this is answered before
  console.error(error);
  return new Response(`${reasonOf(status)}\n`, {
    status,
    headers: { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store" },
  });
}

/**
 * A proxy's response, of Next's class, whose cookies Next hands on to the page: itself, or a copy where it is of
 * another class, or where it must not be stored, since it may be a constant for many clients.
 * @param Carrier - Next's class.
 */
export function carrierOf<Carrying extends Response>(
  Carrier: new (body: ReadableStream<Uint8Array> | null, init: Response) => Carrying,
  { noStore }: ResponseEffects,
  response: Response,
): Carrying {
  if (response instanceof Carrier && !noStore) return response;
  return new Carrier(response.body, response);
}

/**
 * The response with the effects' headers, without their cookies, which go into Next's jar: a copy where it must
 * not be stored, since it may be a constant for many clients.
 */
export function withoutCookies(effects: ResponseEffects, response: Response): Response {
  const { headers, vary, noStore } = effects;
  const others = { ...noEffects, headers, vary, noStore };
  return withEffects(others, noStore && isCopyable(response) ? copyOf(response) : response);
}

function copyOf(response: Response): Response {
  return new Response(response.body, response);
}
