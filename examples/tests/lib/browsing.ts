// A browser without scripts: it keeps cookies, follows redirects and sends forms as HTML describes them.
import { CookieJar } from "tough-cookie";
import { type HTMLElement, parse } from "node-html-parser";

/** React Router and Astro answer bots otherwise than browsers. */
const USER_AGENT =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";
const MOST_REDIRECTS = 10;

/** A page that was got. */
export interface Page {
  /** Where it is, after all redirects. */
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  /** The Set-Cookie values of all responses on the way. */
  readonly setCookie: readonly string[];
  readonly body: string;
  readonly document: HTMLElement;
}

/** A person's browser: its cookies are its own. */
export class Browsing {
  readonly #base: string;
  #jar = new CookieJar();

  constructor(base: string) {
    this.#base = base;
  }

  /** Another browser with a copy of the cookies, as a thief's, or as a request that was sent before. */
  copy(): Browsing {
    const copy = new Browsing(this.#base);
    copy.#jar = this.#jar.cloneSync() as CookieJar;
    return copy;
  }

  /** The Cookie header of the next request. */
  cookies(): string {
    return this.#jar.getCookieStringSync(this.#base);
  }

  /** One request, without following a redirect; what it sets is kept. */
  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const url = new URL(path, this.#base).href;
    const headers = new Headers(init.headers);
    headers.set("user-agent", USER_AGENT);
    if (!headers.has("accept")) headers.set("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    const cookie = this.#jar.getCookieStringSync(url);
    if (cookie !== "") headers.set("cookie", cookie);
    // Frameworks compare it with the host before they take a form.
    if ((init.method ?? "GET") !== "GET") headers.set("origin", new URL(this.#base).origin);
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) this.#jar.setCookieSync(line, url);
    return response;
  }

  /** Opens a page, through its redirects. */
  async open(path: string, init: RequestInit = {}): Promise<Page> {
    const setCookie: string[] = [];
    let url = new URL(path, this.#base).href;
    let next = init;
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const response = await this.request(url, next);
      setCookie.push(...response.headers.getSetCookie());
      const { status, headers } = response;
      const location = headers.get("location");
      const body = await response.text();
      if (status < 300 || status > 399 || location === null)
        return { url, status, headers, setCookie, body, document: parse(body) };
      url = new URL(location, url).href;
      if (status !== 307 && status !== 308) next = {};
    }
    throw new Error(`${path} redirects for ever`);
  }

  /** Sends the page's form that has a button with this text. */
  submit(
    { url, document }: Page,
    button: string,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<Page> {
    const found = document.querySelectorAll("button").find((one) => one.text.trim() === button);
    const form = found?.closest("form");
    if (found === undefined || form === undefined || form === null)
      throw new Error(`the page has no form with a button "${button}"`);
    const data = new FormData();
    for (const input of form.querySelectorAll("input")) {
      const name = input.getAttribute("name");
      if (name !== undefined) data.set(name, fields[name] ?? input.getAttribute("value") ?? "");
    }
    const own = found.getAttribute("name");
    if (own !== undefined) data.set(own, found.getAttribute("value") ?? "");
    const action = found.getAttribute("formaction") ?? form.getAttribute("action") ?? "";
    const target = new URL(action === "" ? url : action, url).href;
    if (form.getAttribute("enctype") === "multipart/form-data")
      return this.open(target, { method: "POST", body: data });
    const body = new URLSearchParams([...data.entries()] as [string, string][]);
    return this.open(target, { method: "POST", body });
  }
}

/** The text of the first element that a selector finds; undefined: none. */
export function textOf({ document }: Page, selector: string): string | undefined {
  return document.querySelector(selector)?.text.replaceAll(/\s+/g, " ").trim();
}

/** The texts of all elements that a selector finds. */
export function textsOf({ document }: Page, selector: string): readonly string[] {
  return document.querySelectorAll(selector).map((one) => one.text.replaceAll(/\s+/g, " ").trim());
}
