// A browser as far as forms and redirects need one: it keeps the cookies of one origin.

/** An answer, and where it leads. */
export interface Page {
  readonly status: number;
  readonly body: string;
  /** The address of a redirect; "": none. */
  readonly location: string;
}

/** A browser with its cookies for one origin. */
export class Browser {
  readonly origin: string;
  readonly cookies = new Map<string, string>();

  constructor(origin: string) {
    this.origin = origin;
  }

  /** One request; a form is sent as a POST. */
  async visit(path: string, form?: Readonly<Record<string, string>>): Promise<Page> {
    const response = await fetch(new URL(path, this.origin), {
      redirect: "manual",
      headers: this.cookies.size === 0 ? {} : { cookie: this.header },
      ...(form !== undefined && { method: "POST", body: new URLSearchParams(form) }),
    });
    for (const text of response.headers.getSetCookie()) {
      const [pair = ""] = text.split(";", 1);
      const equals = pair.indexOf("=");
      this.cookies.set(pair.slice(0, equals), pair.slice(equals + 1));
      if (pair.endsWith("=") || /max-age=0|expires=thu, 01 jan 1970/i.test(text)) {
        this.cookies.delete(pair.slice(0, equals));
      }
    }
    const location = response.headers.get("location") ?? "";
    return { status: response.status, body: await response.text(), location };
  }

  /** The Cookie header. */
  get header(): string {
    return Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join("; ");
  }
}
