// The stage of the laws' cases: a real server with the engine, a real client with a jar, and the state
// that they share. It knows no law.
import type { SessionConfig } from "../../engine/config.ts";
import type { RefusedReason, RejectedReason } from "../../events.ts";
import { isSealed } from "../../store/contract.ts";
import { type ConformanceCase, defineCase, mustEqual } from "../case.ts";
import { Client, type Reply } from "../client.ts";
import type { TestClock } from "../clock.ts";
import { UNCOUNTED } from "../contract/setting.ts";
import { Gate, probe, type ProbeHandler, type ProbeState, spyOn, type StoreSpy } from "../probe.ts";

/** Serves a handler with sessions of this configuration, on a loopback port. */
export type MakeServer = (
  config: SessionConfig,
  handler: ProbeHandler,
) => Promise<{ readonly url: string; readonly close: () => Promise<void> | void }>;

/** The options of the laws. */
export interface LawOptions {
  /** The subject's name in messages: "the express host with the memory store". */
  readonly subject: string;
  /** A suffix of each case's id, for lists with the laws of several stores. */
  readonly suffix: string;
  readonly makeServer: MakeServer;
  /** Fresh stores of one kind. */
  readonly makeConfig: () => Promise<{
    readonly config: SessionConfig;
    readonly close: () => Promise<void> | void;
  }>;
  readonly clock: TestClock;
  readonly hasFakeClock: boolean;
  readonly sealed: boolean;
  readonly atomic: boolean;
  /** True if one key is read and written as one step. */
  readonly exact: boolean;
  /** True if a sealed store's responses merge in the browser. */
  readonly merges: boolean;
  /** True if a sealed store's sessions can be revoked. */
  readonly revocable: boolean;
  /** True if rows have no place for a revision, a generation, a subject and notes; absent: false. */
  readonly foreignRows?: boolean;
}

/** For each kind of case true if it applies to the store, else the reason. */
interface Applicability {
  /** Needs a store on a server. */
  readonly keyed: true | string;
  /** Needs concurrent changes to be merged, in the store or in the browser. */
  readonly atomic: true | string;
  /** Needs one key to be read and written as one step. */
  readonly exact: true | string;
  /** Needs racing responses to merge in the browser. */
  readonly joined: true | string;
  /** Needs a logout that ends copies of the credential too. */
  readonly revocable: true | string;
  /** Needs a regenerate that ends the old credential. */
  readonly retired: true | string;
  /** Needs a fake clock. */
  readonly timed: true | string;
  /** Needs rows with a revision, a generation, a subject and notes. */
  readonly counted: true | string;
}

/** The setting of a law's cases. */
export interface LawSetting {
  readonly options: LawOptions;
  readonly applies: Applicability;
  /**
   * A case with a server, a store and a client of its own.
   * @param more - the case's additions to the configuration.
   */
  readonly define: (
    id: string,
    applies: true | string,
    test: (stage: Stage) => Promise<void>,
    more?: Partial<SessionConfig>,
  ) => ConformanceCase;
}

/** A running server, with its clients and events. */
interface Stage {
  readonly url: string;
  readonly client: Client;
  readonly state: ProbeState;
  readonly spy: StoreSpy | undefined;
  readonly config: SessionConfig;
  readonly refused: RefusedReason[];
  readonly rejected: RejectedReason[];
  /** The same client at another process: a server of its own over the same store. */
  readonly elsewhere: () => Promise<Client>;
}

/** The session cookie's name. */
export const NAME = "session";
/** Milliseconds. */
export const HOUR = 3_600_000;
/** Milliseconds. */
export const DAY: number = 24 * HOUR;
/** The number of racing requests. */
export const RACERS = 12;

/** The setting of all laws of one store or host. */
export function settingOf(options: LawOptions): LawSetting {
  const { sealed, merges, subject, suffix, foreignRows = false } = options;
  const counted = foreignRows ? UNCOUNTED : true;
  const isFinal = !sealed || options.revocable;
  const joined = sealed && !merges ? "the plain cookie store: the last response wins" : true;
  const isAtomic = options.atomic ? true : "the store isn't atomic: the last writer wins";
  return {
    options,
    applies: {
      keyed: sealed ? "a cookie session needs no store that could be asked, wait or fail" : true,
      atomic: sealed ? joined : isAtomic,
      exact: options.exact
        ? true
        : "no step at the store reads and writes a key: update and increment change what the request saw",
      joined,
      revocable: isFinal
        ? true
        : "without revocations a cookie store ends it in this browser; a copied cookie lives to its end",
      retired: isFinal ? counted : "nothing to fixate: the old cookie holds only what it held",
      timed: options.hasFakeClock ? true : "the store's clock can't be turned",
      counted,
    },
    define: (id, applies, test, more = {}) => {
      const run = (): Promise<void> => onStage(options, more, test);
      return defineCase(subject, { id: id + suffix, applies, run });
    },
  };
}

async function onStage(
  options: LawOptions,
  more: Partial<SessionConfig>,
  test: (stage: Stage) => Promise<void>,
): Promise<void> {
  const made = await options.makeConfig();
  const { store } = made.config;
  const spy: StoreSpy | undefined = isSealed(store) ? undefined : spyOn(store);
  const refused: RefusedReason[] = [];
  const rejected: RejectedReason[] = [];
  const config: SessionConfig = {
    ...made.config,
    ...more,
    name: NAME,
    store: spy?.store ?? store,
    secure: false,
    now: options.clock.now,
    // Long, so that a slow machine doesn't look like a hanging store.
    storeTimeout: 30,
    on: {
      refused: ({ reason }) => void refused.push(reason),
      rejected: ({ reason }) => void rejected.push(reason),
    },
  };
  const state: ProbeState = { gates: new Map(), last: undefined, caught: undefined };
  const first = await options.makeServer(config, probe(state));
  const servers = [first];
  const { url } = first;
  const client = new Client(url);
  const elsewhere = async (): Promise<Client> => {
    const server = await options.makeServer({ ...config }, probe(state));
    servers.push(server);
    return client.copy(server.url);
  };
  try {
    await test({ url, client, state, spy, config, refused, rejected, elsewhere });
  } finally {
    for (const gate of state.gates.values()) gate.open();
    for (const server of servers) await server.close();
    await made.close();
  }
}

/** A gate that waits for so many requests. */
export function openLater(state: ProbeState, name: string, count = 1): Gate {
  const gate = new Gate(count);
  state.gates.set(name, gate);
  return gate;
}

/** The session's cookies of a response. */
export function ours(reply: Reply): readonly string[] {
  return reply.setCookie.filter((cookie) => cookie.startsWith(NAME));
}

/** Checks that each reply is a 200. */
export function mustOk(replies: readonly Reply[]): void {
  for (const { status } of replies) mustEqual(status, 200, "the status");
}
