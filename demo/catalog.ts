// What the shop sells, and the cart as a collection of the session.
import { sessionMap, type StandardSchema } from "kocha-session";

/** A thing to buy. */
export interface Product {
  readonly id: string;
  readonly name: string;
  readonly note: string;
  readonly cents: number;
}

/** Everything there is. */
export const products: readonly Product[] = [
  { id: "sencha", name: "Sencha", note: "steamed green tea, first flush", cents: 1450 },
  { id: "hojicha", name: "Hōjicha", note: "roasted over charcoal", cents: 980 },
  { id: "genmaicha", name: "Genmaicha", note: "with toasted rice", cents: 870 },
  { id: "kyusu", name: "Kyūsu", note: "side-handled teapot, 300 ml", cents: 5400 },
  { id: "chawan", name: "Chawan", note: "a bowl, no two alike", cents: 3900 },
  { id: "chasen", name: "Chasen", note: "bamboo whisk", cents: 2600 },
];

/** The most of one product that a cart holds. */
export const MAX_COUNT = 99;

/** A count of 1 to MAX_COUNT: a Standard Schema by hand, where an application would use a library. */
export const count: StandardSchema<number> = {
  "~standard": {
    version: 1,
    vendor: "kocha-session-demo",
    validate: (value) =>
      typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_COUNT
        ? { value }
        : { issues: [{}] },
  },
};

/** How many of each product, by its id. Each line is kept apart, so lines that are added at once stay. */
export const cart = sessionMap("cart", count);

/** Cents as euros. */
export function price(cents: number): string {
  return `€ ${(cents / 100).toFixed(2)}`;
}
