// The page's sections, one for each part that has been measured: a sentence, a plot, a table.
import { costs } from "./costs.ts";
import { FRESH } from "../http/run.ts";
import { hostNames, modes } from "../lib/subject.ts";
import { type Bar, bars, lines } from "./plots.ts";
import type { Results } from "./results.ts";
import { number, subjectCell, table } from "./table.ts";

type Section = (results: Results) => Promise<string | undefined>;

const seal: Section = async ({ seal: result }) => {
  const [first] = result?.nodes ?? [];
  if (result === undefined || first === undefined) return undefined;
  const chart = first.rows.map(({ kind, ratio, size, subject }): Bar => ({
    label: subject,
    facet: size,
    kind,
    value: ratio.median,
    text: `${number(ratio.median)} x`,
  }));
  const names = [...new Set(first.rows.map(({ subject }) => subject))];
  const rows = names.map((name) => {
    const ofNode = result.nodes.flatMap(({ rows: all }) =>
      (["small", "large"] as const).map((size) => {
        const ratio = all.find((row) => row.subject === name && row.size === size)?.ratio;
        if (ratio === undefined) return "-";
        return `${number(ratio.median)} (${number(ratio.low)} to ${number(ratio.high)})`;
      }),
    );
    const small = first.rows.find((row) => row.subject === name && row.size === "small");
    const large = first.rows.find((row) => row.subject === name && row.size === "large");
    const both = [small, large].map((row) =>
      row === undefined ? "-" : `${number(row.seal.median)} + ${number(row.open.median)}`,
    );
    const bytes = `${small?.bytes} / ${number(large?.bytes ?? Number.NaN)}`;
    const note = [small?.note, small?.versions].filter((text) => text !== "").join("; ");
    const label = subjectCell(small ?? { kind: "peer", subject: name });
    return [label, ...ofNode, ...both, bytes, note];
  });
  const head = [
    "scheme",
    ...result.nodes.flatMap(({ node }) => [`small, Node ${node}`, `large, Node ${node}`]),
    "small: seal + open, µs",
    "large: seal + open, µs",
    "bytes of the value, small / large",
    "",
  ];
  return [
    "## Sealing and opening a cookie",
    "Both together as a ratio to AES-256-GCM of the raw bytes with a cached key, pooled randomness and base64url, without " +
      "any codec: median, and the quartiles. Small is 117 bytes of JSON, large 40 pairs in 2.4 KB. Each value is opened once, so " +
      "no cache of opened values helps anybody.",
    await bars("seal", chart, { label: "times raw AES-256-GCM (logarithmic)", from: 0.5 }),
    table(head, rows),
  ].join("\n\n");
};

