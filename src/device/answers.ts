// The endpoint's answers: statuses, headers and instructions of the protocol (W3C, Device Bound Session
// Credentials, sections 8 and 9). No other origin may read them, and no cache stores them.
import type { OwnAnswer } from "../engine/device.ts";
import type { Devices } from "./devices.ts";
import type { Registered } from "./tokens.ts";

type Header = OwnAnswer["headers"][number];

const always: readonly Header[] = [
  ["Content-Type", "application/json"],
  ["Cache-Control", "no-store"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
  ["X-Content-Type-Options", "nosniff"],
];

/**
 * The lifetime of the first device cookie, in seconds: so short that the browser refreshes at its next request,
 * which binds the session. A browser keeps the cookie of a registration that it then refuses.
 */
const FIRST_SECONDS = 60;

/** An answer with a status, headers and a text. */
export function answerWith(status: number, headers: readonly Header[] = [], body = ""): OwnAnswer {
  return { status, headers: [...always, ...headers], body };
}

/** The answer to a good registration; it stores nothing. */
export function registeredAnswer(devices: Devices, registered: Registered): OwnAnswer {
  const { path, cookieName, attributes, options } = devices;
  const identifier = devices.tokens.identifier(registered);
  const instructions = {
    session_identifier: identifier,
    refresh_url: path,
    scope: {
      include_site: false,
      scope_specification: options.exclude.map((prefix) => ({
        type: "exclude",
        domain: "*",
        path: prefix,
      })),
    },
    allowed_refresh_initiators: options.refreshFrom,
    credentials: [{ type: "cookie", name: cookieName, attributes }],
  };
  const headers = [
    ["Set-Cookie", devices.fresh(registered.id, registered.thumb, FIRST_SECONDS)],
    challengeHeader(devices, identifier, registered),
  ] as const;
  return answerWith(200, headers, JSON.stringify(instructions));
}

/** The answer to a refresh without a good proof: the browser signs this challenge, and asks again. */
export function challengedAnswer(
  devices: Devices,
  identifier: string,
  registered: Registered,
): OwnAnswer {
  return answerWith(403, [challengeHeader(devices, identifier, registered)]);
}

/** The answer to a good refresh, with the session's own cookies, if it was changed. */
export function refreshedAnswer(
  devices: Devices,
  { id, thumb }: Registered,
  cookies: readonly string[],
): OwnAnswer {
  const fresh = devices.fresh(id, thumb, devices.options.refreshSeconds);
  return answerWith(
    200,
    [...cookies, fresh].map((cookie) => ["Set-Cookie", cookie] as const),
  );
}

/** The answer that has the browser forget its key. */
export function endedAnswer(devices: Devices, identifier: string): OwnAnswer {
  const instructions = { session_identifier: identifier, continue: false };
  const headers = [["Set-Cookie", devices.removal().text]] as const;
  return answerWith(200, headers, JSON.stringify(instructions));
}

function challengeHeader(
  { tokens, now }: Devices,
  identifier: string,
  { id, thumb }: Registered,
): Header {
  const challenge = tokens.challenge(id, thumb, now);
  return ["Secure-Session-Challenge", `"${challenge}";id="${identifier}"`];
}
