// Finds a request's session in a server-side store: from the keys of its Cookie header to the row
// that lives.
import { findCookies } from "../../cookie/find.ts";
import { Tries } from "../../cookie/tries.ts";
import type { SigningKeyring } from "../../crypto/keyring.ts";
import { recover, chain, tryAll, type Awaitable } from "../../base/awaitable.ts";
import type { ResolvedConfig } from "../config.ts";
import { notify, type RejectedReason } from "../../events.ts";
import { isInGrace } from "../../base/time.ts";
import { MAX_SKEW } from "../../base/time.ts";
import type { Finder } from "../keeper.ts";
import { KeyOpener, type OpenedKey } from "./key.ts";
import { KeyedKeeper } from "./keeper.ts";
import { type CheckedRow, checkRow } from "./row.ts";
import { callStore, isBorne } from "../../store/call.ts";

/** A row with the key that found it. */
interface Candidate {
  readonly key: OpenedKey;
  readonly row: CheckedRow;
  readonly grace: boolean;
}

/** Finds the sessions of one configuration. */
export class KeyedFinder implements Finder {
  readonly #config: ResolvedConfig;
  readonly #ring: SigningKeyring;
  readonly #keys: KeyOpener;

  constructor(config: ResolvedConfig, ring: SigningKeyring) {
    this.#config = config;
    this.#ring = ring;
    this.#keys = new KeyOpener(ring, config.name);
  }

  find(header: string): Awaitable<KeyedKeeper> {
    const keeper = new KeyedKeeper(this.#config, this.#ring);
    const keys = header === "" ? [] : this.#openKeys(header);
    const [first] = keys;
    if (first === undefined) return keeper;
    const selectors = selectorsOf(keys);
    const settle = (rows: readonly (CheckedRow | undefined)[]): KeyedKeeper => {
      const found = keys.flatMap((key) => {
        const row = rows[selectors.indexOf(key.selector)];
        return row === undefined ? [] : this.#match(key, row);
      });
      const best = pickNewest(found);
      if (best === undefined) {
        keeper.claim(first);
        return keeper;
      }
      keeper.adopt(best.key, best.row, best.grace, selectorsOf(found.map(({ key }) => key)));
      if (!best.grace) notify(this.#config.on, "opened", { id: best.key.selector });
      return keeper;
    };
    return recover(
      () =>
        chain(
          tryAll(selectors, (selector) => this.#load(selector)),
          settle,
        ),
      (error) => {
        if (!isBorne(this.#config, error)) throw error;
        keeper.shut(first, selectors);
        return keeper;
      },
    );
  }

  #openKeys(header: string): OpenedKey[] {
    const keys: OpenedKey[] = [];
    const tries = new Tries();
    for (const text of findCookies(header, this.#config.name)) {
      if (!tries.areLeft) break;
      // ORDER: the tag is checked before the store is asked, so that nobody can guess at rows.
      const key = this.#keys.open(text);
      if (typeof key === "string") {
        if (tries.refused(key)) this.#reject(key);
        continue;
      }
      tries.verified();
      keys.push(key);
    }
    return keys;
  }

  #load(selector: string): Awaitable<CheckedRow | undefined> {
    const { store } = this.#config;
    const answer = callStore<unknown>(this.#config, "load", () => store.load(selector));
    return chain(answer, (row) => {
      if (row === undefined || row === null) return this.#reject("unknown");
      const checked = checkRow(row);
      if (checked === undefined) return this.#reject("malformed");
      const end = Math.min(checked.expires, checked.notes.deadline);
      // Law L10, even if the store's clock runs behind ours.
      return end + MAX_SKEW <= this.#config.now() ? this.#reject("expired") : checked;
    });
  }

  /** Whether the key is the row's, or the one before it within the grace of law L4. */
  #match(key: OpenedKey, row: CheckedRow): Candidate[] {
    if (key.generation === row.generation) return [{ key, row, grace: false }];
    const since = this.#config.now() - row.notes.barrierAt;
    if (key.generation === row.generation - 1 && isInGrace(since)) {
      return [{ key, row, grace: true }];
    }
    this.#reject("retired");
    return [];
  }

  #reject(reason: RejectedReason): undefined {
    notify(this.#config.on, "rejected", { reason });
    return undefined;
  }
}

/** Of several sessions that live, the one that was created last; one in its grace comes last. */
function pickNewest(found: readonly Candidate[]): Candidate | undefined {
  let best: Candidate | undefined;
  for (const candidate of found) {
    if (best === undefined || isBetter(candidate, best)) best = candidate;
  }
  return best;
}

function selectorsOf(keys: readonly OpenedKey[]): string[] {
  return [...new Set(keys.map(({ selector }) => selector))];
}

function isBetter(one: Candidate, other: Candidate): boolean {
  if (one.grace !== other.grace) return !one.grace;
  return one.row.notes.created > other.row.notes.created;
}
