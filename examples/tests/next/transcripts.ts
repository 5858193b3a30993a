// What must hold of Next.js, phrase by phrase, in a production build: actions, components, routes, proxies.
import { describe, expect, test } from "vitest";
import { Browsing, type Page, textOf } from "../lib/browsing.ts";
import { describeScripted } from "./scripted.ts";
import { type Kind, kinds, type Lab } from "./server.ts";

/** What the transcripts need of a running build. */
export interface Running {
  readonly url: string;
  readonly lab: Lab;
}

/** Declares the transcripts. */
export function describeTranscripts(running: () => Running): void {
  describe.each(kinds)("with sessions in the %s store", (kind) => {
    const client = (): Browsing => new Browsing(running().url);
    const lab = (): Lab => running().lab;
    const at = (path: string): string => `/t/${kind}/${path}`;
    const valueOf = async (someone: Browsing, id = "a"): Promise<string | undefined> =>
      textOf(await someone.open(at("read")), `#${id}`);

    actions(kind, client, lab);
    components(kind, client, lab);
    routes(kind, client, lab);
    proxies(kind, client);
    describeScripted(kind, () => running().url);

    test("a page that reads and a page that is prerendered set no cookie", async () => {
      for (const path of ["read", "wrong", "slots", ...(kind === "merging" ? [] : ["static"])])
        expect((await client().open(at(path))).setCookie).toEqual([]);
      expect(await valueOf(client())).toBe("");
    });
  });
}

function actions(kind: Kind, client: () => Browsing, lab: () => Lab): void {
  const at = (path: string): string => `/t/${kind}/${path}`;
  const valueOf = async (someone: Browsing, id = "a"): Promise<string | undefined> =>
    textOf(await someone.open(at("read")), `#${id}`);
  const act = async (someone: Browsing, page: string, action: string): Promise<Page> =>
    someone.submit(await someone.open(at(page)), action);

  test("an action that logs in re-renders the page logged in, one that logs out logged out", async () => {
    const someone = client();
    const page = await act(someone, "login", "in");
    expect([textOf(page, "#user"), textOf(page, "#notice")]).toEqual(["ada", "welcome"]);
    expect(page.setCookie.length).toBeGreaterThan(0);
    const out = await someone.submit(page, "out");
    expect([textOf(out, "#user"), textOf(out, "#notice")]).toEqual(["", ""]);
    expect(textOf(await someone.open(at("login")), "#user")).toBe("");
  });

  test.each([
    ["sequential", "a b"],
    ["nested", "a b c"],
    ["together", "a b c"],
    ["staggered", "a b c"],
  ])("the writes of several withSession in one action, %s, are all kept", async (name, keys) => {
    const someone = client();
    for (let round = 0; round < 2; round++) {
      const page = await act(someone, "twice", name);
      expect([name, round, textOf(page, "#keys")]).toEqual([name, round, keys]);
      expect(textOf(await someone.open(at("twice")), "#keys")).toBe(keys);
    }
  });

  test.each(["redirect", "notFound"])("%s() after a write saves it", async (name) => {
    const someone = client();
    const page = await act(someone, "end", name === "redirect" ? "redirected" : "missing");
    expect(page.status).toBe(name === "redirect" ? 200 : 404);
    expect(await valueOf(someone)).toBe(name);
  });

  test("what an action changed before it threw is saved", async () => {
    const someone = client();
    expect((await act(someone, "end", "broken")).status).toBe(500);
    expect(await valueOf(someone)).toBe("thrown");
  });

  test("a cookie of the session's name that the application sets is an error", async () => {
    const someone = client();
    lab().codes.length = 0;
    await act(someone, "end", "conflicting");
    expect(lab().codes).toEqual(["none", "ERR_SESSION_USAGE_RESPONSE"]);
  });

  test("the application's own cookies stay", async () => {
    const someone = client();
    const { setCookie } = await act(someone, "end", "beside");
    expect(namesOf(setCookie)).toEqual(new Set([kind, "size", "theme"]));
    expect([await valueOf(someone), await valueOf(someone, "theme")]).toEqual(["beside", "dark"]);
  });

  test("a withSession that isn't awaited is an error, and saves nothing", async () => {
    const someone = client();
    lab().codes.length = 0;
    await act(someone, "end", "floating");
    await expect.poll(() => lab().codes).toEqual(["ERR_SESSION_USAGE_HEADERS_SENT"]);
    expect(await valueOf(someone)).toBe("");
  });

  test("after() comes too late", async () => {
    const someone = client();
    lab().codes.length = 0;
    await act(someone, "end", "afterwards");
    await expect
      .poll(() => lab().codes)
      .toEqual(["ERR_SESSION_USAGE_HEADERS_SENT", "ERR_SESSION_USAGE_READ_ONLY"]);
    expect(await valueOf(someone)).toBe("afterwards");
  });

  if (kind !== "ticketed") return;
  test("an action whose save fails sets no cookie, and says so", async () => {
    const someone = client();
    const page = await someone.open(at("login"));
    lab().fault = "save";
    try {
      const answer = await someone.submit(page, "in");
      expect([answer.status, answer.setCookie]).toEqual([500, []]);
      const route = await someone.open(at("do/set"));
      expect([route.status, route.setCookie]).toEqual([503, []]);
      expect(route.headers.get("cache-control")).toBe("no-store");
      const proxied = await someone.open(at("read?proxy=write"));
      expect([proxied.status, proxied.setCookie]).toEqual([503, []]);
    } finally {
      lab().fault = undefined;
    }
    expect(textOf(await someone.open(at("login")), "#user")).toBe("");
  });

  test("a load that fails is answered as an error, and doesn't log out", async () => {
    const someone = client();
    await act(someone, "login", "in");
    lab().fault = "load";
    try {
      expect((await someone.open(at("login"))).status).toBe(500);
      expect((await someone.open(at("do/get"))).status).toBe(503);
      expect((await someone.open(at("do/set"))).status).toBe(503);
      const proxied = await someone.open(at("read?proxy=read"));
      expect([proxied.status, proxied.setCookie]).toEqual([503, []]);
    } finally {
      lab().fault = undefined;
    }
    expect(textOf(await someone.open(at("login")), "#user")).toBe("ada");
  });
}

