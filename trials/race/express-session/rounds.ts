// The races between express-session and its drop-in: requests of one session that write at once, and
// writes that a logout comes among. Each has loaded its session before any of them writes.
import type { Application, StoreName } from "./course.ts";

/** How much of what was asked for came out. */
export interface Score {
  readonly found: number;
  readonly of: number;
}

/** How many keys are left of `writers` requests at once, in each of the sessions. */
export async function writesKept(
  { ask, login, held, release }: Application,
  store: StoreName,
  sessions: number,
  writers: number,
): Promise<Score> {
  let found = 0;
  for (let session = 0; session < sessions; session++) {
    const cookie = await login(session, store);
    const writes = Array.from({ length: writers }, (_, writer) =>
      ask(writer, `${store}/set/k${writer}?held`, cookie),
    );
    await held(writers);
    release();
    await Promise.all(writes);
    found += Object.keys((await ask(session, `${store}/read`, cookie)) as object).length;
  }
  return { found, of: sessions * (writers + 1) };
}

/** How many sessions are there again after a logout that came between a write's load and its save. */
export async function logoutsUndone(
  { ask, login, held, release }: Application,
  store: StoreName,
  sessions: number,
): Promise<Score> {
  let found = 0;
  for (let session = 0; session < sessions; session++) {
    const cookie = await login(session, store);
    // Whatever it answers: the session has ended.
    const write = ask(session, `${store}/set/late?held`, cookie).catch(() => undefined);
    await held(1);
    await ask(session + 1, `${store}/logout`, cookie);
    release();
    await write;
    const left = (await ask(session, `${store}/read`, cookie)) as object;
    if (Object.keys(left).length > 0) found++;
  }
  return { found, of: sessions };
}
