// What the shop sells, and the cart as a collection of the session.
import { sessionMap } from "kocha-session";
import * as v from "valibot";

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

/** How many of each product, by its id. Each line is kept apart, so lines that are added at once stay. */
export const cart = sessionMap(
  "cart",
  v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_COUNT)),
);

/** Cents as euros. */
export function price(cents: number): string {
  return `€ ${(cents / 100).toFixed(2)}`;
}
