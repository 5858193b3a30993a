// Bodies larger than any buffer, on every host and in its own way: the source is told to wait while
// the session is being saved, then all of it arrives; what breaks on the way breaks that response
// alone.
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { SessionCookieStore, type SessionConfig, SessionMemoryStore } from "kocha-session";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Gate, spyOn } from "../../src/testing/probe.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import { exchangeApps, type Handle, type MakeApp } from "./exchanges.ts";

const CHUNK_BYTES = 64 * 1024;
const CHUNKS = 96;

/** A source of many chunks that counts what was taken from it, and may fail on the way. */
class Source extends Readable {
  produced = 0;
  readonly hash = createHash("sha256");
  readonly #failsAt: number;

  constructor(failsAt = Infinity) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#failsAt = failsAt;
  }

  override _read(): void {
    if (this.produced === this.#failsAt) {
      this.destroy(new Error("the source broke, as it was told to"));
      return;
    }
    if (this.produced === CHUNKS) {
      this.push(null);
      return;
    }
    const chunk = Buffer.alloc(CHUNK_BYTES, this.produced++);
    this.hash.update(chunk);
    this.push(chunk);
  }
}

async function hashOf(response: Response): Promise<string> {
  return createHash("sha256")
    .update(new Uint8Array(await response.arrayBuffer()))
    .digest("hex");
}

describe.each(Object.entries(exchangeApps))("a body on %s", (_, makeApp: MakeApp) => {
  const start = async (config: SessionConfig, handle: Handle): Promise<string> => {
    const { url, close } = await makeApp({ secure: false, storeTimeout: 30, ...config }, handle);
    onTestFinished(close);
    return url;
  };

  test("L7 waits for a slow save, whose source waits too, and then arrives whole", async () => {
    const spy = spyOn(new SessionMemoryStore());
    const gate = (spy.saveGate = new Gate());
    const source = new Source();
    const url = await start(
      { store: spy.store, signingKey: freshKey() },
      ({ session, path, send, pipe }) => {
        if (path === "/plain") return send("plain");
        session.set("a", "1");
        return pipe(source);
      },
    );
    let seen = false;
    const pending = fetch(url).then((response) => {
      seen = true;
      return response;
    });
    await gate.arrived;
    // Others are served meanwhile, and nothing of this response has left.
    for (let round = 0; round < 3; round++)
      expect(await (await fetch(`${url}/plain`)).text()).toBe("plain");
    expect(seen).toBe(false);
    // What a stream reads ahead by itself, and no more.
    expect(source.produced).toBeLessThanOrEqual(4);
    gate.open();
    const response = await pending;
    expect(response.headers.getSetCookie()).toHaveLength(1);
    expect(await hashOf(response)).toBe(source.hash.digest("hex"));
    expect(source.produced).toBe(CHUNKS);
  });

  test("of a session that is sealed at once carries its cookie and arrives whole", async () => {
    const source = new Source();
    const url = await start({ store: new SessionCookieStore(freshKeys()) }, ({ session, pipe }) => {
      session.set("a", "1");
      return pipe(source);
    });
    const response = await fetch(url);
    expect(response.headers.getSetCookie()).toHaveLength(1);
    expect(await hashOf(response)).toBe(source.hash.digest("hex"));
  });

  test("that breaks on the way breaks that response alone; its session was saved", async () => {
    // Hono's adapter prints what broke.
    onTestFinished(() => void vi.restoreAllMocks());
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const store = new SessionMemoryStore();
    const url = await start({ store, signingKey: freshKey() }, ({ session, path, send, pipe }) => {
      if (path === "/read") return send(session.get("a"));
      session.set("a", "1");
      return pipe(new Source(10));
    });
    const response = await fetch(url);
    const cookie = response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
    // Some hosts break the connection, one writes the error's text behind what was sent.
    const arrived = await response.arrayBuffer().catch(() => new ArrayBuffer(0));
    expect(arrived.byteLength).toBeLessThan(CHUNKS * CHUNK_BYTES);
    expect(await (await fetch(`${url}/read`, { headers: { cookie } })).text()).toBe("1");
  });

  test("whose reader leaves on the way lets go of its source; its session was saved", async () => {
    const source = new Source();
    source.on("error", () => undefined);
    const gone = new Promise((resolve) => source.once("close", resolve));
    const url = await start({ store: new SessionMemoryStore(), signingKey: freshKey() }, (it) => {
      if (it.path === "/read") return it.send(it.session.get("a"));
      it.session.set("a", "1");
      return it.pipe(source);
    });
    const abort = new AbortController();
    const response = await fetch(url, { signal: abort.signal });
    const cookie = response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
    const reader = response.body?.getReader();
    await reader?.read();
    abort.abort();
    await gone;
    expect(await (await fetch(`${url}/read`, { headers: { cookie } })).text()).toBe("1");
  });
});
