// A Worker whose D1 database holds the sessions and revocations.
import { env } from "cloudflare:workers";
import { Place } from "./place.mjs";

const place = new Place(env.DB, (text) => env.DB.prepare(text).run());

// What workerd calls.
// oxlint-disable-next-line import/no-default-export
export default { fetch: (request) => place.answer(request) };
