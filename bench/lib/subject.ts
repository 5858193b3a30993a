// The one shape of everything that is measured. A file in bench/subjects holds the subjects of one
// package or scheme; README.md of this folder tells how to write one.
import { readdirSync } from "node:fs";
import type { Pairs } from "./data.ts";

/** A value now or later, as the subject's own interface gives it: nothing is made asynchronous. */
export type Awaitable<T> = T | Promise<T>;

/** A sealed session, there and back. Everything that can be made once is made before. */
export interface SealScheme {
  /** A fresh cookie value of the session. */
  readonly seal: () => Awaitable<string>;
  /** The session's "name" from a cookie value. */
  readonly open: (value: string) => Awaitable<string | undefined>;
}

/** The hosts, as docs and results call them. */
export const hostNames = ["node", "express", "fastify", "koa", "hono", "h3", "fetch"] as const;
/** One of the seven hosts. */
export type HostName = (typeof hostNames)[number];

/**
 * What clients do: ask for the session with one cookie, or with another one each time, change it,
 * ask for it without a cookie, or get a page that leaves the session alone, with and without one.
 */
export const modes = ["read", "fresh", "write", "anonymous", "idle", "passing"] as const;
/** One of them. */
export type Mode = (typeof modes)[number];

/** A server that listens on a loopback port with the routes of http/hosts. */
export interface BenchServer {
  readonly port: number;
}

/** Server-side sessions by their ids. */
export interface RowScheme {
  /** Stores a new session. */
  readonly create: (id: string, pairs: Pairs) => Awaitable<unknown>;
  /** The session's "name". */
  readonly get: (id: string) => Awaitable<string | undefined>;
  /** What a request that changes "csrf" does with a session that it has read. */
  readonly change: (id: string, csrf: string) => Awaitable<unknown>;
  /** Bytes that went to the store, where no socket tells them. */
  readonly bytes?: () => number;
  /** Lets go of the service. */
  readonly close?: () => Awaitable<unknown>;
}

/** A server that the benchmarks start; undefined: the store needs none. */
export type Service = "redis" | "memcached" | "postgres" | "mariadb";

/** A store over a service. */
interface RowStore {
  readonly service: Service | undefined;
  /**
   * @param port - the service's.
   * @param url - the same with what else a client needs, where it needs more.
   */
  readonly open: (port: number, url: string) => Awaitable<RowScheme>;
}

/** A peer, a scheme or ours. */
export interface Subject {
  /** As tables call it. */
  readonly name: string;
  /** "limit": what nothing that encrypts can beat; "none": the host without any session. */
  readonly kind: "limit" | "none" | "ours" | "peer";
  /** The packages whose versions the results name. */
  readonly packages?: readonly string[];
  /** What a reader has to know to compare it, such as "signed, not encrypted". */
  readonly note?: string;
  readonly seal?: (pairs: Pairs) => Awaitable<SealScheme>;
  readonly http?: Partial<Record<HostName, () => Promise<BenchServer>>>;
  /** What it is measured for over HTTP, where that isn't said by its kind. */
  readonly modes?: readonly Mode[];
  /** On Express over the Redis of this port. */
  readonly redis?: (port: number) => Promise<BenchServer>;
  /** In memory; made for as many sessions as come. */
  readonly memory?: () => Awaitable<RowScheme>;
  /** How many bytes a change takes to the store. */
  readonly growth?: RowStore;
}

const folder = new URL("../subjects/", import.meta.url);

/** All subjects, by name; the limits and ours come first. */
export async function loadSubjects(): Promise<Map<string, Subject>> {
  const order = { none: 0, limit: 1, ours: 2, peer: 3 } as const;
  const files = readdirSync(folder).filter((file) => file.endsWith(".js"));
  const modules = await Promise.all(
    files.toSorted().map(async (file) => {
      return (await import(new URL(file, folder).href)) as { subjects: readonly Subject[] };
    }),
  );
  const all = modules.flatMap(({ subjects }) => subjects);
  all.sort((one, other) => order[one.kind] - order[other.kind]);
  return new Map(all.map((subject) => [subject.name, subject]));
}
