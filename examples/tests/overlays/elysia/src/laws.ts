// The conformance kit on Elysia's own server; the last line is JSON of what didn't hold.
import { Elysia } from "elysia";
import { session } from "kocha-session/elysia";
import { hostLaws, type MakeServer, runCases } from "kocha-session/testing";

/** Serves a handler on every path that has up to twelve words, as routes of Bun's own server. */
const makeServer: MakeServer = async (config, handler) => {
  const app = new Elysia().use(session(config)).use(session(config));
  for (let words = 1; words <= 12; words++) {
    const path = Array.from({ length: words }, (_, index) => `/:word${index}`).join("");
    app.all(path, async ({ request, session }) => {
      const { status, body, headers = {} } = await handler(session, new URL(request.url));
      return new Response(status === 204 || status === 303 ? null : body, { status, headers });
    });
  }
  app.all("*", async ({ request, session }) => {
    const { status, body, headers = {} } = await handler(session, new URL(request.url));
    return new Response(status === 204 || status === 303 ? null : body, { status, headers });
  });
  app.listen({ port: 0, hostname: "127.0.0.1" });
  const close = async (): Promise<void> => {
    await app.stop(true);
  };
  return { url: `http://127.0.0.1:${app.server?.port}`, close };
};

const ran = (await runCases(hostLaws(makeServer, { name: "Elysia" }))).filter(
  (one) => one.case.applies === true,
);
const failures = ran.flatMap(({ error }) => (error === undefined ? [] : [String(error)]));
console.log(JSON.stringify({ count: ran.length, failures }));
process.exit(0);
