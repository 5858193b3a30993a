// An object whose own storage holds the sessions and revocations.
import { DurableObject } from "cloudflare:workers";
import { Place } from "./place.mjs";

export class PlaceObject extends DurableObject {
  #place = new Place(this.ctx.storage.sql, (text) => this.ctx.storage.sql.exec(text).toArray());

  fetch(request) {
    return this.#place.answer(request);
  }
}

// What workerd calls.
// oxlint-disable-next-line import/no-default-export
export default {
  fetch: (request, env) => env.PLACE.get(env.PLACE.idFromName("one")).fetch(request),
};
