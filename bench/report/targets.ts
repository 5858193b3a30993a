// What the library set out to reach, and whether the results say so. The targets stand here alone.
import type { HttpRow } from "../http/run.ts";
import { hostNames } from "../lib/subject.ts";
import type { SealRow } from "../seal/run.ts";
import type { Results } from "./results.ts";
import { number } from "./table.ts";

/** One target and what became of it. */
export interface Verdict {
  readonly figure: string;
  readonly target: string;
  readonly reached: string;
  /** undefined: not measured, or only reported. */
  readonly met: boolean | undefined;
}

const OURS = "kocha-session";
const RAW = "raw AES-256-GCM";
const SECURE = "@fastify/secure-session";
const notMeasured = { reached: "not measured", met: undefined };

function sealVerdicts({ seal }: Results): Verdict[] {
  const nodes = seal?.nodes ?? [];
  const find = (rows: readonly SealRow[], subject: string, size: string): SealRow | undefined =>
    rows.find((row) => row.subject === subject && row.size === size);
  const perNode = (
    figure: string,
    target: string,
    judgeNode: (
      rows: readonly SealRow[],
    ) => { readonly text: string; readonly met: boolean } | undefined,
  ): Verdict => {
    const judged = nodes.map(({ node, rows }) => ({ node, verdict: judgeNode(rows) }));
    if (judged.length === 0 || judged.some(({ verdict }) => verdict === undefined)) {
      return { figure, target, ...notMeasured };
    }
    const reached = judged.map(({ node, verdict }) => `${verdict?.text} (Node ${node})`).join(", ");
    return { figure, target, reached, met: judged.every(({ verdict }) => verdict?.met) };
  };
  const ratio = (size: "small" | "large", limit: number): Verdict =>
    perNode(`seal + open, ${size}, x raw AES-256-GCM`, `<= ${limit}`, (rows) => {
      const ours = find(rows, OURS, size)?.ratio.median;
      return ours === undefined ? undefined : { text: number(ours), met: ours <= limit };
    });
  const encrypted = (row: SealRow): boolean =>
    row.kind === "peer" && /\bencrypted/.test(row.note) && !/not encrypted/.test(row.note);
  return [
    ratio("small", 1.25),
    ratio("large", 1.8),
    perNode(
      "cookie value bytes, small / large",
      "<= 232 / <= 3,060, the least of all that encrypt",
      (rows) => {
        const small = find(rows, OURS, "small")?.bytes;
        const large = find(rows, OURS, "large")?.bytes;
        if (small === undefined || large === undefined) return undefined;
        const isLeast = rows
          .filter(encrypted)
          .every(({ bytes, size }) => bytes > (size === "small" ? small : large));
        const met = small <= 232 && large <= 3060 && isLeast;
        return { text: `${small} / ${number(large)}`, met };
      },
    ),
    perNode(
      "against iron-session, hono-sessions, h3, jose, react-router",
      ">= 20 times faster each",
      (rows) => {
        const factors = [
          "iron-session",
          "hono-sessions",
          "h3 useSession",
          "jose, by hand",
          "react-router",
        ].flatMap((name) =>
          (["small", "large"] as const).map((size) => {
            const theirs = find(rows, name, size)?.ratio.median ?? Number.NaN;
            return theirs / (find(rows, OURS, size)?.ratio.median ?? Number.NaN);
          }),
        );
        const least = Math.min(...factors);
        return Number.isNaN(least)
          ? undefined
          : { text: `at least ${number(least)} times`, met: least >= 20 };
      },
    ),
    perNode(`against ${SECURE} (native libsodium), small / large`, "at least equal", (rows) => {
      const factors = (["small", "large"] as const).map((size) => {
        const theirs = find(rows, SECURE, size)?.ratio.median ?? Number.NaN;
        return theirs / (find(rows, OURS, size)?.ratio.median ?? Number.NaN);
      });
      if (factors.some(Number.isNaN)) return undefined;
      return {
        text: factors.map((factor) => `${number(factor)} x`).join(" / "),
        met: factors.every((factor) => factor >= 1),
      };
    }),
  ];
}

