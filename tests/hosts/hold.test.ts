// The held response of node:http, call by call: whatever an application or another middleware does
// with a response, the client sees what it would have seen, and our cookie beside it.
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { type SessionConfig, SessionMemoryStore } from "kocha-session";
import { sessionMiddleware } from "kocha-session/node";
import { describe, expect, onTestFinished, test } from "vitest";
import { Gate, spyOn, type StoreSpy } from "../../src/testing/probe.ts";
import { freshKey } from "../support/keys.ts";
import { listen } from "../support/listen.ts";

interface Seen {
  readonly status: number;
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
  readonly cookies: readonly string[];
  readonly trailers: NodeJS.Dict<string>;
  readonly body: Buffer;
  readonly informed: readonly number[];
}

/** A request of node:http itself, which tells more of a response than fetch does. */
function ask(url: string, method = "GET"): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const informed: number[] = [];
    const sent = httpRequest(url, { method, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        const { statusCode: status = 0, statusMessage: reason = "", headers, trailers } = response;
        const cookies = (headers["set-cookie"] ?? []).map(
          (cookie) => cookie.split("=", 1)[0] ?? "",
        );
        const body = Buffer.concat(chunks);
        resolve({ status, reason, headers, cookies: cookies.toSorted(), trailers, body, informed });
      });
    });
    sent.on("information", ({ statusCode }) => informed.push(statusCode));
    sent.once("error", reject);
    sent.end();
  });
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
type Wrapper = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

interface Stage {
  readonly url: string;
  readonly spy: StoreSpy;
}

/** A server whose middlewares stand before and behind the session's. */
async function serve(
  later: boolean,
  handler: Handler,
  { before, behind }: { before?: Wrapper; behind?: Wrapper } = {},
): Promise<Stage> {
  const memory = new SessionMemoryStore();
  const spy = spyOn(memory);
  const config: SessionConfig = {
    store: later ? spy.store : memory,
    signingKey: freshKey(),
    secure: false,
    storeTimeout: 30,
  };
  const session = sessionMiddleware(config);
  const pass: Wrapper = (_, __, next) => next();
  const server = createServer((request, response) => {
    (before ?? pass)(request, response, () => {
      session(request, response, (error) => {
        if (error !== undefined) {
          response.statusCode = (error as { status?: number }).status ?? 500;
          for (const name of response.getHeaderNames()) response.removeHeader(name);
          response.end("error");
          return;
        }
        (behind ?? pass)(request, response, () => handler(request, response));
      });
    });
  });
  const { url, close } = await listen(server);
  onTestFinished(close);
  return { url, spy };
}

/** Every way to begin a response, and what the client must see of it besides our cookie. */
const beginnings: Readonly<Record<string, { readonly handler: Handler; readonly sees: object }>> = {
  "writeHead with an object": {
    handler: (_, response) => {
      response.writeHead(201, { "X-Own": "1", "Set-Cookie": ["own=1", "two=2"] }).end("body");
    },
    sees: { status: 201, cookies: ["own", "session", "two"], headers: { "x-own": "1" } },
  },
  "writeHead with a reason and an object": {
    handler: (_, response) => {
      response.writeHead(404, "Gone Fishing", { "Set-Cookie": "own=1" }).end("body");
    },
    sees: { status: 404, reason: "Gone Fishing", cookies: ["own", "session"] },
  },
  "writeHead with a reason alone": {
    handler: (_, response) => {
      response.writeHead(200, "Fine").end("body");
    },
    sees: { status: 200, reason: "Fine", cookies: ["session"] },
  },
  "writeHead with a flat list that names a header twice": {
    handler: (_, response) => {
      response.writeHead(200, ["Set-Cookie", "own=1", "X-Own", "1", "Set-Cookie", "two=2"]);
      response.end("body");
    },
    sees: { cookies: ["own", "session", "two"], headers: { "x-own": "1" } },
  },
  "writeHead over headers that were set before": {
    handler: (_, response) => {
      response.setHeader("X-Own", "before").setHeader("Set-Cookie", "own=1");
      response.writeHead(200, { "X-Own": "after", Vary: "Accept" }).end("body");
    },
    sees: {
      cookies: ["own", "session"],
      headers: { "x-own": "after", vary: "Accept, Cookie" },
    },
  },
  "appendHeader and end": {
    handler: (_, response) => {
      response.appendHeader("Set-Cookie", "own=1").appendHeader("Set-Cookie", "two=2").end("body");
    },
    sees: { cookies: ["own", "session", "two"], headers: { "content-length": "4" } },
  },
  "flushHeaders, then the body": {
    handler: (_, response) => {
      response.flushHeaders();
      response.write("bo");
      response.end("dy");
    },
    sees: { cookies: ["session"], headers: { "transfer-encoding": "chunked" } },
  },
  "writes, with encodings and bytes": {
    handler: (_, response) => {
      response.write("626f", "hex");
      response.write(new Uint8Array([0x64]));
      response.end(Buffer.from("y"));
    },
    sees: { cookies: ["session"] },
  },
  "an informational answer first": {
    handler: (_, response) => {
      response.writeProcessing();
      response.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" });
      response.end("body");
    },
    sees: { cookies: ["session"], informed: [102, 103] },
  },
  trailers: {
    handler: (_, response) => {
      response.writeHead(200, { Trailer: "X-Sum" });
      response.write("body");
      response.addTrailers({ "X-Sum": "4" });
      response.end();
    },
    sees: { cookies: ["session"], trailers: { "x-sum": "4" } },
  },
};

