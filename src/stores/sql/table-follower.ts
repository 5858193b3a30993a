// The follower of a log in a SQL table, which its application can make.
import { type FollowSettings, RevocationFollower } from "../../revocations/follower.ts";
import type { RevocationLog, Revocations } from "../../revocations/revocations.ts";

/** Revocations that can make their own table. */
export interface TableRevocations extends Revocations {
  /** Makes the table and its indexes where they aren't there; safe at every start of every process. */
  createTable(): Promise<void>;
}

/** Follows one log, and hands on `createTable`. */
export class TableFollower extends RevocationFollower implements TableRevocations {
  readonly #log: Pick<TableRevocations, "createTable">;

  constructor(log: RevocationLog & Pick<TableRevocations, "createTable">, options: FollowSettings) {
    super(log, options);
    this.#log = log;
  }

  createTable(): Promise<void> {
    return this.#log.createTable();
  }
}
