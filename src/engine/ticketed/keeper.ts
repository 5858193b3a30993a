// Keeps the session of a server-side store: the client holds a ticket, the store a row with the data.
// Saves the request's change under the fence that it loaded, and decides on sending the ticket.
import { chain, type Awaitable } from "../../base/awaitable.ts";
import type { TicketedConfig } from "../config.ts";
import type { CredentialFormat } from "../dialect.ts";
import type { Draft } from "../draft.ts";
import { type ConflictReason, notify, type RefusedReason } from "../../events.ts";
import { type RenewalState, renewalDue } from "../expiry.ts";
import type { BroughtSessions } from "../foreign.ts";
import { type Found, type ReadOnlyReason, unavailable } from "../found.ts";
import type { Keeper } from "../keeper.ts";
import { type OpenedTicket, sealTicket } from "./ticket.ts";
import type { Decision } from "../lifecycle.ts";
import type { Edit } from "../map.ts";
import type { Lane, Lanes } from "./lanes.ts";
import { encodeMeta } from "./meta.ts";
import type { CheckedRow } from "./row.ts";
import { exactStep, type Expected, type Hint } from "./exact.ts";
import { type KnownRow, Mismatch, RowWriter } from "./row-writer.ts";
import { notesAfter } from "./row-update.ts";
import { isExact, type SealedWrite, type SessionChange } from "../../store/contract.ts";
import { warnOfInexactUpdates } from "../../store/races.ts";

const noData: ReadonlyMap<string, string> = new Map();

/** The keeper of one request's session over a server-side store. */
export class TicketedKeeper implements Keeper {
  readonly savesAlone = true;
  readonly uncarried = undefined;
  readonly #config: TicketedConfig;
  readonly #lanes: Lanes<Hint>;
  readonly #rows: RowWriter;
  /** A drop-in's format of the credential; undefined: our ticket. */
  readonly #format: CredentialFormat | undefined;
  #selector: string | undefined;
  /** The row as last known; undefined: the session isn't stored. */
  #row: KnownRow | undefined;
  /** The client's ticket, if it is ours; only then may its cookie be expired. */
  #ticket: OpenedTicket | undefined;
  /** The rows of the request's tickets: `destroy()` ends them all. */
  #brought: readonly string[] = [];
  /** Sessions of another library that the request brought, too. */
  #foreign: BroughtSessions | undefined;
  #found: Found | undefined;
  #ticketIsDue = false;
  #isDestroyed = false;

  constructor(config: TicketedConfig, lanes: Lanes<Hint>, format: CredentialFormat | undefined) {
    this.#config = config;
    this.#lanes = lanes;
    this.#format = format;
    this.#rows = new RowWriter(config, format?.mint);
  }

  /**
   * Takes over the row of the client's ticket; in the grace of law L4, read-only.
   * @param brought - the selectors of the rows of all the request's tickets.
   */
  adopt(ticket: OpenedTicket, row: CheckedRow, grace: boolean, brought: readonly string[]): void {
    this.claim(ticket);
    this.#brought = brought;
    this.#selector = ticket.selector;
    this.#row = { selector: ticket.selector, ...row };
    const { data, notes } = row;
    const readOnly: ReadOnlyReason | undefined = grace ? "grace" : undefined;
    this.#found = { data, created: notes.created, lifetime: notes, readOnly };
  }

  /** Notes that the client's ticket is ours, even if its row is gone. */
  claim(ticket: OpenedTicket): void {
    this.#ticket = ticket;
  }

  /** The store didn't answer: the session reads as empty, and can only be destroyed (law L9). */
  markUnavailable(ticket: OpenedTicket, brought: readonly string[]): void {
    this.claim(ticket);
    this.#brought = brought;
    this.#selector = ticket.selector;
    this.#found = unavailable;
  }

  get hasCredential(): boolean {
    return this.#ticket !== undefined;
  }

  /** Takes sessions of another library along: their cookies go with the next ticket, and at a logout. */
  bring(sessions: BroughtSessions): void {
    this.#foreign = sessions;
    this.#brought = [...new Set([...this.#brought, ...sessions.selectors])];
  }