function httpVerdicts({ http }: Results): Verdict[] {
  const rows = http?.rows ?? [];
  const of = (host: string, mode: string): HttpRow[] =>
    rows.filter((row) => row.host === host && row.mode === mode);
  const hosts = hostNames.filter((host) =>
    of(host, "read").some(({ subject }) => subject === OURS),
  );
  const eachHost = (
    figure: string,
    target: string,
    each: (host: string) => { readonly text: string; readonly met: boolean },
  ): Verdict => {
    if (hosts.length < hostNames.length) return { figure, target, ...notMeasured };
    const judged = hosts.map((host) => ({ host, ...each(host) }));
    const reached = judged
      .map(({ host, met, text }) => `${host} ${text}${met ? "" : " ✗"}`)
      .join(", ");
    return { figure, target, reached, met: judged.every(({ met }) => met) };
  };
  const added = (host: string, mode: string, subject: string): number =>
    of(host, mode).find((row) => row.subject === subject)?.added.median ?? Number.NaN;
  const best = (host: string, mode: string): number =>
    Math.min(
      ...of(host, mode)
        .filter(({ kind }) => kind === "peer")
        .map((row) => row.added.median),
    );
  const setCookies = rows.filter(({ mode, subject }) => subject === OURS && mode !== "write");
  return [
    eachHost("CPU added to a read, of the best peer's on the host", "the least: < 1", (host) => {
      const part = added(host, "read", OURS) / best(host, "read");
      return { text: number(part), met: part < 1 };
    }),
    eachHost("CPU added to a read, x the floor (the same cookie again)", "<= 1.5", (host) => {
      const part = added(host, "read", OURS) / added(host, "read", RAW);
      return { text: number(part), met: part <= 1.5 };
    }),
    eachHost("the same, each cookie seen for the first time", "<= 1.5", (host) => {
      const part = added(host, "fresh", OURS) / added(host, "fresh", RAW);
      return { text: number(part), met: part <= 1.5 };
    }),
    ...(["passing", "anonymous"] as const).map((mode) =>
      eachHost(
        `CPU added to an anonymous request ${mode === "passing" ? "that leaves the session alone" : "that asks for the session"}`,
        "<= 3 % of the host's own",
        (host) => {
          const none = of(host, "read").find(({ kind }) => kind === "none");
          const part = (100 * added(host, mode, OURS)) / (none?.cpu.median ?? Number.NaN);
          return { text: `${number(part)} %`, met: part <= 3 };
        },
      ),
    ),
    {
      figure: "Set-Cookie on a read",
      target: "0",
      ...(setCookies.length === 0
        ? notMeasured
        : {
            reached: String(Math.max(...setCookies.map(({ setCookie }) => setCookie))),
            met: setCookies.every(({ setCookie }) => setCookie === 0),
          }),
    },
  ];
}

function storeVerdicts({ growth, memory, redis }: Results): Verdict[] {
  const redisRow = (mode: string, kind: string) =>
    redis?.rows.find((row) => row.mode === mode && row.kind === kind);
  const commands = redisRow("read", "ours")?.commands;
  const flat = growth?.rows.filter(({ kind, note }) => kind === "ours" && !note.includes("whole"));
  const changes = flat?.map(({ change = Number.NaN }) => change) ?? [];
  const ours = memory?.rows.find(({ kind }) => kind === "ours");
  const peers = memory?.rows.filter(({ kind }) => kind === "peer") ?? [];
  const speeds = (["read", "write"] as const).map(
    (mode) =>
      (redisRow(mode, "ours")?.perSecond.median ?? Number.NaN) /
      (redisRow(mode, "peer")?.perSecond.median ?? Number.NaN),
  );
  const ahead =
    ours === undefined
      ? []
      : [
          peers.every(({ bytes }) => ours.bytes < bytes),
          peers.every(({ get }) => ours.get.median < get.median),
          peers.every(({ change }) => ours.change.median < change.median),
        ];
  return [
    {
      figure: "store commands on a read (Redis)",
      target: "<= 1",
      ...(commands === undefined ? notMeasured : { reached: String(commands), met: commands <= 1 }),
    },
    {
      figure: "bytes to the store for one changed key at 1 KB, 100 KB, 1 MB",
      target: "<= 300, flat",
      ...(changes.length === 0
        ? notMeasured
        : {
            reached: [...new Set(flat?.map(({ change, subject }) => `${subject} ${change}`))].join(
              ", ",
            ),
            met: changes.every((bytes) => bytes <= 300),
          }),
    },
    {
      figure: "Redis: requests a second, of connect-redis', read / write",
      target: "> 1",
      ...(speeds.some(Number.isNaN)
        ? notMeasured
        : { reached: speeds.map(number).join(" / "), met: speeds.every((speed) => speed > 1) }),
    },
    {
      figure: "memory store: heap bytes a session / get / change",
      target: "ahead of every peer",
      ...(ours === undefined || memory === undefined
        ? notMeasured
        : {
            reached:
              `${ours.bytes} bytes${ahead[0] === true ? "" : " ✗"} / ` +
              `${number(ours.get.median)} ns${ahead[1] === true ? "" : " ✗"} / ` +
              `${number(ours.change.median)} ns${ahead[2] === true ? "" : " ✗"}`,
            met: ahead.every(Boolean),
          }),
    },
  ];
}

function otherVerdicts({ eventloop, import: imports }: Results): Verdict[] {
  const core = imports?.rows.find(({ subject }) => subject === "kocha-session")?.wall.median;
  const blocks = eventloop?.rows.filter(({ subject }) => subject === OURS) ?? [];
  return [
    {
      figure: "import of the core, cold, above an empty module",
      target: "<= 10 ms",
      ...(core === undefined ? notMeasured : { reached: `${number(core)} ms`, met: core <= 10 }),
    },
    {
      figure: `event loop: longest block at ${number(eventloop?.inFlight ?? 1000)} requests in flight`,
      target: "reported",
      reached:
        blocks.length === 0
          ? "not measured"
          : blocks.map(({ host, longest }) => `${host} ${number(longest.median)} ms`).join(", "),
      met: undefined,
    },
  ];
}

/** All targets. */
export function judge(results: Results): Verdict[] {
  return [
    ...sealVerdicts(results),
    ...httpVerdicts(results),
    ...storeVerdicts(results),
    ...otherVerdicts(results),
  ];
}
