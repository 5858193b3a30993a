// `kocha-session inspect`: describes a cookie, with the secrets in the environment. Values are shown only
// on request, secrets never.
import { DEVICE_KEY } from "../base/reserved.ts";
import { findParts } from "../cookie/find.ts";
import { isPart, type Seen } from "../merge/part.ts";
import { MAX_PARTS_BYTES, MergingCookies } from "../merge/parts.ts";
import { placeOf, joinPieces } from "../cookie/split.ts";
import { openTicket } from "../engine/ticketed/ticket.ts";
import type { Cookie } from "../store/contract.ts";
import type { RejectedReason } from "../events.ts";
import { utf8Length } from "../base/text.ts";
import { createCookieKeyring, createSigningKeyring } from "../crypto/keyring.ts";
import { decodePayload, type SessionPayload } from "../crypto/payload.ts";
import { MAX_COOKIE_BYTES, openToken } from "../crypto/token.ts";
import { decodeBase64url } from "#crypto";
import { ConfigError } from "../errors.ts";
import { readEnvironmentFile } from "./environment.ts";
import { type DeviceCookie, examineDevice, type SessionBeside } from "./inspect-device.ts";
import {
  type Command,
  printable,
  printableJson,
  readOptions,
  readStandardInput,
  type Terminal,
  UsageFault,
} from "./terminal.ts";

/** The findings on one cookie. */
interface Finding {
  readonly name: string;
  readonly bytes: number;
  readonly limit: number;
  readonly version?: number;
  readonly keyId?: string;
  readonly kind?: "session" | "piece" | "part" | "tombstone" | "ticket" | "device";
  readonly problem?: RejectedReason | "not ours";
  readonly session?: Record<string, unknown>;
  readonly ticket?: Record<string, unknown>;
  readonly device?: DeviceCookie["device"];
}

/** Version, key id, selector, generation, issued and tag: the length of a ticket. */
const TICKET_BYTES = 45;
const VERSION = 1;

/** The command. */
export const inspect: Command = {
  name: "inspect",
  summary: "describes a cookie: version, key id, ages, ends, keys and sizes",
  help: `kocha-session inspect [--name <cookie>] [--values] [--json]

Reads a cookie's value, a Cookie header or Set-Cookie headers from standard input, and the secrets
from SESSION_SECRET_KEY and SESSION_SIGNING_KEY (for server-side stores only the second). Variables that
aren't set are read from .env, if there is one.

  --name    the cookie's name, which is part of the seal; default: all session cookies of a header,
            and session for a bare value
  --values  show the values too; without it only their sizes
  --json    one JSON array, an object for each cookie

Exit code 1 when no cookie opens.
`,
  run: async (args, out) => {
    const options = readOptions(args, {
      name: { type: "string" },
      values: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    });
    const sessions = readSessions(await readStandardInput(), options.name);
    readEnvironmentFile();
    let findings: Finding[];
    try {
      findings = sessions.flatMap((session) => examine(session, options.values));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      out.complain(`SESSION_SECRET_KEY and SESSION_SIGNING_KEY are needed: ${error.message}`);
      return 2;
    }
    if (options.json) out.print(printableJson(findings, 2));
    else for (const finding of findings) show(finding, out);
    const isOpen = ({ problem, kind }: Finding): boolean =>
      problem === undefined && kind !== "device";
    return findings.some(isOpen) ? 0 : 1;
  },
};

/** The cookies of one name, with the pieces and parts of its session. */
interface SessionCookies {
  readonly name: string;
  readonly cookies: readonly Cookie[];
  /** The lines of the input, for the device cookie. */
  readonly lines: readonly string[];
}

/** The header's own name, where the whole line was copied, as of `curl -v`. */
const HEADER_NAME = /^(?:[<>] )?(?:set-)?cookie:[ \t]*/i;
/** The end of the name of a piece or a part. */
const SUFFIX = /\.[\w-]{6}$/;

