// The three classes, as a worker exports them, and ways to look behind them: what an object has stored, its alarm, and
// the clock that `clock.mjs` puts in place of Date.now.
import {
  RevocationObject as OurRevocations,
  SessionObject as OurSession,
  SubjectObject as OurSubject,
} from "kocha-session/durable-object";

/** A class whose objects also tell what they have. */
const watched = (Class) =>
  class extends Class {
    constructor(state, env) {
      super(state, env);
      this.state = state;
    }

    async fetch(request) {
      const { pathname } = new URL(request.url);
      const { storage } = this.state;
      if (pathname === "/look") {
        const entries = [...storage.kv.list()].length;
        return Response.json({
          entries,
          bytes: storage.sql.databaseSize,
          alarm: await storage.getAlarm(),
        });
      }
      if (pathname === "/empty") {
        storage.sql.exec("DELETE FROM revocations");
        storage.sql.exec("DELETE FROM sqlite_sequence");
        return new Response();
      }
      return super.fetch(request);
    }
  };

export const SessionObject = watched(OurSession);
export const SubjectObject = watched(OurSubject);
export const RevocationObject = watched(OurRevocations);

// What workerd calls.
// oxlint-disable-next-line import/no-default-export
export default {
  async fetch(request) {
    globalThis.turnedNow = Number(new URL(request.url).searchParams.get("now"));
    return new Response();
  },
};
