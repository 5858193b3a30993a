// The endpoint on each host: methods, bodies, headers and targets of requests reach the engine as they were
// sent, whatever the framework does with them elsewhere, and its answer reaches the client as it is.
import { Agent, request as send } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { SessionMemoryStore, type SessionStore } from "kocha-session";
import type { MakeServer } from "kocha-session/testing";
import { http2Hosts } from "../hosts/http2.ts";
import { challengeIn } from "../support/device-browser.ts";
import { hosts } from "../support/hosts.ts";
import { freshKey } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { olderHosts } from "../support/older-hosts.ts";
import { isFresh, type Site, startSite, type StoreParts, stores } from "./site.ts";

const PATH = "/session/device";
const later = stores["a store that answers later"] as StoreParts;
const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function open(makeServer: MakeServer, parts = later): Promise<Site> {
  const site = await startSite(makeServer, parts);
  closing.push(site.close);
  return site;
}

/** What a request is made of, header by header. */
interface Wire {
  readonly path?: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
  readonly agent?: Agent;
}

/** The status and the body of the answer to a POST of exactly these headers. */
function post(url: string, { path = PATH, headers, body = "", agent }: Wire): Promise<Answer> {
  const { host, hostname, port } = new URL(url);
  const sent = [["Host", host], ...headers, ["Content-Length", String(Buffer.byteLength(body))]];
  return new Promise((resolve, reject) => {
    const options = { hostname, port, path, method: "POST", headers: sent.flat(), agent };
    const asked = send(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("error", reject).on("end", () => {
        resolve({ status: response.statusCode ?? 0, text, isReused: asked.reusedSocket });
      });
    });
    asked.on("error", reject).end(body);
  });
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly isReused: boolean;
}

const all = { ...hosts, ...olderHosts };
const overHttp2 = Object.entries(http2Hosts).map(([name, make]) => [`${name}, HTTP/2`, make]);

describe.each([...Object.entries(all), ...(overHttp2 as [string, MakeServer][])])(
  "on %s",
  (_, makeServer) => {
    it("every method but POST is a 405, which the application doesn't see", async () => {
      const site = await open(makeServer);
      const browser = await site.browser();
      for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
        const reply = await browser.visit(PATH, { method });
        expect([method, reply.status, reply.header("allow"), reply.body]).toEqual([
          method,
          405,
          "POST",
          "",
        ]);
        expect([method, reply.header("cache-control"), reply.setCookie]).toEqual([
          method,
          "no-store",
          [],
        ]);
      }
    });

    it("binds with both cookies in one answer, and logs out with three", async () => {
      const site = await open(makeServer, stores["cookie, revocations"]);
      const browser = await site.browser();
      await browser.register(await browser.visit("/login"));
      const names = ({ setCookie }: { setCookie: readonly string[] }): string[] =>
        setCookie.map((cookie) => cookie.split("=", 1)[0] ?? "");
      expect(new Set(names(await browser.refresh()))).toEqual(
        new Set(["session", "session-device"]),
      );
      expect(await browser.read()).toMatchObject({ user: "ann", device: "bound" });
      expect(new Set(names(await browser.visit("/logout")))).toEqual(
        new Set(["session", "session-device", "session-device-end"]),
      );
      expect(browser.names).toEqual(["session-device-end"]);
    });
  },
);

describe.each(Object.entries(all))("on %s", (_, makeServer) => {
  it("headers in any case, and cookies in several headers, are read", async () => {
    const site = await open(makeServer);
    const browser = await site.bound();
    const challenge = challengeIn(await browser.ask(undefined));
    const proof = await browser.device.proof(challenge);
    const cookies = browser
      .header("/")
      .split("; ")
      .map((cookie) => ["COOKIE", cookie] as const);
    expect(cookies).toHaveLength(2);
    const id = ["SEC-SECURE-SESSION-ID", browser.identifier] as const;
    const good = ["secure-SESSION-response", proof] as const;
    expect(await post(site.url, { headers: [...cookies, id, good] })).toMatchObject({
      status: 200,
      text: "",
    });
    // A proxy that repeats a header makes one of both, which is none of ours: no error of the server.
    const twice = await post(site.url, { headers: [...cookies, id, good, good] });
    expect([twice.status, site.events.at(-1)]).toEqual([403, "challenged: malformed"]);
    const ids = await post(site.url, { headers: [...cookies, id, id, good] });
    expect([ids.status, site.events.at(-1)]).toEqual([200, "ended: unknown"]);
  });

  it("a body is left alone, whatever its type says", async () => {
    const site = await open(makeServer);
    const browser = await site.bound();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    closing.push(() => agent.destroy());
    const id = ["Sec-Secure-Session-Id", browser.identifier] as const;
    for (const [type, body] of [
      ["application/json", "{"],
      ["multipart/form-data", "none"],
      ["application/x-www-form-urlencoded", `a=${"x".repeat(200_000)}`],
      ["no type", "x"],
    ] as const) {
      const headers = [id, ["Content-Type", type]] as const;
      const { status } = await post(site.url, { headers, body, agent });
      expect([type, status]).toEqual([type, 403]);
    }
    expect(isFresh(await browser.refresh())).toBe(true);
  });

  it("is asked for by its path as it is, and by a whole URL as proxies send it", async () => {
    const site = await open(makeServer);
    const { host } = new URL(site.url);
    const asked = async (path: string): Promise<string> => {
      const { status, text } = await post(site.url, { path, headers: [] });
      return `${status} ${text === "" ? "endpoint" : "application"}`;
    };
    expect(await asked(`${PATH}?a=b`)).toBe("400 endpoint");
    expect(await asked(`http://${host}${PATH}`)).toBe("400 endpoint");
    for (const path of [`${PATH}/`, "/session/devices", "/SESSION/device", "/x/session/device"]) {
      expect([path, await asked(path)]).toEqual([path, "200 application"]);
    }
  });

  it("a store that is down is a 503 of the endpoint's own, without a cookie", async () => {
    const memory = new SessionMemoryStore();
    let isDown = false;
    const store: SessionStore = {
      capabilities: memory.capabilities,
      load: (id) => {
        if (isDown) throw new Error("down, as it was told");
        return memory.load(id);
      },
      save: (id, change) => memory.save(id, change),
    };
    const site = await open(makeServer, () => ({ store: slowly(store), signingKey: freshKey() }));
    const browser = await site.browser();
    const login = await browser.visit("/login");
    await browser.register(login);
    await browser.refresh();
    site.wait(61);
    isDown = true;
    for (const reply of [
      await browser.register(login),
      await browser.refresh(),
      await browser.refresh(true),
    ]) {
      expect([reply.status, reply.body, reply.setCookie]).toEqual([503, "", []]);
      expect(reply.header("cache-control")).toBe("no-store");
    }
    isDown = false;
    expect(isFresh(await browser.refresh())).toBe(true);
    expect(await browser.read()).toMatchObject({ user: "ann", device: "bound" });
  });
});
