// A response's head before it is sent: merges writeHead's headers and our effects into it, and restores
// it when the answer is dropped. It knows no session.
import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { HeaderAccess } from "../../engine/effects.ts";

/** writeHead's headers: an object, a flat list or a list of pairs. */
type HeadHeaders = OutgoingHttpHeaders | readonly unknown[];

/** A response's headers, with separate Set-Cookie values. */
export interface CookieHead extends HeaderAccess {
  readonly cookies: () => readonly string[];
  readonly remove: (name: string) => void;
}

/** The headers of a host that stores them itself until it sends them. */
export interface HostHead extends CookieHead {
  /** Saves the headers; gives a function that restores them. */
  readonly remember: () => () => void;
}

// oxlint-disable no-underscore-dangle -- node's own names

/** The fields of node:http's response that hold a rendered head. HTTP/2's has none. */
interface RenderedHead {
  _header: string | null;
  readonly _headerSent: boolean;
  chunkedEncoding: boolean;
  _hasBody: boolean;
  readonly req?: { readonly method?: string | undefined };
}

/**
 * Headers that describe one answer, or let a cache keep it; an answer that replaces it must not have
 * them. RFC 9110 sections 8, 14.3 and 14.4; RFC 9111 section 5.
 */
const answerHeaders = [
  "accept-ranges",
  "age",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-range",
  "content-type",
  "etag",
  "expires",
  "last-modified",
  "location",
  "trailer",
  "transfer-encoding",
] as const;

/** Moves writeHead's headers into the response, where ours are added; gives the remaining arguments. */
export function foldHead(response: ServerResponse, args: readonly unknown[]): unknown[] {
  const [status, second, third] = args;
  const isReason = typeof second === "string";
  const headers = (isReason ? third : (second ?? third)) as HeadHeaders | null | undefined;
  if (typeof headers === "object" && headers !== null) setAll(response, headers);
  return isReason ? [status, second] : [status];
}

function setAll(response: ServerResponse, headers: HeadHeaders): void {
  const entries = Array.isArray(headers) ? pairsOf(headers) : Object.entries(headers);
  const named = new Map<string, string[] | OutgoingHttpHeader>();
  for (const [name, value] of entries as [string, OutgoingHttpHeader][]) {
    const known = named.get(name.toLowerCase());
    // A list may repeat a header: all values count, as on the wire.
    const all = known === undefined ? value : [...listed(known), ...listed(value)];
    named.set(name.toLowerCase(), all);
    response.setHeader(name, all);
  }
}

function pairsOf(list: readonly unknown[]): [unknown, unknown][] {
  if (list.every(Array.isArray)) return list as [unknown, unknown][];
  if (list.length % 2 === 1) {
    const message = "the flat list of headers has a name without a value";
    throw Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_VALUE" });
  }
  const pairs: [unknown, unknown][] = [];
  for (let index = 0; index < list.length; index += 2) pairs.push([list[index], list[index + 1]]);
  return pairs;
}

/** Adds effects to a response's headers, set ones or those of a rendered head. */
export function headersOf(response: ServerResponse): CookieHead | undefined {
  if (!response.headersSent) return new ResponseHead(response);
  const rendered = response as unknown as RenderedHead;
  const isUnsent = typeof rendered._header === "string" && !rendered._headerSent;
  return isUnsent ? renderedHeaders(rendered) : undefined;
}

/** The headers of a response itself. */
export class ResponseHead implements HostHead {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get(name: string): string | undefined {
    return joined(this.#response.getHeader(name));
  }

  set(name: string, value: string): void {
    this.#response.setHeader(name, value);
  }

  append(name: string, value: string): void {
    this.#response.setHeader(name, [...listed(this.#response.getHeader(name)), value]);
  }

  remove(name: string): void {
    this.#response.removeHeader(name);
  }

  cookies(): readonly string[] {
    return listed(this.#response.getHeader("Set-Cookie"));
  }

  remember(): () => void {
    return rememberHead(this.#response);
  }
}

/** Removes matching Set-Cookie values; true if there were any. */
export function removeCookies(head: CookieHead, isMeant: (setCookie: string) => boolean): boolean {
  const all = head.cookies();
  const others = all.filter((cookie) => !isMeant(cookie));
  if (others.length === all.length) return false;
  head.remove("Set-Cookie");
  for (const cookie of others) head.append("Set-Cookie", cookie);
  return true;
}

/** The headers of a head rendered by `writeHeader`, an alias of writeHead that can't be held. */
function renderedHeaders(response: RenderedHead): CookieHead {
  const lines = (): string[] => (response._header ?? "").split("\r\n").slice(0, -2);
  const isNamed = (line: string, name: string): boolean =>
    line.toLowerCase().startsWith(`${name.toLowerCase()}:`);
  const render = (all: readonly string[]): void => {
    response._header = `${all.join("\r\n")}\r\n\r\n`;
  };
  const valuesOf = (name: string): string[] =>
    lines()
      .filter((line) => isNamed(line, name))
      .map((line) => line.slice(name.length + 1).trim());
  const remove = (name: string): void => render(lines().filter((line) => !isNamed(line, name)));
  return {
    get: (name) => {
      const values = valuesOf(name);
      return values.length === 0 ? undefined : values.join(", ");
    },
    cookies: () => valuesOf("Set-Cookie"),
    remove,
    set: (name, value) => {
      remove(name);
      render([...lines(), `${name}: ${value}`]);
    },
    append: (name, value) => render([...lines(), `${name}: ${value}`]),
  };
}

/** Saves the status and the headers; gives a function that restores them. */
export function rememberHead(response: ServerResponse): () => void {
  const { statusCode } = response;
  // HTTP/2 has no reason phrase, and warns when it is read.
  const reason = isHttp2(response) ? undefined : response.statusMessage;
  const headers = response.getHeaders();
  const wasRendered = response.headersSent;
  return () => {
    if (wasRendered) unrender(response as unknown as RenderedHead);
    response.statusCode = statusCode;
    if (!isHttp2(response)) response.statusMessage = reason ?? "";
    for (const [name, value] of Object.entries(response.getHeaders())) {
      const before = headers[name];
      if (before === undefined) response.removeHeader(name);
      else if (before !== value) response.setHeader(name, before);
    }
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined && !response.hasHeader(name)) response.setHeader(name, value);
    }
  };
}

/** node:http's rendered head, if there is one. */
export function renderedHead(response: ServerResponse): string | null {
  return (response as unknown as RenderedHead)._header;
}

function unrender(response: RenderedHead): void {
  response._header = null;
  response.chunkedEncoding = false;
  response._hasBody = response.req?.method !== "HEAD";
}

/** Makes the headers an error's: without those of the dropped answer, and with no-store. */
export function forgetAnswer(headers: Pick<HostHead, "set" | "remove">): void {
  for (const name of answerHeaders) headers.remove(name);
  headers.set("Cache-Control", "no-store");
}

/** Lets the reason phrase follow from the status again. HTTP/2 has none, and warns when it is read. */
export function forgetReason(response: ServerResponse): void {
  Reflect.deleteProperty(response, "statusMessage");
}

/** True for a response of HTTP/2's compatible API. */
export function isHttp2(response: ServerResponse): boolean {
  return (response as { readonly stream?: unknown }).stream !== undefined;
}

/** A header's separate values. */
export function listed(value: OutgoingHttpHeader | undefined): string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [String(value)];
}

/** A header's value as one string; undefined when it isn't set. */
export function joined(value: OutgoingHttpHeader | undefined): string | undefined {
  return value === undefined ? undefined : listed(value).join(", ");
}