const http: Section = async ({ http: result }) => {
  if (result === undefined) return undefined;
  const charts = await Promise.all(
    (["read", "write"] as const).map((mode) => {
      const chart = result.rows
        .filter((row) => row.kind !== "none" && row.mode === mode)
        .map(({ added, host, kind, subject }): Bar => ({
          label: subject,
          facet: host,
          kind,
          value: added.median,
          text: `${number(added.median)} µs`,
        }));
      const label = `processor time added to a ${mode}, µs (logarithmic)`;
      return bars(`http-${mode}`, chart, { label, from: 1 });
    }),
  );
  const tables = hostNames.flatMap((host) => {
    const ofHost = result.rows.filter((row) => row.host === host);
    if (ofHost.length === 0) return [];
    const names = [...new Set(ofHost.map(({ subject }) => subject))];
    const none = ofHost.find(({ kind }) => kind === "none");
    const rows = names.map((name) => {
      const row = (mode: string) => ofHost.find((one) => one.subject === name && one.mode === mode);
      const read = row("read");
      const cells = modes.map((mode) => {
        const added = row(mode)?.added;
        if (added === undefined || name === none?.subject) return "-";
        return `${number(added.median)} (${number(added.low)} to ${number(added.high)})`;
      });
      const ofNone = ["read", "write"].map((mode) =>
        number(row(mode)?.ofNone.median ?? Number.NaN),
      );
      const note = [read?.note, read?.versions].filter((text) => text !== "").join("; ");
      const label = subjectCell(read ?? { kind: "peer", subject: name });
      return [label, ...cells, ...ofNone, String(read?.setCookie ?? "-"), note];
    });
    const head = [
      "",
      ...modes,
      "req/s read, of none",
      "req/s write, of none",
      "Set-Cookie on a read",
      "",
    ];
    const base = `${number(none?.cpu.median ?? Number.NaN)} µs, ${number(none?.perSecond.median ?? Number.NaN)} requests a second`;
    return [`### ${host}: without a session ${base}`, table(head, rows)];
  });
  return [
    "## A request on each host",
    `Microseconds of processor time that a session adds to a hello-world request, on Node.js ${result.node}, by ${result.tool} with ` +
      `${result.connections} connections, in turns of a third of a second, each between two of the host without a session: ` +
      "`read` asks for a value, always with the same cookie; `fresh` does so with " +
      `${number(FRESH)} different cookies in turns; ` +
      "`write` changes a value; `anonymous` asks without a cookie; `idle` and `passing` leave the session alone, with and " +
      "without a cookie. The raw AES-256-GCM line is the floor: a handler that finds the cookie by hand and opens it, " +
      "with neither codec nor expiry.",
    "In one table, without the spread (`read`, `fresh` and `write`), beside the least that any other library takes on the " +
      "host, and beside @fastify/secure-session, which calls libsodium:",
    costs(result),
    ...charts,
    ...tables,
    ...result.unmeasured.map((line) => `Not measured: ${line}.`),
  ].join("\n\n");
};

const redis: Section = async ({ redis: result }) => {
  if (result === undefined) return undefined;
  const chart = result.rows.map(({ kind, mode, perSecond, subject }): Bar => ({
    label: subject,
    facet: mode,
    kind,
    value: perSecond.median,
    text: number(perSecond.median),
  }));
  const rows = result.rows.map((row) => [
    row.mode,
    subjectCell(row),
    `${number(row.perSecond.median)} (${number(row.perSecond.low)} to ${number(row.perSecond.high)})`,
    number(row.cpu.median),
    `${row.commands}${row.names.length > 0 ? `: ${row.names.join(", ")}` : ""}`,
    String(row.setCookie),
    row.versions,
  ]);
  const head = ["", "", "requests a second", "CPU µs", "commands", "Set-Cookie", ""];
  return [
    "## Sessions in Redis",
    `Under Express, ${result.connections} connections. The commands are those that the server was sent for a request, by MONITOR.`,
    await bars("redis", chart, { label: "requests a second" }),
    table(head, rows, 2),
  ].join("\n\n");
};

const memory: Section = async ({ memory: result }) => {
  if (result === undefined) return undefined;
  const chart = result.rows.map(({ bytes, kind, subject }): Bar => ({
    label: subject,
    kind,
    value: bytes,
    text: `${bytes} bytes`,
  }));
  const rows = result.rows.map((row) => [
    subjectCell(row),
    String(row.bytes),
    number(row.get.median),
    number(row.change.median),
    [row.note, row.versions].filter((text) => text !== "").join("; "),
  ]);
  const head = ["store", "heap bytes a session", "get, ns", "change, ns", ""];
  return [
    "## Sessions in memory",
    `${number(result.sessions)} small sessions in one store; the ids aren't counted. @fastify/session and hono-sessions ` +
      "hand out the stored object itself: what a handler changes without saving is changed for everybody.",
    await bars("memory", chart, { label: "heap bytes a session" }),
    table(head, rows),
  ].join("\n\n");
};

