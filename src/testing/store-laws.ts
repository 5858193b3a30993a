// The requirements on a store: its contract on the store itself, and the laws through a real server. A
// store's author registers the cases with a test runner.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { SessionConfig } from "../engine/config.ts";
import { isExact, isSealed } from "../store/contract.ts";
import { withSession } from "../hosts/node.ts";
import type { ConformanceCase } from "./case.ts";
import { realClock, type TestClock } from "./clock.ts";
import { hangCases } from "./contract/hangs.ts";
import { lawCases } from "./law-cases.ts";
import type { MakeServer } from "./laws/stage.ts";
import type { MakeStore } from "./contract/setting.ts";
import { contractCases } from "./store-contract.ts";

/** Options of a store's cases. */
export interface StoreLawsOptions {
  /** The store's name in messages. Default "the store". */
  readonly name?: string;
  /** The store's fake clock; without one real time passes. */
  readonly clock?: TestClock;
  /** The seed of random histories. Default: a new one, shown in each failure. */
  readonly seed?: number;
  /** How many random histories. Default 50. */
  readonly runs?: number;
  /** The resolution of the store's times, in milliseconds. Default 1000. */
  readonly resolutionMs?: number;
  /** The server for the laws. Default node:http. */
  readonly makeServer?: MakeServer;
  /**
   * True: the rows are another library's, with a place for the data and an end, and for nothing else: no
   * revision, generation, subject or notes, and no session that never ends. Cases that need more don't
   * apply. Default false.
   */
  readonly foreignRows?: boolean;
}

/**
 * The cases for a store. `makeStore` is called for each case, and once at the start, to read the store's
 * capabilities.
 */
export async function storeLaws(
  makeStore: MakeStore,
  options: StoreLawsOptions = {},
): Promise<readonly ConformanceCase[]> {
  const { store, config, hang, close } = await makeStore();
  const sealed = isSealed(store);
  const capabilities = sealed ? {} : (store.capabilities ?? {});
  const sweeps = !sealed && store.sweep !== undefined;
  const merges = sealed && store.capabilities?.merges === true;
  await close();
  const { name = "the store", clock = realClock } = options;
  const common = { clock, hasFakeClock: options.clock !== undefined, sealed };
  const { foreignRows = false } = options;
  const seed = options.seed ?? Math.floor(Math.random() * 0x7fff_ffff);
  return [
    ...contractCases(makeStore, {
      ...common,
      name,
      seed,
      runs: options.runs ?? 50,
      resolutionMs: options.resolutionMs ?? 1000,
      capabilities,
      sweeps,
      foreignRows,
    }),
    ...(hang === undefined ? [] : hangCases(name, makeStore)),
    ...lawCases({
      ...common,
      subject: name,
      suffix: "",
      makeServer: options.makeServer ?? nodeServer,
      atomic: capabilities.atomic === true,
      exact: isExact(store),
      merges,
      foreignRows,
      revocable: config?.revocations !== undefined,
      makeConfig: () => configOf(makeStore),
    }),
  ];
}

/** A configuration around a fresh store; a server-side store gets keys of its own. */
async function configOf(
  makeStore: MakeStore,
): Promise<{ readonly config: SessionConfig; readonly close: () => Promise<void> | void }> {
  const { store, config, close } = await makeStore();
  const keys = isSealed(store) ? {} : { signingKey: randomKey() };
  return { config: { ...keys, ...config, store }, close };
}

/** 32 random bytes in standard base64. */
export function randomKey(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
}

/** A server on node:http, the default for a store's laws. */
export const nodeServer: MakeServer = async (config, handler) => {
  const listener = withSession(
    config,
    async (request, response, session) => {
      const url = new URL(request.url ?? "/", "http://localhost");
      const { status, body, headers = {} } = await handler(session, url);
      response.writeHead(status, headers).end(body);
    },
    // The cases check the client's response.
    { reportError: () => undefined },
  );
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, close };
};
