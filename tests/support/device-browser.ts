// A browser with device-bound sessions, as far as the protocol goes: it keeps cookies as browsers do, by a
// clock that a test turns, and its keys are WebCrypto's. Over node:http, since fetch sends Sec-Fetch-Mode.
import type { webcrypto } from "node:crypto";
import { request as send } from "node:http";

/** A response. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly header: (name: string) => string | undefined;
  readonly setCookie: readonly string[];
}

/** What the pages of a test's site say. */
interface SeenPage {
  readonly user: string;
  readonly device: string;
  readonly isNew: boolean;
  readonly readOnly: boolean;
  readonly keys: readonly string[];
}

interface KeptCookie {
  readonly value: string;
  readonly path: string;
  /** Unix milliseconds; Infinity: until the browser is closed. */
  readonly end: number;
  /** True: it goes with requests that another site started, too. */
  readonly isCross: boolean;
}

/** A request's method, headers and origin. */
export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** True: another site started it, so that Lax cookies stay behind. */
  readonly crossSite?: boolean;
  /** A form's fields. */
  readonly form?: Readonly<Record<string, string>>;
  /** A form as "multipart/form-data", in place of `form`. */
  readonly parts?: Readonly<Record<string, string>>;
}

const BOUNDARY = "boundary";

/** The body of a form. */
function textOf(form: Asked["form"], parts: Asked["parts"]): string | undefined {
  if (parts === undefined) return form && String(new URLSearchParams(form));
  const fields = Object.entries(parts).map(
    ([name, value]) =>
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return `${fields.join("")}--${BOUNDARY}--\r\n`;
}

/** A browser's cookies for one origin. */
export class CookieBrowser {
  /** The origin that requests go to; several processes of one site are reached by turns. */
  base: string;
  readonly now: () => number;
  readonly #jar = new Map<string, KeptCookie>();

  constructor(base: string, now: () => number) {
    this.base = base;
    this.now = now;
  }

  /** A thief's copy of all cookies, or of those whose names pass. */
  copy(base: string = this.base, wanted: (name: string) => boolean = () => true): CookieBrowser {
    const copy = new CookieBrowser(base, this.now);
    for (const [key, cookie] of this.#jar) {
      if (wanted(nameIn(key))) copy.#jar.set(key, cookie);
    }
    return copy;
  }

  /** The names of the live cookies. */
  get names(): string[] {
    return [...this.#jar].flatMap(([key, { end }]) => (end > this.now() ? [nameIn(key)] : []));
  }

  cookie(name: string): string | undefined {
    return [...this.#jar].find(([key]) => nameIn(key) === name)?.[1].value;
  }

  drop(name: string): void {
    for (const key of this.#jar.keys()) if (nameIn(key) === name) this.#jar.delete(key);
  }

  /** Puts a cookie in, as an attacker might. */
  put(name: string, value: string): void {
    this.#jar.set(`${name};/`, { value, path: "/", end: Infinity, isCross: false });
  }

  header(path: string, crossSite = false): string {
    const pairs = [...this.#jar].flatMap(([key, cookie]) => {
      const isSent = cookie.end > this.now() && isBelow(path, cookie.path);
      return isSent && (!crossSite || cookie.isCross) ? [`${nameIn(key)}=${cookie.value}`] : [];
    });
    return pairs.join("; ");
  }

  /** One request; redirects aren't followed. */
  visit(
    path: string,
    {
      form,
      parts,
      method = form === undefined && parts === undefined ? "GET" : "POST",
      headers = {},
      crossSite = false,
    }: Asked = {},
  ): Promise<Reply> {
    const cookie = this.header(path.replace(/\?.*$/, ""), crossSite);
    return new Promise((resolve, reject) => {
      const sent = {
        // As browsers do with every method that isn't safe; frameworks compare it with the host.
        ...(method !== "GET" && { origin: this.base }),
        ...headers,
        ...(form !== undefined && { "content-type": "application/x-www-form-urlencoded" }),
        ...(parts !== undefined && { "content-type": `multipart/form-data; boundary=${BOUNDARY}` }),
        ...(cookie !== "" && { cookie }),
      };
      const asked = send(this.base + path, { method, headers: sent, agent: false }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
        response.on("error", reject).on("end", () => {
          const setCookie = response.headers["set-cookie"] ?? [];
          for (const one of setCookie) this.#keep(one);
          const header = (name: string): string | undefined => {
            const value = response.headers[name.toLowerCase()];
            return Array.isArray(value) ? value.join(", ") : value;
          };
          resolve({ status: response.statusCode ?? 0, body, header, setCookie });
        });
      });
      asked.on("error", reject).end(textOf(form, parts));
    });
  }

  /** The JSON of a page. */
  async read(path = "/read", asked: Asked = {}): Promise<SeenPage> {
    return JSON.parse((await this.visit(path, asked)).body) as SeenPage;
  }

  #keep(text: string): void {
    const [pair = "", ...attributes] = text.split("; ");
    const equals = pair.indexOf("=");
    const of = (name: string): string | undefined =>
      attributes.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
    const path = of("Path") ?? "/";
    const age = of("Max-Age");
    const key = `${pair.slice(0, equals)};${path}`;
    const end = age === undefined ? Infinity : this.now() + Number(age) * 1000;
    if (end <= this.now()) this.#jar.delete(key);
    else {
      const isCross = of("SameSite") === "None";
      this.#jar.set(key, { value: pair.slice(equals + 1), path, end, isCross });
    }
  }
}

function nameIn(key: string): string {
  return key.slice(0, key.indexOf(";"));
}

function isBelow(path: string, base: string): boolean {
  return path === base || path.startsWith(base.endsWith("/") ? base : `${base}/`);
}

const base64url = (content: ArrayBuffer | string): string =>
  Buffer.from(content as string).toString("base64url");

/** How a proof differs from the right one. */
export interface ProofOptions {
  readonly jwk?: unknown;
  readonly typ?: string;
  readonly alg?: string;
  /** Whose key signs. */
  readonly signer?: DeviceKeyPair;
}

/** A device's key. */
export class DeviceKeyPair {
  readonly alg: "ES256" | "RS256";
  readonly jwk: object;
  readonly #key: webcrypto.CryptoKey;

  private constructor(alg: "ES256" | "RS256", jwk: object, key: webcrypto.CryptoKey) {
    this.alg = alg;
    this.jwk = jwk;
    this.#key = key;
  }

  static async make(
    alg: "ES256" | "RS256" = "ES256",
    modulusLength = 2048,
  ): Promise<DeviceKeyPair> {
    const { subtle } = globalThis.crypto;
    const algorithm =
      alg === "ES256"
        ? { name: "ECDSA", namedCurve: "P-256" }
        : {
            name: "RSASSA-PKCS1-v1_5",
            hash: "SHA-256",
            modulusLength,
            publicExponent: Uint8Array.of(1, 0, 1),
          };
    const pair = await subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const { kty, crv, x, y, n, e } = await subtle.exportKey("jwk", pair.publicKey);
    const jwk = alg === "ES256" ? { kty, crv, x, y } : { kty, n, e };
    return new DeviceKeyPair(alg, jwk, pair.privateKey);
  }

  /** A JWT over a challenge; a registration's with the key in it. */
  async proof(challenge: string, options: ProofOptions = {}): Promise<string> {
    const { typ = "dbsc+jwt", alg = this.alg, signer = this, jwk } = options;
    const head = base64url(JSON.stringify({ typ, alg, ...(jwk !== undefined && { jwk }) }));
    const signed = `${head}.${base64url(JSON.stringify({ jti: challenge }))}`;
    return `${signed}.${base64url(await signer.#sign(signed))}`;
  }

  #sign(text: string): Promise<ArrayBuffer> {
    const algorithm =
      this.alg === "ES256" ? { name: "ECDSA", hash: "SHA-256" } : { name: "RSASSA-PKCS1-v1_5" };
    return globalThis.crypto.subtle.sign(algorithm, this.#key, Buffer.from(text));
  }
}

/** The challenge of an offer, or of an answer of the endpoint. */
export function challengeIn(reply: Reply): string {
  const offer = reply.header("secure-session-registration");
  const text = offer ?? reply.header("secure-session-challenge") ?? "";
  return /challenge="([^"]+)"/.exec(text)?.[1] ?? /^"([^"]+)"/.exec(text)?.[1] ?? "";
}

/**
 * What Chromium 156 sends to the endpoint beside cookies and proofs, also after a link from another site. It sends
 * no body.
 */
const OWN_REQUEST = {
  "content-length": "0",
  "sec-fetch-mode": "no-cors",
  "sec-fetch-dest": "empty",
  "sec-fetch-site": "same-origin",
};

/** A browser that keeps its part of the protocol. */
export class DeviceBrowser extends CookieBrowser {
  readonly path: string;
  readonly device: DeviceKeyPair;
  identifier = "";
  /** The challenge that came ahead. */
  #challenge: string | undefined;

  constructor(base: string, now: () => number, device: DeviceKeyPair, path = "/session/device") {
    super(base, now);
    this.device = device;
    this.path = path;
  }

  /** Answers an offer. */
  async register(offer: Reply, headers: Asked["headers"] = {}, crossSite = false): Promise<Reply> {
    const jwk = this.device.jwk;
    const proof = await this.device.proof(challengeIn(offer), { jwk });
    const reply = await this.#post({ "secure-session-response": proof, ...headers }, crossSite);
    if (reply.status === 200) {
      const { session_identifier } = JSON.parse(reply.body) as { session_identifier: string };
      this.identifier = session_identifier;
      this.#challenge = challengeIn(reply);
    }
    return reply;
  }

  /** Refreshes: with the challenge at hand, or after a 403 with the new one. */
  async refresh(crossSite = false): Promise<Reply> {
    const first = await this.ask(
      this.#challenge === undefined ? undefined : await this.device.proof(this.#challenge),
      crossSite,
    );
    if (first.status !== 403) return first;
    this.#challenge = challengeIn(first);
    return this.ask(await this.device.proof(this.#challenge), crossSite);
  }

  /** One request of a refresh. */
  ask(proof: string | undefined, crossSite = false): Promise<Reply> {
    const headers = {
      "sec-secure-session-id": this.identifier,
      ...(proof !== undefined && { "secure-session-response": proof }),
    };
    return this.#post(headers, crossSite);
  }

  #post(headers: Asked["headers"], crossSite: boolean): Promise<Reply> {
    const sent = { ...OWN_REQUEST, ...headers };
    return this.visit(this.path, { method: "POST", headers: sent, crossSite });
  }
}
