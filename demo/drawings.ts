// The shop's drawings, by product: a few lines each, in the colour of the text around them, so that
// they need no font and no file of their own.
import { Html } from "./html.ts";

const drawings: Readonly<Record<string, string>> = {
  sencha: `<path class="fill" d="M30 36h36l-3.4 20a6 6 0 0 1-6 5H39.4a6 6 0 0 1-6-5z"/>
    <path d="M28 28h40l-5 28a6 6 0 0 1-6 5H39a6 6 0 0 1-6-5z"/>
    <path d="M40 21c-4-5 4-7 0-13M48 21c-4-5 4-7 0-13M56 21c-4-5 4-7 0-13"/>`,
  hojicha: `<path class="fill" d="M27 56C23 33 44 15 75 15c1 29-18 47-43 43"/>
    <path d="M21 64c10-19 24-30 41-38"/>
    <path d="M27 56C23 33 44 15 75 15c1 29-18 47-43 43M36 46l-2-11M36 46l12 1M47 36l-1-11M47 36l13 0"/>`,
  genmaicha: `<g class="both"><ellipse cx="30" cy="46" rx="7" ry="13" transform="rotate(-32 30 46)"/>
    <ellipse cx="51" cy="52" rx="7" ry="13" transform="rotate(14 51 52)"/>
    <ellipse cx="70" cy="38" rx="7" ry="13" transform="rotate(52 70 38)"/></g>
    <path d="M37 28c2-13 12-19 26-19-1 14-10 22-26 19zM31 34c7-9 14-15 22-19"/>`,
  kyusu: `<path class="fill" d="M32 44c0-11 9-18 20-18s20 7 20 18-8 17-20 17-20-6-20-17z"/>
    <path d="M32 44c0-11 9-18 20-18s20 7 20 18-8 17-20 17-20-6-20-17zM38 31c8 4 20 4 28 0M71 37l13-10 3 4-12 17M33 38L13 30l-3 7 22 9"/>
    <circle cx="52" cy="20" r="4"/>`,
  chawan: `<path class="fill" d="M18 30c1 19 13 30 30 30s29-11 30-30c-18 6-42 6-60 0z"/>
    <path d="M18 28c0 21 13 32 30 32s30-11 30-32M39 60v5h18v-5"/>
    <ellipse cx="48" cy="28" rx="30" ry="7"/><path d="M30 44l8 7M60 46l6-8"/>`,
  chasen: `<path class="fill" d="M44 30h8c4 9 10 19 9 33-8 4-18 4-26 0-1-14 5-24 9-33z"/>
    <path d="M43 7h10v21H43zM43 14h10M41 34h14M44 28c-3 12-10 22-9 35M46 34c-2 10-5 18-4 30M48 34v31M50 34c2 10 5 18 4 30M52 28c3 12 10 22 9 35"/>`,
};

/** The drawing of a product; decoration, which is read to nobody. */
export function drawing(id: string): Html {
  return new Html(
    `<svg viewBox="0 0 96 72" aria-hidden="true" focusable="false">${drawings[id] ?? ""}</svg>`,
  );
}
