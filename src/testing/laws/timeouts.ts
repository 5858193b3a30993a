// Law L10: the data itself ends at its idle and its absolute timeout.
import { type ConformanceCase, mustEqual } from "../case.ts";
import { HOUR, DAY, type LawSetting } from "./stage.ts";

/** Its cases. */
export function timeoutCases({
  define,
  options: { clock },
  applies: { timed },
}: LawSetting): ConformanceCase[] {
  return [
    define(
      "L10 idle: a replayed cookie is dead after the idle timeout",
      timed,
      async ({ client }) => {
        await client.get("/set/a/1");
        const cookie = await client.cookieHeader();
        await clock.advance(DAY - 1000);
        mustEqual((await client.raw("/get/a", cookie)).body, "1", "what it reads a second before");
        await clock.advance(DAY + 2000);
        mustEqual((await client.raw("/get/a", cookie)).body, "", "what it reads after it");
      },
    ),
    define(
      "L10 own: a session's own idle timeout ends it earlier, and its renewals keep to it",
      timed,
      async ({ client }) => {
        await client.get("/set/a/1");
        await client.get("/idle/3600");
        for (let minutes = 0; minutes < 120; minutes += 50) {
          await clock.advance((50 * HOUR) / 60);
          mustEqual(
            (await client.get("/get/a")).body,
            "1",
            `what is read after ${minutes + 50} minutes`,
          );
        }
        const cookie = await client.cookieHeader();
        await clock.advance(HOUR + 2000);
        mustEqual((await client.raw("/get/a", cookie)).body, "", "what a copy reads after an hour");
      },
    ),
    define(
      "L10 absolute: no use and no renewal goes past the absolute timeout",
      timed,
      async ({ client }) => {
        await client.get("/set/a/1");
        for (let hours = 0; hours < 47; hours++) {
          await clock.advance(HOUR);
          mustEqual(
            (await client.get("/get/a")).body,
            "1",
            `what is read after ${hours + 1} hours of use`,
          );
        }
        await clock.advance(HOUR + 2000);
        mustEqual((await client.get("/get/a")).body, "", "what is read after two days");
      },
      { absoluteExpires: 2 * 86_400 },
    ),
  ];
}
