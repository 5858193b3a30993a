// What a request of the comparison does to its session, read from the URL: /set/k/v, /fill/k/bytes,
// /get/k, /end, and /gate/name, where it waits until the comparison lets it go on.
import type { Gate } from "../../src/testing/probe.ts";

/** A library's session, as far as it is compared. */
export interface Bag {
  readonly get: (key: string) => string | undefined;
  readonly set: (key: string, value: string) => void;
  /** Logs out. */
  readonly end: () => void | Promise<void>;
}

/** The gates that requests wait at, by name. */
export type Routes = Map<string, Gate>;

/** Does what the path says; gives what was read last. */
export async function act(path: string, bag: Bag, routes: Routes): Promise<string> {
  const words = path.split("/").slice(1);
  let read = "";
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const argument = (): string => words.shift() ?? "";
    if (word === "set") bag.set(argument(), argument());
    else if (word === "fill") bag.set(argument(), "x".repeat(Number(argument())));
    else if (word === "get") read = bag.get(argument()) ?? "";
    else if (word === "end") await bag.end();
    else if (word === "gate") await routes.get(argument())?.pass();
  }
  return read;
}
