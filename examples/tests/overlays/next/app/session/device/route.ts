// The endpoint of device-bound sessions: the engine answers before the handler.
import { siteOf } from "../../../lab/site";

export const POST = (request: Parameters<Handler>[0], context: unknown): Promise<Response> =>
  siteOf().route(() => new Response(null, { status: 404 }))(request, context);

type Handler = Parameters<ReturnType<typeof siteOf>["route"]>[0];
