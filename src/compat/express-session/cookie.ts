// express-session's cookie object, as an application sees it at `req.session.cookie`: its attributes, and
// its lifetime in milliseconds.
// oxlint-disable no-underscore-dangle -- `_expires` is read by applications
import { kindOf } from "../../base/text.ts";
import { UsageError } from "../../errors.ts";
import type { CookieData, CookieEnd, CookieOptions } from "./cookie-options.ts";
import { setCookieText } from "./set-cookie.ts";

/** The options that are properties of a cookie; no other key of an object becomes one. */
const copied = [
  "path",
  "domain",
  "httpOnly",
  "secure",
  "sameSite",
  "partitioned",
  "priority",
  "maxAge",
  "expires",
  "originalMaxAge",
] as const;

/** A session's cookie. */
export class Cookie {
  path: CookieOptions["path"] = "/";
  httpOnly: CookieOptions["httpOnly"] = true;
  domain: CookieOptions["domain"];
  secure: CookieOptions["secure"];
  sameSite: CookieOptions["sameSite"];
  partitioned: CookieOptions["partitioned"];
  priority: CookieOptions["priority"];
  /** The lifetime that a renewal begins anew, in milliseconds; null, false or undefined: none. */
  originalMaxAge: CookieData["originalMaxAge"] = null;
  /** As `expires`; applications read it under this name, too. */
  _expires: CookieEnd = null;

  /** @throws {UsageError} ERR_SESSION_USAGE_TYPE for anything but an object, and for a wrong `maxAge`. */
  constructor(options?: CookieOptions | Partial<CookieData> | null) {
    if (!options) return;
    if (typeof options !== "object") {
      throw wrong(`the argument options of a Cookie must be an object, not ${kindOf(options)}`);
    }
    const given = options as Readonly<Record<string, unknown>>;
    const target = this as unknown as Record<string, unknown>;
    for (const name of Object.keys(options)) {
      if ((copied as readonly string[]).includes(name)) target[name] = given[name];
    }
  }

  /** The cookie's end; to set it also sets the lifetime that is left as `originalMaxAge`. */
  get expires(): CookieEnd {
    return this._expires;
  }

  set expires(end: CookieEnd) {
    this._expires = end;
    this.originalMaxAge = this.maxAge;
  }

  /** The milliseconds that are left; null, false or undefined: until the browser is closed. */
  get maxAge(): CookieData["originalMaxAge"] {
    const end = this._expires;
    return end instanceof Date ? end.getTime() - Date.now() : end;
  }

  set maxAge(span: CookieData["originalMaxAge"] | Date) {
    if (typeof span === "number") {
      this._expires = new Date(Date.now() + span);
      this.originalMaxAge = span;
    } else if (!span || span instanceof Date) {
      this.expires = span;
    } else {
      throw wrong(`cookie.maxAge must be a number of milliseconds, or null, not ${kindOf(span)}`);
    }
  }

  /** The attributes, as a row keeps them. */
  get data(): CookieData {
    const { originalMaxAge, partitioned, priority, secure, httpOnly } = this;
    const { domain, path, sameSite } = this;
    const expires = this._expires;
    return {
      originalMaxAge,
      partitioned,
      priority,
      expires,
      secure,
      httpOnly,
      domain,
      path,
      sameSite,
    };
  }

  /**
   * A Set-Cookie value.
   * @throws {UsageError} ERR_SESSION_USAGE_TYPE for an attribute that no cookie can have.
   */
  serialize(name: string, value: string): string {
    return setCookieText(name, value, this.data);
  }

  toJSON(): CookieData {
    return this.data;
  }
}

function wrong(message: string): UsageError {
  return new UsageError("ERR_SESSION_USAGE_TYPE", message);
}
