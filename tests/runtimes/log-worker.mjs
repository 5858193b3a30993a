// A worker that keeps a log of revocations in its memory, for other workers. It can be told how many of
// the next reads it leaves without an answer.
import { toRecord } from "kocha-session/contract";

const records = [];
let unanswered = 0;

// What workerd calls.
// oxlint-disable-next-line import/no-default-export
export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/tell") {
      unanswered = Number(searchParams.get("unanswered"));
      return new Response();
    }
    const body = await request.json();
    if (pathname === "/append") {
      const record = toRecord(body, Date.now());
      records.push(record);
      return Response.json({ record, isFirst: true });
    }
    if (unanswered > 0) {
      unanswered--;
      // A timer keeps the request: workerd ends one that nothing can wake.
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    }
    const start = Number(body ?? 0);
    const cursor = String(records.length);
    return Response.json({ records: records.slice(start), cursor, more: false, now: Date.now() });
  },
};