const growth: Section = async ({ growth: result }) => {
  if (result === undefined) return undefined;
  const sizes = { "1 KB": 1000, "100 KB": 100_000, "1 MB": 1_000_000 } as const;
  const points = result.rows.flatMap(({ change, kind, size, subject }) =>
    change === undefined ? [] : [{ line: subject, kind, x: sizes[size], y: change }],
  );
  const names = [...new Set(result.rows.map(({ subject }) => subject))];
  const rows = names.map((name) => {
    const all = result.rows.filter(({ subject }) => subject === name);
    const cells = all.map(({ change }) => (change === undefined ? "refused" : number(change)));
    const [first] = all;
    const note = [first?.note, first?.versions].filter((text) => text !== "").join("; ");
    return [subjectCell(first ?? { kind: "peer", subject: name }), ...cells, note];
  });
  return [
    "## What a change takes to the store",
    "Bytes that go to the store when one key of 4 + 43 bytes changes, by the size of the session; counted, not timed.",
    await lines("growth", points, { x: "bytes of the session", y: "bytes to the store" }),
    table(["store", ...Object.keys(sizes), ""], rows),
  ].join("\n\n");
};

const imports: Section = async ({ import: result }) => {
  if (result === undefined) return undefined;
  const kindOf = (subject: string): string => {
    if (subject.startsWith("kocha")) return "ours";
    return subject.startsWith("node:") ? "limit" : "peer";
  };
  const measured = result.rows.filter(({ subject }) => !subject.startsWith("an empty"));
  const chart = measured.map(({ subject, wall }): Bar => ({
    label: subject,
    kind: kindOf(subject),
    value: wall.median,
    text: `${number(wall.median)} ms`,
  }));
  const rows = measured.map(({ cpu, subject, wall }) => [
    subjectCell({ kind: kindOf(subject), subject }),
    `${number(wall.median)} (${number(wall.low)} to ${number(wall.high)})`,
    number(cpu.median),
  ]);
  return [
    "## A cold import",
    `In a fresh process each time, above an empty module, on Node.js ${result.node}.`,
    await bars("import", chart, { label: "milliseconds above an empty module" }),
    table(["module", "ms", "ms of processor time"], rows),
  ].join("\n\n");
};

const eventloop: Section = async ({ eventloop: result }) => {
  if (result === undefined) return undefined;
  const rows = result.rows.map((row) => [
    row.host,
    subjectCell(row),
    number(row.longest.median),
    number(row.p99.median),
    number(row.perSecond.median),
    row.versions,
  ]);
  return [
    "## The event loop",
    `Milliseconds that the event loop was blocked at a time while ${number(result.inFlight)} requests with large sessions were ` +
      "under way, each of them writing.",
    table(["host", "", "longest", "99th percentile", "requests a second", ""], rows, 2),
  ].join("\n\n");
};

const merge: Section = async ({ merge: result }) => {
  if (result === undefined) return undefined;
  const rows = result.rows.map((row) => [
    row.subject,
    String(row.parts),
    number(row.cookieBytes),
    number(row.setCookieBytes),
    ...[row.known, row.fresh, row.write].map(
      ({ high, low, median }) => `${number(median)} (${number(low)} to ${number(high)})`,
    ),
  ]);
  const head = [
    "",
    "cookies sent",
    "Cookie, bytes",
    "Set-Cookie of a write, bytes",
    "read, cookies met before",
    "read, all decrypted",
    "write",
  ];
  return [
    "## Merging cookies",
    "The small session with `merge`, after a login and writes that ran at once, beside one plain cookie: bytes of the " +
      "headers, and microseconds of processor time of a whole request in the engine, without a host.",
    table(head, rows, 1),
  ].join("\n\n");
};

/** The sections of what has been measured. */
export async function sections(results: Results): Promise<string[]> {
  const written: string[] = [];
  for (const section of [seal, http, redis, memory, growth, imports, eventloop, merge]) {
    const text = await section(results);
    if (text !== undefined) written.push(text);
  }
  return written;
}
