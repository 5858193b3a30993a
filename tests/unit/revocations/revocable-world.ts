// What the tests of the engine with revocations share: the cookie store with a list in memory, people
// who log in, and thieves who copy their cookies.
import { memoryRevocations, type Revocations, type SessionConfig } from "kocha-session";
import { type Client, Clock, makeWorld, type World } from "../engine/client.ts";

export const HOUR = 3600;
export const DAY: number = 24 * HOUR;

/** An engine on the cookie store with revocations. */
interface RevocableWorld extends World {
  readonly revocations: Revocations;
  /** The reasons of the events of one name since the last call. */
  readonly reasons: (name: "refused" | "rejected") => unknown[];
}

/** One with a list in memory, unless another is given. */
export function makeRevocable(config: Partial<SessionConfig> = {}): RevocableWorld {
  const clock = new Clock();
  const revocations = config.revocations ?? memoryRevocations({ now: clock.now });
  const world = makeWorld("cookie", { sessionExpires: DAY, ...config, revocations }, clock);
  const reasons = (name: string): unknown[] =>
    world.told.splice(0).flatMap((told) => (told.name === name ? [told.event["reason"]] : []));
  return { ...world, revocations, reasons };
}

/** A client that holds the same cookies now: a copy, as a thief has one. */
export function copyOf(world: World, client: Client): Client {
  const copy = world.newClient();
  copy.jar.take(client.jar.cookies.map(({ name, value }) => `${name}=${value}`));
  return copy;
}

/** A client that has logged in. */
export async function logIn(world: World, subject: string): Promise<Client> {
  const client = world.newClient();
  await client.request(async (session) => {
    await session.regenerate();
    session.bind(subject);
    session.set("name", subject);
  });
  return client;
}