/** The session cookies of the input: those of a name, or all, or else the whole input as a value. */
function readSessions(input: string, given: string | undefined): readonly SessionCookies[] {
  const lines = input
    .trim()
    .split("\n")
    .map((line) => line.trim().replace(HEADER_NAME, ""));
  const text = lines.join("\n");
  if (text === "") throw new UsageFault("there is nothing on standard input");
  const names = given === undefined ? sessionNames(lines) : [given];
  const found = names
    .map((name) => ({ name, lines, cookies: lines.flatMap((line) => findParts(line, name)) }))
    .filter(({ cookies }) => cookies.length > 0);
  if (found.length > 0) return found;
  if (text.includes("=") && /[;\s]|=[^=]/.test(text)) {
    throw new UsageFault(
      given === undefined
        ? "there is no session cookie in it"
        : `there is no cookie named ${given} in it; say another --name, or none`,
    );
  }
  const name = given ?? "session";
  return [{ name, lines: [], cookies: [{ name, value: text }] }];
}

/** The names of the sessions in headers: of the cookies that look like ours, and the usual one. */
function sessionNames(lines: readonly string[]): readonly string[] {
  const pairs = lines.flatMap((line) => line.split(";")).map((pair) => pair.trim().split("="));
  const names = pairs
    .filter(([name, value = ""]) => name === "session" || describe({ name: "", value }).version)
    .map(([name = ""]) => name.replace(SUFFIX, ""));
  return [...new Set(names)].filter((name) => name !== "");
}

function examine({ name, cookies, lines }: SessionCookies, withValues: boolean): Finding[] {
  const signingKey = process.env["SESSION_SIGNING_KEY"];
  const secretKey = process.env["SESSION_SECRET_KEY"];
  const signing = createSigningKeyring({ signingKey });
  const ring = secretKey === undefined ? undefined : createCookieKeyring({ secretKey, signingKey });
  const pieces: { place: number; payload: Uint8Array }[] = [];
  const merging = ring && new MergingCookies(ring, 0);
  const context = { name, now: Date.now() };
  const seen: Seen[] = [];
  const opened: SessionBeside[] = [];
  const findings = cookies.map((cookie): Finding => {
    const base = describe(cookie);
    if (base.problem !== undefined) return base;
    if (base.kind === "ticket") {
      const ticket = openTicket(signing, cookie.name, cookie.value);
      if (typeof ticket === "string") return { ...base, problem: ticket };
      const { selector, generation, issued } = ticket;
      return { ...base, ticket: { selector, generation, issued: new Date(issued).toISOString() } };
    }
    if (ring === undefined) throw missingSecret();
    const part = merging?.open(cookie, context, Infinity);
    if (typeof part === "string") return { ...base, kind: "part", problem: part };
    if (part !== undefined) {
      seen.push(part);
      if (!isPart(part.content)) return { ...base, kind: "tombstone" };
      return { ...base, kind: "part", session: summarize(part.content.session, withValues) };
    }
    const place = placeOf(cookie.name, name);
    const purpose = place === undefined ? "session" : "piece";
    const token = openToken(ring, purpose, cookie.name, cookie.value);
    if (typeof token === "string") return { ...base, kind: purpose, problem: token };
    if (place !== undefined) {
      pieces.push({ place, payload: token.payload });
      return { ...base, kind: "piece" };
    }
    const payload = decodePayload(token.payload);
    if (payload === undefined) return { ...base, kind: "session", problem: "malformed" };
    opened.push(payload);
    return { ...base, kind: "session", session: summarize(payload, withValues) };
  });
  for (const whole of joinPieces(pieces, () => undefined)) {
    const payload = decodePayload(whole);
    const bytes = findings.reduce((sum, finding) => sum + finding.bytes, 0);
    if (payload === undefined) continue;
    opened.push(payload);
    const limit = MAX_COOKIE_BYTES * findings.length;
    findings.push({ name, bytes, limit, kind: "session", session: summarize(payload, withValues) });
  }
  const whole = { best: undefined, inGrace: undefined };
  const joined = merging?.join(seen, whole, [], context.now, []);
  if (joined !== undefined) opened.push(joined);
  if (joined !== undefined && seen.length > 1) {
    const bytes = seen.reduce((sum, one) => sum + one.bytes, 0);
    const session = summarize(joined, withValues);
    findings.push({
      name: `${name} (joined)`,
      bytes,
      limit: MAX_PARTS_BYTES,
      kind: "session",
      session,
    });
  }
  const devices = examineDevice(lines, name, ring ?? signing, opened).map((device): Finding => {
    return { ...device, limit: MAX_COOKIE_BYTES, version: VERSION, kind: "device" };
  });
  return [...findings, ...devices];
}