function components(kind: Kind, client: () => Browsing, lab: () => Lab): void {
  const at = (path: string): string => `/t/${kind}/${path}`;

  test("writing in a server component, also a streamed one, is our own error", async () => {
    const page = await client().open(at("wrong"));
    expect(textOf(page, "#message")).toContain("a server component can't change the session");
    const codes = ["flash", "destroy", "increment", "withSession"].map((id) =>
      textOf(page, `#${id}`),
    );
    expect(codes).toEqual(codes.map(() => "ERR_SESSION_USAGE_READ_ONLY"));
    expect(page.body).toContain('id="later">ERR_SESSION_USAGE_READ_ONLY<');
    expect(textOf(page, "#readOnly")).toBe("true");
    expect(page.setCookie).toEqual([]);
  });

  test("the layout and parallel routes read one session, once a request", async () => {
    const someone = client();
    await someone.open(at("do/set"));
    const before = lab().loads;
    const page = await someone.open(at("slots"));
    const texts = ["layout", "left", "right"].map((id) => textOf(page, `#${id}`));
    expect(texts).toEqual(["set", "set", "set"]);
    expect(lab().loads - before).toBe(kind === "ticketed" ? 1 : 0);
  });
}

function routes(kind: Kind, client: () => Browsing, lab: () => Lab): void {
  const at = (path: string): string => `/t/${kind}/${path}`;
  const valueOf = async (someone: Browsing, id = "a"): Promise<string | undefined> =>
    textOf(await someone.open(at("read")), `#${id}`);

  test.each([
    ["set", 200, "set"],
    ["redirected", 302, "redirected"],
    ["notFound", 404, "notFound"],
    ["draft", 200, "draft"],
    ["constant", 200, "constant"],
  ])("a route handler's write before %s is saved", async (what, status, value) => {
    const someone = client();
    const response = await someone.request(at(`do/${what}`));
    expect(response.status).toBe(status);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("vary")?.toLowerCase()).toContain("cookie");
    expect(await valueOf(someone)).toBe(value);
    const other = await client().request(at("do/get"));
    expect(other.headers.getSetCookie()).toEqual([]);
  });

  test.each([
    ["redirect", 307, "read"],
    ["moved", 308, "read?semi;colon"],
  ])("in a route handler, a thrown %s keeps a write and is stored nowhere", async (what, ...to) => {
    const someone = client();
    const { status, headers } = await someone.request(at(`do/${what}`));
    expect([status, headers.get("location")]).toEqual([to[0], at(to[1])]);
    expect(headers.getSetCookie().length).toBe(1);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(await valueOf(someone)).toBe(what);
  });

  test("a route handler that looks at the session varies, one that doesn't has nothing", async () => {
    const looked = await client().request(at("do/get"));
    expect(looked.headers.get("vary")?.toLowerCase()).toContain("cookie");
    const ignored = await client().request(at("do/ignore"));
    expect(ignored.headers.get("vary")?.toLowerCase() ?? "").not.toContain("cookie");
    expect(ignored.headers.getSetCookie()).toEqual([]);
  });

  test("a route handler that throws sets no cookie of ours", async () => {
    const someone = client();
    const response = await someone.request(at("do/throw"));
    expect([response.status, response.headers.getSetCookie()]).toEqual([500, []]);
  });

  test("what runs inside a route shares its session, and is waited for", async () => {
    const someone = client();
    expect((await someone.open(at("do/inside"))).body).toBe("outer inner");
    const dumped = JSON.parse((await someone.open(at("do/dump"))).body) as object;
    expect(dumped).toEqual({ a: "outer", p: "outer inner", q: "floating" });
  });

  test("a cookie of the session's name in a route's answer is an error, and saves nothing", async () => {
    const someone = client();
    expect((await someone.request(at("do/conflict"))).status).toBe(500);
    expect(await valueOf(someone)).toBe("");
  });

  test("a route's own cookies stay", async () => {
    const someone = client();
    const response = await someone.request(at("do/beside"));
    expect(namesOf(response.headers.getSetCookie())).toEqual(new Set([kind, "size", "theme"]));
    expect([await valueOf(someone), await valueOf(someone, "theme")]).toEqual(["beside", "dark"]);
  });

  test("withSession works in an ordinary route handler", async () => {
    const someone = client();
    lab().codes.length = 0;
    expect((await someone.open(at("do/x"), { method: "POST" })).body).toBe("none");
    expect(await valueOf(someone)).toBe("posted");
  });

  test("in draft mode the session is there, too", async () => {
    const someone = client();
    await someone.open(at("do/draft"));
    expect(someone.cookies()).toContain("__prerender_bypass");
    expect(await valueOf(someone)).toBe("draft");
  });

  test("a logout ends the session", async () => {
    const someone = client();
    await someone.open(at("do/set"));
    await someone.open(at("do/logout"));
    expect(await valueOf(someone)).toBe("");
    // Merging cookies keep a tombstone.
    expect(someone.cookies() === "").toBe(kind !== "merging");
  });
}