describe.each([
  ["at once", false],
  ["later", true],
])("a session that is saved %s", (_, later) => {
  test.each(Object.entries(beginnings))("%s", async (__, { handler, sees }) => {
    const { url } = await serve(later, (request, response) => {
      request.session.set("a", "1");
      handler(request, response);
    });
    const seen = await ask(url);
    expect(seen).toMatchObject(sees);
    expect(seen.body.toString()).toBe("body");
  });

  test.each(["write", "end"] as const)(
    "the callback of %s is called, and the events come",
    async (method) => {
      const told: string[] = [];
      const all = new Gate(3);
      const tell = (what: string) => (): void => {
        told.push(what);
        void all.pass();
      };
      const { url } = await serve(later, (request, response) => {
        request.session.set("a", "1");
        response.once("finish", tell("finish")).once("close", tell("close"));
        if (method === "end") {
          response.end("body", tell("callback"));
          return;
        }
        response.write("body", tell("callback"));
        response.end();
      });
      expect((await ask(url)).body.toString()).toBe("body");
      await all.arrived;
      expect(told.toSorted()).toEqual(["callback", "close", "finish"]);
    },
  );

  // JavaScript takes the method before it looks at the arguments: the hold must be there by then.
  test.each([
    ["end", (response, touch) => response.end(touch())],
    ["write", (response, touch) => [response.write(touch()), response.end()]],
    ["writeHead", (response, touch) => response.writeHead(200, { "X-Own": touch() }).end("body")],
  ] satisfies [string, (response: ServerResponse, touch: () => string) => unknown][])(
    "first looked at in the arguments of %s, it is saved before the response",
    async (_method, answer) => {
      const { url } = await serve(later, ({ session }, response) => {
        answer(response, () => {
          if (session.get("a") === "") session.set("a", "1");
          return "body";
        });
      });
      const seen = await ask(url);
      expect([seen.status, seen.body.toString(), seen.cookies]).toEqual([200, "body", ["session"]]);
    },
  );

  test("HEAD, 204 and 304 have the cookie and no body", async () => {
    const { url } = await serve(later, (request, response) => {
      request.session.set("a", "1");
      response.statusCode = Number(request.url?.slice(1));
      response.end(response.statusCode === 200 ? "body" : undefined);
    });
    for (const [path, method] of [
      ["200", "HEAD"],
      ["204", "GET"],
      ["304", "GET"],
    ] as const) {
      const seen = await ask(`${url}/${path}`, method);
      expect([seen.status, seen.cookies, seen.body.length]).toEqual([Number(path), ["session"], 0]);
    }
  });
});

test("a held write answers as node does, and drain comes when the save is done", async () => {
  const drained = new Gate();
  const answers: unknown[] = [];
  const { url, spy } = await serve(true, (request, response) => {
    request.session.set("a", "1");
    answers.push(response.write("a few bytes, which no buffer minds"));
    answers.push(response.write(Buffer.alloc(response.writableHighWaterMark)));
    answers.push(response.writableLength > response.writableHighWaterMark);
    response.once("drain", () => {
      void drained.pass();
      answers.push(response.write(", and a few more"));
      response.end();
    });
  });
  const gate = (spy.saveGate = new Gate());
  const pending = ask(url);
  await gate.arrived;
  expect(answers).toEqual([true, false, true]);
  gate.open();
  await drained.arrived;
  expect((await pending).body.toString()).toMatch(
    /^a few bytes, which no buffer minds\0+, and a few/,
  );
  expect(answers).toEqual([true, false, true, true]);
});

