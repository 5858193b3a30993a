// Load on a server: wrk where it is, which the run installs where it may; else autocannon.
import { once } from "node:events";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { peer } from "../lib/load.ts";

/** Requests that are under way at any time. */
export const CONNECTIONS = 32;

/** What is asked, and with which Cookie headers, in turns. */
export interface Target {
  readonly port: number;
  readonly path: string;
  readonly cookies: readonly string[];
}

/** What came of it. */
export interface Load {
  readonly requests: number;
  readonly perSecond: number;
}

interface Cannonade {
  readonly errors: number;
  readonly non2xx: number;
  readonly duration: number;
  readonly requests: { readonly total: number };
}
interface Autocannon {
  readonly default: (options: object) => Promise<Cannonade> & { readonly stop: () => void };
}

/** Whether wrk is there; Debian's package is installed by root. */
export function findWrk(): boolean {
  const works = (): boolean => spawnSync("wrk", ["--version"]).error === undefined;
  if (works()) return true;
  if (process.getuid?.() !== 0 || spawnSync("apt-get", ["--version"]).status !== 0) return false;
  try {
    execFileSync("apt-get", ["update", "-qq"], { stdio: "ignore" });
    execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "wrk"], {
      stdio: "ignore",
    });
  } catch {
    return false;
  }
  return works();
}

/** Makes load for so many milliseconds, as {@link loadPatiently} does; no answer is an error too. */
export async function load(
  target: Target,
  milliseconds: number,
  withWrk: boolean,
  connections: number = CONNECTIONS,
): Promise<Load> {
  const made = await loadPatiently(target, milliseconds, withWrk, connections);
  if (made.requests === 0) throw new Error(`${target.path} answers nothing`);
  return made;
}

/**
 * Makes load for so many milliseconds, longer where nothing came back; any answer but 200 is an
 * error. A server that is so slow that still nothing comes has answered no request.
 */
export async function loadPatiently(
  target: Target,
  milliseconds: number,
  withWrk: boolean,
  connections: number,
): Promise<Load> {
  for (let patience = milliseconds; ; patience *= 2) {
    const made = await (withWrk
      ? loadByWrk(target, patience, connections)
      : loadByAutocannon(target, { duration: Math.ceil(patience / 1000), connections }));
    if (made.requests > 0 || patience > Math.max(8000, 8 * milliseconds)) return made;
  }
}

/** A number of requests to warm a server up; a slow one isn't kept busy longer than `most` ms. */
export async function warm(target: Target, amount: number, most: number): Promise<void> {
  await loadByAutocannon(target, { amount }, most);
}

async function loadByAutocannon(target: Target, how: object, most?: number): Promise<Load> {
  const { default: autocannon } = await peer<Autocannon>("autocannon");
  const { cookies } = target;
  const cannon = autocannon({
    url: `http://127.0.0.1:${target.port}${target.path}`,
    connections: CONNECTIONS,
    ...(cookies.length > 0 && {
      requests: cookies.map((cookie) => ({ headers: { cookie } })),
    }),
    ...how,
  });
  const timer = most === undefined ? undefined : setTimeout(() => cannon.stop(), most);
  const result = await cannon;
  clearTimeout(timer);
  if (result.errors + result.non2xx > 0) throw new Error(`${target.path} answered with errors`);
  const { total } = result.requests;
  return { requests: total, perSecond: total / result.duration };
}

/** One after the other for all connections; wrk has one thread, so one counter. */
function script(cookies: readonly string[]): string {
  return [
    "local cookies = {",
    ...cookies.map((cookie) => `${JSON.stringify(cookie)},`),
    "}",
    "local requests, at = {}, 0",
    "init = function()",
    "  for i, cookie in ipairs(cookies) do",
    '    requests[i] = wrk.format("GET", nil, { Cookie = cookie })',
    "  end",
    "end",
    "request = function()",
    "  at = at % #requests + 1",
    "  return requests[at]",
    "end",
  ].join("\n");
}

/** wrk counts in whole seconds; told to stop, it says what it did until then. */
async function runWrk(args: readonly string[], milliseconds: number): Promise<string> {
  const wrk = spawn("wrk", [...args, "-d1h"], { stdio: ["ignore", "pipe", "inherit"] });
  let stdout = "";
  wrk.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
  const timer = setTimeout(() => wrk.kill("SIGINT"), milliseconds);
  await once(wrk, "close");
  clearTimeout(timer);
  return stdout;
}

async function loadByWrk(
  { port, path, cookies }: Target,
  milliseconds: number,
  connections: number,
): Promise<Load> {
  const folder = mkdtempSync(join(tmpdir(), "kocha-session-wrk-"));
  try {
    const args = ["-t1", "--timeout", "30s", `-c${connections}`];
    if (cookies.length === 1) args.push("-H", `Cookie: ${cookies[0]}`);
    if (cookies.length > 1) {
      const file = join(folder, "cookies.lua");
      writeFileSync(file, script(cookies));
      args.push("-s", file);
    }
    const stdout = await runWrk([...args, `http://127.0.0.1:${port}${path}`], milliseconds);
    if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${path}: ${stdout}`);
    const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
    const perSecond = Number(/Requests\/sec:\s*([\d.]+)/.exec(stdout)?.[1]);
    if (Number.isNaN(requests)) throw new Error(`wrk said nothing that is understood: ${stdout}`);
    return { requests, perSecond };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One answer. */
export interface Answer {
  readonly body: string;
  readonly setCookie: readonly string[];
}

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

/** One request; any answer but 200 is an error. */
export function ask(port: number, path: string, cookie?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = cookie === undefined ? {} : { cookie };
    const request = get({ host: "127.0.0.1", port, path, headers, agent }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("end", () => {
        if (response.statusCode === 200) {
          resolve({ body, setCookie: response.headers["set-cookie"] ?? [] });
        } else {
          reject(new Error(`${path} answered ${response.statusCode}: ${body}`));
        }
      });
    });
    request.on("error", reject);
  });
}

/** The Cookie header of a client that got these, after `before`. */
export function toCookieHeader(setCookie: readonly string[], before = ""): string {
  const jar = new Map<string, string>();
  for (const pair of [
    ...before.split("; "),
    ...setCookie.map((cookie) => cookie.split(";", 1)[0]),
  ]) {
    const [name = "", ...value] = (pair ?? "").split("=");
    if (name !== "") jar.set(name, value.join("="));
  }
  return [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
}
