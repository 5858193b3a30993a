// The list of revocations in memory: the part of a log's records that tells a dead session from a live
// one. It knows no log and no clock.
import { isInGrace, SECOND } from "../base/time.ts";
import { mergeRecords, type RevocationRecord } from "./revocations.ts";
import type { RevocableSession, RevocationVerdict } from "../store/contract.ts";

/** All records that are still needed; a million of them is usual. */
export class DeadList {
  /** By id, the end of each record in whole Unix seconds, which V8 stores without an object. */
  readonly #sessions = new Map<string, number>();
  readonly #credentials = new Map<string, number>();
  /** Credentials that were retired lately, with the instant in Unix milliseconds, in order of arrival. */
  readonly #graces = new Map<string, number>();
  readonly #subjects = new Map<string, RevocationRecord>();
  #sweeping: Generator<undefined, void, number> | undefined;

  /** How many sessions, credentials and subjects are listed. */
  get size(): number {
    return this.#sessions.size + this.#credentials.size + this.#subjects.size;
  }

  /** Adds a record; adding it again changes nothing. */
  add(record: RevocationRecord, now: number): void {
    const { kind, id } = record;
    if (record.until <= now) return;
    if (kind === "subject") {
      const known = this.#subjects.get(id);
      this.#subjects.set(id, known === undefined ? record : mergeRecords(known, record));
      return;
    }
    const until = Math.ceil(record.until / SECOND);
    const list = kind === "session" ? this.#sessions : this.#credentials;
    if (until <= (list.get(id) ?? 0)) return;
    list.set(id, until);
    if (kind === "credential" && isInGrace(now - record.at) && !this.#graces.has(id)) {
      this.#graces.set(id, record.at);
    }
  }

  /** The verdict on a session; undefined: it isn't revoked. */
  verdict(session: RevocableSession, now: number): RevocationVerdict | undefined {
    const { id, subject } = session;
    if (this.#sessions.has(id)) return "revoked";
    const record = subject === undefined ? undefined : this.#subjects.get(subject);
    if (record !== undefined && isMeant(record, session)) return "revoked";
    const credential = session.credential ?? id;
    if (!this.#credentials.has(credential)) return undefined;
    const retiredAt = this.#graces.get(credential) ?? -Infinity;
    return isInGrace(now - retiredAt) ? "grace" : "retired";
  }

  /** True for a retired credential. */
  hasRetired(credential: string): boolean {
    return this.#credentials.has(credential);
  }

  /** The record of a subject; undefined: there is none. */
  recordOf(subject: string): RevocationRecord | undefined {
    return this.#subjects.get(subject);
  }

  /** Checks up to `steps` entries from where the last call ended, and drops those past their end. */
  sweep(now: number, steps: number): void {
    for (const [credential, retiredAt] of this.#graces) {
      if (isInGrace(now - retiredAt)) break;
      this.#graces.delete(credential);
    }
    for (let step = 0; step < steps; step++) {
      this.#sweeping ??= this.#dropExpired();
      if (this.#sweeping.next(now).done !== true) continue;
      this.#sweeping = undefined;
      return;
    }
  }

  /** Checks one entry a step; each `next` gets the time. */
  *#dropExpired(): Generator<undefined, void, number> {
    for (const list of [this.#sessions, this.#credentials]) {
      for (const [id, until] of list) if (until * SECOND <= (yield)) list.delete(id);
    }
    for (const [id, { until }] of this.#subjects) if (until <= (yield)) this.#subjects.delete(id);
  }
}

function isMeant(record: RevocationRecord, { id, boundAt = 0 }: RevocableSession): boolean {
  return boundAt <= record.exceptBefore || (boundAt <= record.before && record.except !== id);
}
