// What the shop sells, and the cart as a typed key of the session.
import { sessionKey } from "kocha-session";
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

const productIds = products.map(({ id }) => id);

/** How many of each product, by id: JSON in the session's string map, checked at both ends. */
export const cartKey = sessionKey(
  "cart",
  v.record(v.picklist(productIds), v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(99))),
);

/** Cents as euros. */
export function price(cents: number): string {
  return `€ ${(cents / 100).toFixed(2)}`;
}
