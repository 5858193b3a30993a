// Warns of a Secure cookie that goes out over plain HTTP, where browsers drop it: the session then never
// sticks, and neither side sees an error.
import { warnOnce } from "../../base/warning.ts";
import { isForwarded } from "./loopback.ts";

/** Hosts to which most browsers send Secure cookies over plain HTTP: W3C Secure Contexts section 3.1. */
const TRUSTWORTHY = /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/** The part of a request of node:http that tells how it came; other requests tell nothing. */
export interface PlainRequest {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly socket?: object;
}

/** True once a request for another host has been looked at: the first one decides. */
let isKnown = false;

/**
 * Warns when a response's cookies are Secure and its request came by plain HTTP, with no sign of a proxy.
 * The first request for a host that isn't this machine decides; later ones cost nothing.
 */
export function warnOfLostCookie(
  setCookie: readonly string[],
  { headers, socket }: PlainRequest,
): void {
  if (isKnown || headers === undefined) return;
  const host = headers["host"] ?? headers[":authority"];
  if (typeof host !== "string" || TRUSTWORTHY.test(host)) return;
  isKnown = true;
  const isTls = socket !== undefined && "encrypted" in socket && socket.encrypted === true;
  if (isTls || isForwarded((name) => headers[name])) return;
  if (!setCookie.some((cookie) => /; Secure(?:;|$)/.test(cookie))) return;
  warnOnce(
    "KOCHA_SESSION_INSECURE",
    "Secure",
    "a session's cookie is Secure, and browsers drop it over plain HTTP: serve the " +
      'site by https, or develop on http://localhost with secure: "auto"; let a proxy that ends https ' +
      "set X-Forwarded-Proto",
  );
}
