// When a reply of Fastify is sent, against the moment at which its session is saved or isn't: an
// async handler that ends without a value, and one that sends twice.
import Fastify, { type FastifyInstance } from "fastify";
import fastify4 from "fastify4";
import { type SessionConfig, SessionMemoryStore } from "kocha-session";
import { sessionPlugin } from "kocha-session/fastify";
import { readCookie } from "kocha-session/testing";
import { setImmediate } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { spyOn } from "../../src/testing/probe.ts";
import { freshKey } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { listen } from "../support/listen.ts";

const versions = { 5: Fastify, 4: fastify4 as unknown as typeof Fastify } as const;

/** More turns of the microtask queue than a save that fails and its error take together. */
const turns = Array.from({ length: 40 }, (_, count) => count);

type ErrorHandler = Parameters<FastifyInstance["setErrorHandler"]>[0];

async function start(app: FastifyInstance): Promise<string> {
  await app.ready();
  const { url, close } = await listen(app.server);
  onTestFinished(close);
  return url;
}

describe.each([5, 4] as const)("Fastify %s", (version) => {
  describe("a save that fails, whenever the async handler ends that has sent", () => {
    const make = async (answerError: ErrorHandler): Promise<FastifyInstance> => {
      const spy = spyOn(new SessionMemoryStore());
      spy.fault = "save";
      const app = versions[version]();
      app.setErrorHandler(answerError);
      await app.register(sessionPlugin, { store: spy.store, signingKey: freshKey() });
      app.get<{ Params: { turns: string } }>("/:turns", async ({ params, session }, reply) => {
        session.set("name", "alice");
        void reply.send("all is well");
        for (let left = Number(params.turns); left > 0; left--) await Promise.resolve();
      });
      return app;
    };
    const visit = async (url: string): Promise<[number, string][]> => {
      const seen: [number, string][] = [];
      for (const count of turns) {
        const answer = await fetch(`${url}/${count}`);
        seen.push([answer.status, await answer.text()]);
      }
      return seen;
    };

    test("is the error handler's to answer", async () => {
      const app = await make((_, __, reply) => void reply.code(503).send("try again"));
      expect(await visit(await start(app))).toEqual(turns.map(() => [503, "try again"]));
    });

    test("is no empty 200 when the error handler takes its time", async () => {
      const app = await make(async (_, __, reply) => {
        await setImmediate();
        return reply.code(503).send("try again");
      });
      const seen = await visit(await start(app));
      expect(seen.map(([status]) => status)).toEqual(turns.map(() => 503));
      expect(seen.filter(([, body]) => body === "")).toEqual([]);
    });

    test("is what an error handler says without a body", async () => {
      const app = await make(async (_, __, reply) => void reply.code(503));
      const [answer] = await visit(await start(app));
      expect(answer).toEqual([503, ""]);
    });

    test("is a redirect where the error handler gives one", async () => {
      const app = await make((_, __, reply) => void reply.redirect("/sorry"));
      const answer = await fetch(`${await start(app)}/0`, { redirect: "manual" });
      expect([answer.status, answer.headers.get("location")]).toEqual([302, "/sorry"]);
    });
  });

  test.each(["over a connection", "by inject"])(
    "the first of two replies goes out, %s",
    async (way) => {
      const config: SessionConfig = {
        store: slowly(new SessionMemoryStore()),
        signingKey: freshKey(),
      };
      const app = versions[version]();
      await app.register(sessionPlugin, config);
      const failures: unknown[] = [];
      app.addHook("onError", async (__, ___, error) => void failures.push(error));
      app.get("/", (request, reply) => {
        request.session.set("name", "alice");
        void reply.send("first");
        void reply.send("second");
      });
      let body: string;
      let setCookie: string[];
      if (way === "by inject") {
        const answer = await app.inject("/");
        ({ body } = answer);
        setCookie = [answer.headers["set-cookie"] ?? []].flat();
      } else {
        const answer = await fetch(await start(app));
        body = await answer.text();
        setCookie = answer.headers.getSetCookie();
      }
      expect([body, setCookie.length, failures]).toEqual(["first", 1, []]);
      expect(await readCookie(config, setCookie)).toEqual(new Map([["name", "alice"]]));
    },
  );
});
