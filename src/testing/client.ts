// A client over real sockets with a cookie jar, which keeps and sends exactly what a browser would. The
// jar is a peer dependency's, loaded when a case needs it.
import type { CookieJar } from "tough-cookie";

/** A response. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly setCookie: readonly string[];
  readonly headers: Headers;
}

/** One browser: its cookies are its own. */
export class Client {
  /** The server's address, without a path. */
  readonly base: string;
  #jar: Promise<CookieJar> | undefined;

  constructor(base: string) {
    this.base = base;
  }

  /** Requests a path with the jar's cookies and keeps what the response sets. */
  async get(path: string, init: RequestInit = {}): Promise<Reply> {
    const cookie = await this.cookieHeader();
    const reply = await request(this.base, path, cookie, init);
    await this.keep(reply);
    return reply;
  }

  /** Requests a path with a Cookie header of the caller's; the jar is left alone. */
  raw(path: string, cookie: string | undefined, init: RequestInit = {}): Promise<Reply> {
    return request(this.base, path, cookie ?? "", init);
  }

  /** Keeps what a response sets, as a browser that received it now. */
  async keep(reply: Reply): Promise<void> {
    const jar = await this.#opened();
    for (const cookie of reply.setCookie) {
      await jar.setCookie(cookie, this.base, { ignoreError: true });
    }
  }

  /** The browser's Cookie header: "name=value; …", or "". */
  async cookieHeader(): Promise<string> {
    return (await this.#opened()).getCookieString(this.base);
  }

  /** Another browser with a copy of the cookies, like a thief's. */
  async copy(base: string = this.base): Promise<Client> {
    const copy = new Client(base);
    const jar = await this.#opened();
    copy.#jar = jar.clone();
    return copy;
  }

  #opened(): Promise<CookieJar> {
    this.#jar ??= newJar();
    return this.#jar;
  }
}

async function newJar(): Promise<CookieJar> {
  const toughCookie = await import("tough-cookie");
  return new toughCookie.CookieJar();
}

async function request(
  base: string,
  path: string,
  cookie: string,
  init: RequestInit,
): Promise<Reply> {
  const headers = new Headers(init.headers);
  if (cookie !== "") headers.set("cookie", cookie);
  const response = await fetch(base + path, { redirect: "manual", ...init, headers });
  const body = await response.text();
  const { status } = response;
  return { status, body, setCookie: response.headers.getSetCookie(), headers: response.headers };
}