  get id(): string {
    return (this.#selector ??= this.#rows.mint());
  }

  get isStored(): boolean {
    return this.#row !== undefined;
  }

  get expires(): number {
    return this.#row?.expires ?? Infinity;
  }

  get deadline(): number | undefined {
    return this.#row?.notes.deadline;
  }

  get broken(): Error | undefined {
    return this.#rows.broken;
  }

  load(): Found | undefined {
    return this.#found;
  }

  renewal({ ttl, maxAge }: Draft): RenewalState {
    const row = this.#row;
    const deadline = row?.notes.deadline ?? Infinity;
    return { issued: this.#ticket?.issued ?? 0, expires: row?.expires ?? 0, deadline, ttl, maxAge };
  }

  save(draft: Draft): Awaitable<RefusedReason | undefined> {
    return this.#row === undefined ? this.#create(draft) : this.#update(draft, this.#row, false);
  }

  exact(draft: Draft, key: string, edit: Edit): Awaitable<ConflictReason | undefined> {
    const row = this.#row;
    if (row === undefined) {
      // No other request knows of it yet.
      draft.map.edit(key, edit);
      return draft.changed && !draft.isEmpty ? this.#create(draft) : undefined;
    }
    const { store } = this.#config;
    if (!isExact(store)) warnOfInexactUpdates(store);
    const step = (lane?: Lane<Hint>, came = 0): Promise<ConflictReason | undefined> =>
      exactStep(
        draft,
        row.rev,
        key,
        edit,
        (expect) => this.#update(draft, row, false, expect),
        lane,
        came,
      );
    return draft.map.decides(key) ? step() : this.#lanes.run(`${row.selector} ${key}`, step);
  }

  /**
   * After a save of unknown outcome the next generation's ticket doesn't go out with the error: an
   * attacker who knows the old ticket could collect it before the victim's own regenerate (law L4).
   */
  regenerate(draft: Draft): Awaitable<RefusedReason | undefined> {
    return this.#row === undefined ? undefined : this.#update(draft, this.#row, true);
  }

  close(draft: Draft, decision: Decision): Awaitable<RefusedReason | undefined> {
    if (decision === "resend") this.#ticketIsDue = true;
    if (decision === "renew") return this.#renew(draft);
    return decision === "create" || decision === "update" ? this.save(draft) : undefined;
  }

  destroy(): Awaitable<unknown> {
    // An id that was only read belongs to no row.
    const made = this.#row === undefined ? [] : [this.id];
    const destroy = (): Awaitable<unknown> =>
      this.#rows.destroy([...new Set([...made, ...this.#brought])]);
    // ORDER: before ours, or another request could take them over once more in between.
    const done = this.#foreign === undefined ? destroy() : chain(this.#foreign.end(), destroy);
    return chain(done, () => {
      this.#isDestroyed = true;
      this.#row = undefined;
    });
  }

  forget(): void {
    this.#row = this.#selector = undefined;
    this.#ticketIsDue = false;
  }

  due(): SealedWrite | undefined {
    const { name, signing } = this.#config;
    const theirs = this.#foreign?.names ?? [];
    if (this.#isDestroyed) return this.#ticket && { set: [], expire: [name, ...theirs] };
    const selector = this.#selector;
    const isDue = this.#ticketIsDue || this.#foreign !== undefined;
    if (!isDue || this.#row === undefined || selector === undefined) return undefined;
    const { generation } = this.#row;
    const row = { selector, generation, issued: this.#config.now() };
    const value = this.#format?.seal(row) ?? sealTicket(signing, name, row);
    return { set: [{ name, value }], expire: theirs };
  }

  #create(draft: Draft): Awaitable<undefined> {
    const now = this.#config.now();
    const { binding, created, deadline, lifetime, ttl } = draft;
    const first = { created, deadline, barriers: 0, barrierAt: 0, boundAt: 0 };
    const notes = notesAfter(first, { clear: false, bump: false, binding, lifetime, now });
    const change: SessionChange = {
      op: "create",
      // Nothing was loaded, so the set keys are the whole session.
      set: draft.map.settle().set,
      del: [],
      ttl,
      deadline,
      meta: encodeMeta(notes),
      ...(binding !== undefined && { subject: binding.subject }),
    };
    return chain(this.#rows.insert(this.id, change, notes), (row) => {
      this.#selector = row.selector;
      draft.settleNotes(binding, lifetime, notes);
      this.#row = row;
      this.#ticketIsDue = true;
      notify(this.#config.on, "created", { id: this.id });
      notify(this.#config.on, "committed", { id: this.id });
      return undefined;
    });
  }

  #update(draft: Draft, row: KnownRow, bump: boolean): Awaitable<"stale" | undefined>;
  #update(
    draft: Draft,
    row: KnownRow,
    bump: boolean,
    expect: Expected,
  ): Awaitable<"stale" | Mismatch | undefined>;
  #update(
    draft: Draft,
    row: KnownRow,
    bump: boolean,
    expect?: Expected,
  ): Awaitable<"stale" | Mismatch | undefined> {
    const now = this.#config.now();
    const { binding, changed, lifetime, lifetimeChanged } = draft;
    const renews =
      draft.renewsNow || renewalDue(this.renewal(draft), this.#config.renewAfter, now) !== "none";
    const { premises } = draft.map;
    const { clear, set, del } = draft.map.settle();
    // The ends of the row and of the cookie move together, or a browser would drop a live session's cookie.
    const ttl = clear || bump || renews || lifetimeChanged ? draft.ttl : 0;
    const chosen = lifetimeChanged ? lifetime : undefined;
    const notes = { binding, lifetime: chosen };
    const update = { clear, bump, set, del, ttl, ...notes, expect, premises, now };
    return chain(this.#rows.update(row, update), (applied) => {
      if (applied === undefined) return "stale";
      if (applied instanceof Mismatch) return applied;
      this.#ticketIsDue ||= ttl > 0 || this.#ticket?.current === false;
      draft.settleNotes(binding, lifetime, applied.notes);
      this.#row = applied;
      if (bump) notify(this.#config.on, "regenerated", { id: this.id });
      if (changed) notify(this.#config.on, "committed", { id: this.id });
      if (renews && !bump) notify(this.#config.on, "renewed", { id: this.id });
      return undefined;
    });
  }

  #renew({ ttl }: Draft): Awaitable<undefined> {
    const row = this.#row;
    if (row === undefined) return undefined;
    const { deadline } = row.notes;
    const change = { op: "update", rev: row.rev, set: noData, del: [], ttl, deadline } as const;
    return chain(this.#rows.save(row.selector, change), (saved) => {
      // A renewal that lost a race needs no refusal: the winner renewed or ended the session.
      if (saved === undefined) return undefined;
      this.#row = { ...row, ...saved };
      this.#ticketIsDue = true;
      notify(this.#config.on, "renewed", { id: this.id });
      return undefined;
    });
  }
}