function missingSecret(): ConfigError {
  return new ConfigError("ERR_SESSION_CONFIG_KEY", "secretKey", "is undefined");
}

/** The public part of a value, read without any secret. */
function describe({ name, value }: Cookie): Finding {
  const sizes = { name, bytes: name.length + value.length, limit: MAX_COOKIE_BYTES };
  const bytes = decodeBase64url(value);
  if (bytes === undefined || bytes.length < TICKET_BYTES) return { ...sizes, problem: "malformed" };
  const [version] = bytes;
  // Another version of ours, or another format, such as Kocha's.
  if (version !== VERSION) return { ...sizes, problem: "not ours" };
  const keyId = Buffer.from(bytes.subarray(1, 5)).toString("hex");
  const kind = bytes.length === TICKET_BYTES ? { kind: "ticket" as const } : {};
  return { ...sizes, version, keyId, ...kind };
}

function summarize(payload: SessionPayload, withValues: boolean): Record<string, unknown> {
  const { id, rev, created, issued, idleExpires, deadline, subject, data } = payload;
  const end = Math.min(idleExpires, deadline);
  return {
    id,
    rev,
    created: instant(created),
    ...(issued > 0 && { issued: instant(issued) }),
    idleEnd: instant(idleExpires),
    absoluteEnd: instant(deadline),
    expired: end <= Date.now(),
    bound: subject !== undefined,
    device: data.has(DEVICE_KEY) ? "bound" : "none",
    ...(payload.cookieExpires !== undefined && { cookieExpires: payload.cookieExpires }),
    ...(payload.sessionExpires !== undefined && { sessionExpires: payload.sessionExpires }),
    keys: Array.from(data, ([key, value]) => ({
      key,
      bytes: utf8Length(key) + utf8Length(value),
      ...(withValues && { value }),
    })),
  };
}

function instant(unixMs: number): string {
  return unixMs === Infinity ? "none" : new Date(unixMs).toISOString();
}

function show(finding: Finding, out: Terminal): void {
  const { name, bytes, limit, version, keyId, problem } = finding;
  out.print(`${out.style("bold", printable(name))}  ${bytes} of ${limit} bytes`);
  if (version !== undefined) out.print(`  version ${version}, key id ${keyId ?? ""}`);
  if (problem !== undefined) out.print(`  ${out.style("red", problem)}: ${explain(problem)}`);
  const { ofThisSession, ...device } = finding.device ?? {};
  const said: Record<string, unknown> = { ...finding.ticket, ...device };
  if (ofThisSession === false)
    out.print("  a device cookie of another session, or of other secrets");
  for (const [field, value] of Object.entries(said)) out.print(`  ${field}: ${String(value)}`);
  const { keys, ...facts } = finding.session ?? {};
  for (const [field, value] of Object.entries(facts)) out.print(`  ${field}: ${String(value)}`);
  for (const { key, bytes: size, value } of (keys ?? []) as {
    key: string;
    bytes: number;
    value?: string;
  }[]) {
    const shown = value === undefined ? "" : ` = ${printableJson(value)}`;
    out.print(`  - ${printableJson(key)}: ${size} bytes${shown}`);
  }
}

const explanations: Partial<Record<NonNullable<Finding["problem"]>, string>> = {
  "unknown-key": "made with other secrets than those of the environment",
  forged: "changed, or sealed for another cookie name: say it by --name",
  "not ours": "another format, or a later version",
};

function explain(problem: NonNullable<Finding["problem"]>): string {
  return explanations[problem] ?? "no token of this library";
}
