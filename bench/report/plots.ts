// The plots of the page, as SVG by Observable Plot without a browser. Every figure in them is in the
// page's tables, too.
import { writeFileSync } from "node:fs";
import { peer, root } from "../lib/load.ts";

/** What is used of Observable Plot. */
interface Plot {
  plot(options: object): { readonly outerHTML: string };
  barX(data: readonly object[], options: object): object;
  text(data: readonly object[], options: object): object;
  line(data: readonly object[], options: object): object;
  dot(data: readonly object[], options: object): object;
}
interface Linkedom {
  readonly parseHTML: (html: string) => { readonly document: object };
}

/** One bar. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** As it is written at its end. */
  readonly text: string;
  readonly kind: string;
  /** The part of the plot that it stands in. */
  readonly facet?: string;
}

const colours: Readonly<Record<string, string>> = {
  ours: "#0b6e4f",
  peer: "#9aa5b1",
  limit: "#c8963e",
  none: "#c8963e",
};
const WIDTH = 860;
const ROW = 22;
/** Ends of lines that are this near each other have one label. */
const NEAR = 0.1;

async function draw(name: string, build: (plot: Plot) => object): Promise<string> {
  const plot = await peer<Plot>("@observablehq/plot");
  const { parseHTML } = await peer<Linkedom>("linkedom");
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const style = { background: "white", color: "#1f2933", fontSize: "12px" };
  const { outerHTML } = plot.plot({ document, width: WIDTH, style, ...build(plot) });
  // In a page the namespace goes without saying, in a file it doesn't.
  const svg = outerHTML.includes("xmlns=")
    ? outerHTML
    : outerHTML.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ');
  const file = `docs/performance/${name}.svg`;
  writeFileSync(new URL(file, root), `${svg}\n`);
  return `![${name}](performance/${name}.svg)`;
}

/** Two facets may have a label in common; the axis shows what stands behind this. */
const HIDDEN = "\u0000";

/** Plain figures where Plot would write "100m". */
const plain = (value: number): string =>
  value.toLocaleString("en-US", { maximumFractionDigits: 2 });

/**
 * Horizontal bars, shortest first within each facet; gives the Markdown that shows them.
 * @param axis - `from`: where a logarithmic axis begins; what is less ends there. Absent: a linear
 * one from 0.
 */
export function bars(
  name: string,
  all: readonly Bar[],
  axis: { readonly label: string; readonly from?: number },
): Promise<string> {
  const { from, label } = axis;
  const facets = [...new Set(all.map(({ facet = "" }) => facet))];
  const rows = facets.flatMap((facet) =>
    all
      .filter(({ facet: of = "" }) => of === facet)
      .toSorted((one, other) => one.value - other.value)
      .map((bar) => ({
        ...bar,
        row: facet + HIDDEN + bar.label,
        value: Math.max(bar.value, from ?? 0),
      })),
  );
  // Each facet begins with a row that has its name and no bar.
  const domain = facets.flatMap((facet) => [
    ...(facet === "" ? [] : [`${facet}${HIDDEN}${facet.toUpperCase()}`]),
    ...rows.filter(({ row }) => row.startsWith(facet + HIDDEN)).map(({ row }) => row),
  ]);
  const shown = (row: string): string => row.slice(row.indexOf(HIDDEN) + 1);
  const longest = Math.max(...domain.map((row) => shown(row).length));
  return draw(name, (plot) => ({
    height: domain.length * ROW + 70,
    marginLeft: longest * 6.6 + 16,
    marginRight: 90,
    marginBottom: 50,
    x: {
      label,
      labelOffset: 40,
      grid: true,
      ...(from !== undefined && { type: "log", tickFormat: plain, ticks: 6 }),
    },
    y: { label: null, domain, tickFormat: shown, tickSize: 0 },
    marks: [
      plot.barX(rows, {
        y: "row",
        x1: from ?? 0,
        x2: "value",
        fill: ({ kind }: Bar) => colours[kind] ?? colours["peer"],
      }),
      plot.text(rows, { y: "row", x: "value", text: "text", textAnchor: "start", dx: 4 }),
    ],
  }));
}

/** One point of a line. */
export interface Point {
  readonly line: string;
  readonly kind: string;
  readonly x: number;
  readonly y: number;
}

/** Lines over two logarithmic axes. */
export function lines(
  name: string,
  points: readonly Point[],
  axes: { readonly x: string; readonly y: string },
): Promise<string> {
  // Lines that end together share a label.
  const ends = new Map<number, Point>();
  for (const point of points) {
    if (points.some(({ line, x }) => line === point.line && x > point.x)) continue;
    const near = [...ends.keys()].find((y) => Math.abs(y / point.y - 1) < NEAR) ?? point.y;
    const label = [ends.get(near)?.line ?? [], point.line].flat().join(", ");
    ends.set(near, { ...point, line: label });
  }
  const last = [...ends.values()];
  const stroke = ({ kind }: Point): string | undefined => colours[kind];
  return draw(name, (plot) => ({
    height: 380,
    marginLeft: 80,
    marginRight: 330,
    x: { type: "log", label: axes.x, grid: true, tickFormat: plain, ticks: 4 },
    y: { type: "log", label: axes.y, grid: true, tickFormat: plain, ticks: 5 },
    marks: [
      plot.line(points, { x: "x", y: "y", z: "line", stroke, strokeWidth: 2 }),
      plot.dot(points, { x: "x", y: "y", fill: stroke }),
      plot.text(last, { x: "x", y: "y", text: "line", textAnchor: "start", dx: 8, lineWidth: 26 }),
    ],
  }));
}
