// A race that stands still can be told from one that is slow.
import { afterEach, expect, test, vi } from "vitest";
import type { RaceTrack, Reply } from "../../trials/race/driver.ts";
import { drawPlan } from "../../trials/race/plan.ts";
import { SeededRandom } from "../../trials/fuzz/random.ts";
import { ToldTrack } from "../../trials/race/told-track.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("every ten seconds a race says how many requests are over, unanswered and under way", async () => {
  vi.useFakeTimers();
  const said = vi.spyOn(console, "log").mockImplementation(() => undefined);
  const nothing: Reply = { answer: undefined, cookie: undefined };
  const empty = { session: undefined, entries: [], expires: undefined };
  const found: Reply = { answer: { found: empty, saves: [] }, cookie: undefined };
  const replies = [Promise.resolve(found), Promise.resolve(nothing), new Promise<Reply>(() => {})];
  const track: RaceTrack = {
    send: (_plan, _cookie, server) => replies[server] ?? Promise.reject(new Error("no reply")),
    sleep: async () => undefined,
    now: Date.now,
  };
  const told = new ToldTrack(track, 500);
  const plan = drawPlan(new SeededRandom(1), { people: 1, signOuts: 0 }, 1);
  expect(await told.send(plan, "", 0)).toBe(found);
  expect(await told.send(plan, "", 1)).toBe(nothing);
  void told.send(plan, "", 2);
  vi.advanceTimersByTime(10_000);
  expect(said.mock.calls).toEqual([
    [expect.stringMatching(/2 of about 500 requests, 1 of them unanswered, 1 under way$/)],
  ]);
  told.stop();
  vi.advanceTimersByTime(60_000);
  expect(said).toHaveBeenCalledTimes(1);
});
