/** The names of the proofs. */
export type ProofName = "clicks" | "logout" | "copy";

/** What the last step of a proof answers. */
export interface Answer {
  /** Lines of the cart. */
  readonly kept?: number;
  /** The counter; undefined where the store has no exact steps. */
  readonly counted?: number | undefined;
  /** Who is logged in; "" for nobody. */
  readonly name?: string;
  /** The reason that the library gave for refusing the cookie. */
  readonly refused?: string | undefined;
}

/** The outcome of a column, in words. */
export interface Verdict {
  readonly isGood: boolean;
  readonly text: string;
  readonly detail?: string;
}

/** Makes a POST request to a step of the column; gives the JSON of its answer. */
export type Send = (step: string, form?: Readonly<Record<string, string>>) => Promise<Answer>;

export declare const proofs: Readonly<
  Record<ProofName, (send: Send, run: string) => Promise<Answer>>
>;
export declare function verdictOf(proof: ProofName, answer: Answer): Verdict;