function proxies(kind: Kind, client: () => Browsing): void {
  const at = (path: string): string => `/t/${kind}/${path}`;
  const valueOf = async (someone: Browsing, id = "p"): Promise<string | undefined> =>
    textOf(await someone.open(at("read")), `#${id}`);

  test("proxy.ts writes, and the page behind it sees it", async () => {
    const someone = client();
    const page = await someone.open(at("read?proxy=write"));
    expect(textOf(page, "#p")).toBe("proxied read");
    expect(await valueOf(someone)).toBe("proxied read");
  });

  test("what an action behind a proxy writes is kept beside what the proxy wrote", async () => {
    const someone = client();
    const page = await someone.open(at("login?proxy=write"));
    const inside = await someone.submit(page, "in");
    expect(textOf(inside, "#user")).toBe("ada");
    expect(await valueOf(someone)).toBe("proxied login");
    const fresh = client();
    const first = await fresh.open(at("login"));
    await fresh.submit({ ...first, url: `${first.url}?proxy=write` }, "in");
    expect(await valueOf(fresh)).toBe("proxied login");
    expect(textOf(await fresh.open(at("login")), "#user")).toBe("ada");
  });

  test("several proxies, one around the other, share one session", async () => {
    const someone = client();
    const page = await someone.open(at("read?proxy=both"));
    expect([textOf(page, "#a"), textOf(page, "#p")]).toEqual(["outer proxy", "proxied read"]);
    expect(await valueOf(someone)).toBe("proxied read");
  });

  test("withSession inside a proxy shares its session", async () => {
    const someone = client();
    expect(textOf(await someone.open(at("read?proxy=within")), "#p")).toBe("within");
    expect(await valueOf(someone)).toBe("within");
  });

  test.each([
    ["redirect", 302, "redirected"],
    ["thrown", 307, "thrown"],
  ])("a proxy that redirects saves its write (%s)", async (what, status, value) => {
    const someone = client();
    const answer = await someone.request(at(`login?proxy=${what}`));
    expect([answer.status, answer.headers.get("cache-control")]).toEqual([status, "no-store"]);
    const page = await client().open(at(`login?proxy=${what}`));
    expect([page.url.endsWith("/read"), await valueOf(someone)]).toEqual([true, value]);
  });

  test("a proxy's own cookies stay, by either way", async () => {
    const someone = client();
    const page = await someone.open(at("read?proxy=beside"));
    expect(namesOf(page.setCookie)).toEqual(new Set([kind, "size", "theme"]));
    expect(textOf(page, "#p")).toBe("beside");
    expect([await valueOf(someone), await valueOf(someone, "theme")]).toEqual(["beside", "dark"]);
  });

  test("a cookie of the session's name in a proxy's answer is an error", async () => {
    const someone = client();
    expect((await someone.request(at("read?proxy=conflict"))).status).toBe(500);
    expect(await valueOf(someone)).toBe("");
  });

  if (kind === "merging") return;
  test("a prerendered page behind a proxy that sets a cookie is stored nowhere", async () => {
    const someone = client();
    const plain = await someone.request(at("static"));
    expect(plain.headers.get("cache-control")).toContain("s-maxage");
    const written = await someone.request(at("static?proxy=write"));
    expect(written.headers.getSetCookie().length).toBe(1);
    expect(written.headers.get("cache-control")).toBe("no-store");
    expect(await valueOf(someone)).toBe("proxied static");
  });
}

/** The names of cookies, without the suffix of a part. */
function namesOf(setCookie: readonly string[]): ReadonlySet<string | undefined> {
  return new Set(setCookie.map((line) => line.split(/[.=]/, 1)[0]));
}
