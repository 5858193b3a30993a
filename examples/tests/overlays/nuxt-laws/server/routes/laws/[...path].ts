import type { ProbeHandler } from "kocha-session/testing";

/** The probe's handler. */
export default defineEventHandler(async (event) => {
  const { kit } = globalThis as unknown as { kit: { handlers: Map<string, ProbeHandler> } };
  const handler = kit.handlers.get(getHeader(event, "x-case") ?? "");
  const { session } = event.context;
  if (handler === undefined || session === undefined) throw createError({ statusCode: 400 });
  const url = new URL(event.path.replace("/laws/", "/"), "http://localhost");
  const { status, body, headers = {} } = await handler(session, url);
  setResponseStatus(event, status);
  setResponseHeaders(event, headers);
  return body;
});
