import { sessionOf } from "kocha-session/h3";
import type { ProbeHandler } from "kocha-session/testing";
import { defineHandler } from "nitro/h3";

/** The probe's handler. */
export default defineHandler(async (event) => {
  const { kit } = globalThis as unknown as { kit: { handlers: Map<string, ProbeHandler> } };
  const handler = kit.handlers.get(event.req.headers.get("x-case") ?? "");
  if (handler === undefined) return new Response("no case", { status: 400 });
  const url = new URL(event.req.url.replace("/laws/", "/"));
  const { status, body, headers = {} } = await handler(sessionOf(event), url);
  return new Response(status === 204 || status === 303 ? null : body, { status, headers });
});
