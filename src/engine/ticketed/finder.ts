// Finds a request's session in a server-side store: from the tickets of its Cookie header to the row
// that lives.
import { findCookies } from "../../cookie/find.ts";
import { Tries } from "../../cookie/tries.ts";
import { recover, chain, tryAll, type Awaitable } from "../../base/awaitable.ts";
import type { TicketedConfig } from "../config.ts";
import { notify, type RejectedReason } from "../../events.ts";
import { isInGrace, MAX_SKEW } from "../../base/time.ts";
import type { CredentialFormat } from "../dialect.ts";
import type { Finder, EngineParts } from "../keeper.ts";
import { Lanes } from "./lanes.ts";
import type { Hint } from "./exact.ts";
import { TicketOpener, type OpenedTicket } from "./ticket.ts";
import { TicketedKeeper } from "./keeper.ts";
import { type CheckedRow, checkRow } from "./row.ts";
import { callStore, isBorne } from "../../store/call.ts";

/** A live row with its ticket. */
interface Candidate {
  readonly ticket: OpenedTicket;
  readonly row: CheckedRow;
  readonly grace: boolean;
}

/** Finds the sessions of one configuration. */
export class TicketedFinder implements Finder {
  readonly #config: TicketedConfig;
  readonly #tickets: TicketOpener;
  readonly #lanes: Lanes<Hint>;

  constructor(config: TicketedConfig) {
    this.#config = config;
    this.#tickets = new TicketOpener(config.signing, config.name);
    this.#lanes = new Lanes(config.storeTimeoutMs);
  }

  find(header: string, parts: EngineParts): Awaitable<TicketedKeeper> {
    const tickets = header === "" ? [] : this.#openTickets(header, parts.dialect?.credential);
    return this.open(tickets, parts);
  }

  /**
   * The keeper of the sessions that these tickets stand for.
   * @param before - done for each selector before its row is loaded; absent: nothing.
   */
  open(
    tickets: readonly OpenedTicket[],
    parts: EngineParts,
    before?: (selector: string) => Awaitable<unknown>,
  ): Awaitable<TicketedKeeper> {
    const config = parts.config as TicketedConfig;
    const keeper = new TicketedKeeper(config, this.#lanes, parts.dialect?.credential);
    const [first] = tickets;
    if (first === undefined) return keeper;
    const selectors = selectorsOf(tickets);
    const choose = (rows: readonly (CheckedRow | undefined)[]): TicketedKeeper => {
      const found = tickets.flatMap((ticket) => {
        const row = rows[selectors.indexOf(ticket.selector)];
        return row === undefined ? [] : this.#match(ticket, row);
      });
      const best = pickNewest(found);
      if (best === undefined) {
        keeper.claim(first);
        return keeper;
      }
      keeper.adopt(
        best.ticket,
        best.row,
        best.grace,
        selectorsOf(found.map(({ ticket }) => ticket)),
      );
      if (!best.grace) notify(this.#config.on, "opened", { id: best.ticket.selector });
      return keeper;
    };
    return recover(
      () =>
        chain(
          tryAll(selectors, (selector) =>
            before === undefined
              ? this.#load(config, selector)
              : chain(before(selector), () => this.#load(config, selector)),
          ),
          choose,
        ),
      (error) => {
        if (!isBorne(this.#config, error)) throw error;
        keeper.markUnavailable(first, selectors);
        return keeper;
      },
    );
  }

  #openTickets(header: string, format: CredentialFormat | undefined): OpenedTicket[] {
    const tickets: OpenedTicket[] = [];
    const tries = new Tries();
    for (const text of findCookies(header, this.#config.name)) {
      if (!tries.areLeft) break;
      // ORDER: the tag is checked before the store is asked, so that nobody can guess at rows.
      const ticket = format === undefined ? this.#tickets.open(text) : format.open(text);
      if (typeof ticket === "string") {
        if (tries.refused(ticket)) this.#reject(ticket);
        continue;
      }
      tries.verified();
      tickets.push(ticket);
    }
    return tickets;
  }

  /** @param config - the request's. */
  #load(config: TicketedConfig, selector: string): Awaitable<CheckedRow | undefined> {
    const { store } = config;
    const answer = callStore<unknown>(config, "load", () => store.load(selector), selector);
    return chain(answer, (row) => {
      if (row === undefined || row === null) return this.#reject("unknown");
      const checked = checkRow(row);
      if (checked === undefined) return this.#reject("malformed");
      const end = Math.min(checked.expires, checked.notes.deadline);
      // Law L10, even if the store's clock runs behind ours.
      return end + MAX_SKEW <= this.#config.now() ? this.#reject("expired") : checked;
    });
  }

  /** The candidate if the ticket is the row's current one, or the one before in the grace of law L4. */
  #match(ticket: OpenedTicket, row: CheckedRow): Candidate[] {
    if (ticket.generation === row.generation) return [{ ticket, row, grace: false }];
    const since = this.#config.now() - row.notes.barrierAt;
    if (ticket.generation === row.generation - 1 && isInGrace(since)) {
      return [{ ticket, row, grace: true }];
    }
    this.#reject("retired");
    return [];
  }

  #reject(reason: RejectedReason): undefined {
    notify(this.#config.on, "rejected", { reason });
    return undefined;
  }
}

/** The live session that was created last; one in its grace only if there is no other. */
function pickNewest(found: readonly Candidate[]): Candidate | undefined {
  let best: Candidate | undefined;
  for (const candidate of found) {
    if (best === undefined || isBetter(candidate, best)) best = candidate;
  }
  return best;
}

function selectorsOf(tickets: readonly OpenedTicket[]): string[] {
  return [...new Set(tickets.map(({ selector }) => selector))];
}

function isBetter(one: Candidate, other: Candidate): boolean {
  if (one.grace !== other.grace) return !one.grace;
  return one.row.notes.created > other.row.notes.created;
}
