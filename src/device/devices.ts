// What one engine has for the devices of its sessions: options, cookies and tokens. The endpoint and each
// request's device use it.
import { SECOND } from "../base/time.ts";
import { type CookieAttributes, CookieWriter, type ResponseCookie } from "../cookie/attributes.ts";
import { findCookies } from "../cookie/find.ts";
import { MAX_CHECKED } from "../cookie/tries.ts";
import type { DeviceConfig } from "../engine/device.ts";
import { type DeviceEvent, type DeviceReason, notify } from "../events.ts";
import { isJustBound, thumbIn } from "./mark.ts";
import { deviceNames } from "./names.ts";
import { checkFit, type DeviceOptions, ringOf } from "./options.ts";
import { Seals } from "./seals.ts";
import { DeviceTokens } from "./tokens.ts";

/** How long a device cookie counts past its end, in milliseconds: clocks differ, and requests are on their way. */
const LEEWAY = 60 * SECOND;
/** How long the path keeps the note that a session has ended, in seconds: a day. */
const END_SECONDS = 86_400;

/** A cookie in both forms of an effect. */
export interface WrittenCookie {
  readonly text: string;
  readonly fields: ResponseCookie;
}

/** The devices of one engine's sessions: their options, cookies and tokens. */
export class Devices {
  readonly options: DeviceOptions;
  readonly config: DeviceConfig;
  readonly path: string;
  readonly tokens: DeviceTokens;
  /** The device cookie's name. */
  readonly cookieName: string;
  /** The device cookie's attributes, as a browser is told to look for them. */
  readonly attributes: string;
  readonly #endName: string;
  readonly #cookies: CookieWriter;
  readonly #ends: CookieWriter;

  constructor(options: DeviceOptions, config: DeviceConfig) {
    this.options = options;
    this.config = config;
    this.path = checkFit(options, config);
    this.tokens = new DeviceTokens(new Seals(ringOf(config), config.name));
    const { device, end } = deviceNames(config.name);
    this.cookieName = device;
    this.#endName = end;
    const attributes: CookieAttributes = {
      ...config.cookie,
      httpOnly: true,
      secure: true,
      // Browsers refuse instructions that name it.
      priority: undefined,
    };
    this.#cookies = new CookieWriter(attributes);
    this.#ends = new CookieWriter({ ...attributes, path: this.path });
    this.attributes = this.#cookies.set("", "", undefined, 0, true).slice("=; ".length);
  }

  get now(): number {
    return this.config.now();
  }

  tell(what: DeviceEvent["what"], id: string | undefined, why?: DeviceReason): void {
    notify(this.config.on, "device", { id, what, ...(why !== undefined && { why }) });
  }

  /** A device cookie that is good for so many seconds. */
  fresh(id: string, thumb: string, seconds: number): string {
    const { now } = this;
    const value = this.tokens.cookie(id, thumb, now + seconds * SECOND);
    return this.#cookies.set(this.cookieName, value, seconds, now, true);
  }

  /**
   * The reason that the device of a bound session isn't known to be there; undefined: it is.
   * @param at - the instant of the request, Unix milliseconds.
   */
  staleness(
    header: string,
    id: string,
    mark: string,
    at: number,
  ): "missing" | "expired" | "forged" | undefined {
    if (isJustBound(mark, at)) return undefined;
    let why: "missing" | "expired" | "forged" = "missing";
    for (const value of findCookies(header, this.cookieName).slice(0, MAX_CHECKED)) {
      const end = this.tokens.cookieEnd(value, id, thumbIn(mark));
      if (end !== undefined && end + LEEWAY > at) return undefined;
      why = end === undefined ? "forged" : "expired";
    }
    return why;
  }

  /** Removes the device cookie. */
  removal(): WrittenCookie {
    const name = this.cookieName;
    return {
      text: this.#cookies.expire(name, true),
      fields: this.#cookies.fields(name, "", 0, 0, true),
    };
  }

  /**
   * Notes at the endpoint's path that the browser's session has ended: otherwise a refresh without the
   * session's cookie couldn't be told from one that another site started.
   */
  ending(id: string): WrittenCookie {
    const { now } = this;
    return {
      text: this.#ends.set(this.#endName, id, END_SECONDS, now, true),
      fields: this.#ends.fields(this.#endName, id, END_SECONDS, now, true),
    };
  }

  hasEnded(header: string, id: string): boolean {
    return findCookies(header, this.#endName).includes(id);
  }
}