test.each(["end", "head", "write", "flush"])(
  "a save that fails takes back what was held: %s",
  async (method) => {
    const { url, spy } = await serve(true, (request, response) => {
      request.session.set("a", "1");
      if (method === "head") response.writeHead(200, { "X-Own": "1", "Set-Cookie": "own=1" });
      if (method === "flush") response.flushHeaders();
      if (method === "write") response.write("half a promise");
      response.end("done");
    });
    spy.fault = "save";
    const seen = await ask(url);
    expect([seen.status, seen.cookies, seen.body.toString()]).toEqual([503, [], "error"]);
    expect(seen.headers["x-own"]).toBeUndefined();
  },
);

test("what node can't send is the host's error when its turn comes", async () => {
  const { url } = await serve(true, (request, response) => {
    request.session.set("a", "1");
    // Trailers need a body in chunks, which one of a given length isn't.
    response.writeHead(200, { Trailer: "X-Sum", "Content-Length": 4 }).end("body");
  });
  const seen = await ask(url);
  // The session was saved by then, so its cookie may go or stay; the error path here clears it.
  expect([seen.status, seen.body.toString()]).toEqual([500, "error"]);
});

describe("a response that two sessions hold, of a request and of a copy that has none of it", () => {
  type Save = "at once" | "later" | "fails";

  /** The inner session's request is a copy, and a middleware between the two wraps the response. */
  async function serveTwice(
    saves: Readonly<Record<"outer" | "inner", Save>>,
    handler: Handler,
  ): Promise<Stage["url"]> {
    const make = (name: "outer" | "inner"): ReturnType<typeof sessionMiddleware> => {
      const memory = new SessionMemoryStore();
      const spy = spyOn(memory);
      if (saves[name] === "fails") spy.fault = "save";
      const store = saves[name] === "at once" ? memory : spy.store;
      return sessionMiddleware({ store, signingKey: freshKey(), secure: false, name });
    };
    const [outer, inner] = [make("outer"), make("inner")];
    const server = createServer((request, response) => {
      const fail = (error: unknown): void => {
        response.statusCode = (error as { status?: number }).status ?? 500;
        response.end("error");
      };
      outer(request, response, (error) => {
        if (error !== undefined) return fail(error);
        request.session.set("a", "1");
        wrap(response);
        const { headers, method, url, socket } = request;
        const copy = { headers, method, url, socket } as IncomingMessage;
        return inner(copy, response, (worse) => {
          if (worse !== undefined) return fail(worse);
          copy.session.set("b", "1");
          return handler(copy, response);
        });
      });
    });
    const { url, close } = await listen(server);
    onTestFinished(close);
    return url;
  }

  /** Passes all calls on to the methods that it found. */
  function wrap(response: ServerResponse): void {
    for (const method of ["writeHead", "write", "end"] as const) {
      const before = response[method].bind(response) as (...args: unknown[]) => unknown;
      Object.assign(response, { [method]: (...args: unknown[]) => before(...args) });
    }
  }

  const answers: Readonly<Record<string, Handler>> = {
    end: (_, response) => void response.end("body"),
    "head and end": (_, response) => void response.writeHead(200).end("body"),
    "write and end": (_, response) => {
      response.write("bo");
      response.end("dy");
    },
  };
  const both = ["at once", "later"] as const;
  const pairs = both.flatMap((outer) => both.map((inner) => ({ outer, inner })));

  describe.each(pairs)("outer $outer, inner $inner", (saves) => {
    test.each(Object.entries(answers))(
      "goes out whole, with both cookies: %s",
      async (_, answer) => {
        const { status, cookies, body } = await ask(await serveTwice(saves, answer));
        expect([status, cookies, body.toString()]).toEqual([200, ["inner", "outer"], "body"]);
      },
    );
  });

  test.each([
    { outer: "later", inner: "fails", saved: ["outer"] },
    { outer: "at once", inner: "fails", saved: ["outer"] },
    { outer: "fails", inner: "later", saved: ["inner"] },
    { outer: "fails", inner: "at once", saved: ["inner"] },
    { outer: "fails", inner: "fails", saved: [] },
  ] as const)("outer $outer, inner $inner: the error is answered", async ({ saved, ...saves }) => {
    const seen = await ask(await serveTwice(saves, answers["write and end"] as Handler));
    expect([seen.status, seen.cookies, seen.body.toString()]).toEqual([503, saved, "error"]);
  });
});
