// What a request of the comparison does to its session, read from the URL: /set/k/v, /fill/k/bytes,
// /get/k, /end, /raise/k for a counter, /add/id for a cart, /items for their number, /take/k for what
// may be used once, and /gate/name, where it waits until the comparison lets it go on.
import type { Gate } from "../../src/testing/probe.ts";

/** A library's session, as far as it is compared. */
export interface Bag {
  readonly get: (key: string) => string | undefined;
  readonly set: (key: string, value: string) => void;
  /** Logs out. */
  readonly end: () => void | Promise<void>;
  /** What the library has for one key at the same time; absent: its users get and set. */
  readonly exact?: ExactBag;
}

/** Steps on one key. */
interface ExactBag {
  readonly raise: (key: string) => Promise<unknown>;
  readonly add: (id: string) => void;
  /** How many items were added. */
  readonly items: () => number;
  readonly take: (key: string) => Promise<string | undefined>;
}

/** What is done where a library has nothing for it: a cart is one value, and a used token is empty. */
function getThenSet({ get, set }: Bag): ExactBag {
  const items = (): string[] => (get("cart") ?? "").split(" ").filter((item) => item !== "");
  return {
    raise: async (key) => set(key, String(Number(get(key) ?? 0) + 1)),
    add: (id) => set("cart", [...items(), id].join(" ")),
    items: () => items().length,
    take: async (key) => {
      const value = get(key);
      set(key, "");
      return value;
    },
  };
}

/** The gates that requests wait at, by name. */
export type Routes = Map<string, Gate>;

/** Does what the path says; gives what was read last. */
export async function act(path: string, bag: Bag, routes: Routes): Promise<string> {
  const words = path.split("/").slice(1);
  const exact = bag.exact ?? getThenSet(bag);
  let read = "";
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const argument = (): string => words.shift() ?? "";
    if (word === "set") bag.set(argument(), argument());
    else if (word === "fill") bag.set(argument(), "x".repeat(Number(argument())));
    else if (word === "get") read = bag.get(argument()) ?? "";
    else if (word === "end") await bag.end();
    else if (word === "raise") await exact.raise(argument());
    else if (word === "add") exact.add(argument());
    else if (word === "items") read = String(exact.items());
    else if (word === "take") read = (await exact.take(argument())) ?? "";
    else if (word === "gate") await routes.get(argument())?.pass();
  }
  return read;
}
