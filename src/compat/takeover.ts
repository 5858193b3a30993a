// Takes another library's sessions over into rows of ours, so that requests that race meet in one row,
// a crash at any point logs nobody out, and a request that comes too late brings nothing back.
//
// The row's selector is derived from the old session's id. Its life, in the order of what is stored:
//
//   1. create    the row, revision 1: it counts only while the old session is there
//   2. confirm   its revision becomes 2: it counts whatever becomes of the old session
//   3. delete    the old session
//
// Whoever finds the row goes on from there. The old session is deleted only behind a confirmed row, so
// a row that isn't confirmed although the old session has gone was created by a request that came after
// the logout: it is removed. A client gets its ticket only when all three are done.
import { chain, type Awaitable, tryAll } from "../base/awaitable.ts";
import { SECOND } from "../base/time.ts";
import { notify } from "../events.ts";
import { idleTimeoutMs } from "../engine/expiry.ts";
import type { TakeoverConfig } from "../engine/foreign.ts";
import { encodeMeta } from "../engine/ticketed/meta.ts";
import { type CheckedRow, checkRow } from "../engine/ticketed/row.ts";
import { badAnswer, callStore, type StoreCallOptions } from "../store/call.ts";
import { callsInFlightOf } from "../store/calls-in-flight.ts";
import type { SessionChange } from "../store/contract.ts";
import type { MappedData } from "./reader.ts";

/** Where the other library keeps its sessions. */
export interface ForeignRows {
  /** What it keeps of a session that lives: JSON, or what that says; null or undefined: nothing. */
  load(id: string): Awaitable<unknown>;
  /** Removes it; no error where there is nothing. */
  delete(id: string): Awaitable<unknown>;
}

/** An old session that a request's cookie names. */
export interface OldSession {
  readonly id: string;
  /** The selector of its row here. */
  readonly selector: string;
}

/** The revision with which a row is created. */
const PENDING = 1;
/** Each round but the last finds what another request has done; so many at once there are not. */
const ROUNDS = 10;
const nothing: ReadonlyMap<string, string> = new Map();

/** Takes the sessions of one store over for one engine. */
export class Takeover {
  readonly #config: TakeoverConfig;
  readonly #rows: ForeignRows;
  readonly #decode: (stored: unknown) => MappedData | undefined;
  /** The calls of the other library's store are counted apart from those of ours. */
  readonly #calls: StoreCallOptions;

  /** @param decode - the data of an old session; undefined: it is none. */
  constructor(
    config: TakeoverConfig,
    rows: ForeignRows,
    decode: (stored: unknown) => MappedData | undefined,
  ) {
    this.#config = config;
    this.#rows = rows;
    this.#decode = decode;
    const { storeTimeoutMs, on } = config;
    this.#calls = { storeTimeoutMs, on, inFlight: callsInFlightOf(rows) };
  }

  /** Sees to it that the old session's row is there and confirmed, if there is such a session. */
  settle(old: OldSession, rounds: number = ROUNDS): Awaitable<unknown> {
    if (rounds === 0) {
      const message = `a session's row was another one ${ROUNDS} times in a row`;
      throw badAnswer(this.#config, "save", message);
    }
    return chain(this.#load(old), (row) => {
      if (row !== undefined && row.rev > PENDING) return this.#deleteOld(old);
      return chain(this.#loadOld(old), (found) => {
        if (found === undefined) return row && this.#removePending(old);
        const next = row === undefined ? this.#create(old, found) : this.#confirm(old, row);
        return chain(next, () => this.settle(old, rounds - 1));
      });
    });
  }

  /** Ends the old sessions where they came from, before their rows here end. */
  end(olds: readonly OldSession[]): Awaitable<unknown> {
    return tryAll(olds, (old) => this.#deleteOld(old));
  }

  #create({ selector }: OldSession, { data, skipped }: MappedData): Awaitable<unknown> {
    const { sessionExpires, cookieExpires, absoluteExpires, on } = this.#config;
    const created = Math.floor(this.#config.now() / SECOND) * SECOND;
    const deadline = created + absoluteExpires * SECOND;
    const change: SessionChange = {
      op: "create",
      set: data,
      del: [],
      ttl: idleTimeoutMs(sessionExpires, cookieExpires),
      deadline,
      meta: encodeMeta({ created, deadline, barriers: 0, barrierAt: 0, boundAt: 0 }),
    };
    return chain(this.#save(selector, change), (saved) => {
      if (saved === undefined) return;
      notify(on, "created", { id: selector });
      if (skipped.length > 0) notify(on, "skipped", { id: selector, keys: skipped });
    });
  }

  #confirm({ selector }: OldSession, row: CheckedRow): Awaitable<unknown> {
    const { deadline } = row.notes;
    const same = { set: nothing, del: [], ttl: 0, deadline, meta: row.meta };
    // Whatever carries the engine's notes raises the revision (S5).
    return this.#save(selector, { op: "update", rev: row.rev, ...same });
  }

  #removePending(old: OldSession): Awaitable<unknown> {
    // ORDER: looked at once more, behind the old session's end: it may have been confirmed before that.
    return chain(this.#load(old), (row) => {
      if (row === undefined || row.rev > PENDING) return undefined;
      const change = { op: "destroy", set: nothing, del: [], ttl: 0, deadline: Infinity } as const;
      return this.#save(old.selector, change);
    });
  }

  #load({ selector }: OldSession): Awaitable<CheckedRow | undefined> {
    const { store } = this.#config;
    return chain(
      callStore<unknown>(this.#config, "load", () => store.load(selector), selector),
      checkRow,
    );
  }

  #save(selector: string, change: SessionChange): Awaitable<unknown> {
    const { store } = this.#config;
    return callStore<unknown>(this.#config, "save", () => store.save(selector, change), selector);
  }

  #loadOld({ id, selector }: OldSession): Awaitable<MappedData | undefined> {
    // Observers get our handle: the old session's id is its credential.
    const stored = callStore(this.#calls, "load", () => this.#rows.load(id), selector);
    return chain(stored, (found) => {
      if (found === undefined || found === null) return undefined;
      const session = this.#decode(found);
      if (session === undefined) notify(this.#config.on, "rejected", { reason: "malformed" });
      // A session in which nothing is kept is none: law L6.
      const isEmpty = session?.data.size === 0 && session.skipped.length === 0;
      return isEmpty ? undefined : session;
    });
  }

  #deleteOld({ id, selector }: OldSession): Awaitable<unknown> {
    return callStore(this.#calls, "save", () => this.#rows.delete(id), selector);
  }
}
