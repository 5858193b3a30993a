// Engines with one fault each in what an exact step does: a change of their own source. Law L13's cases
// must catch every one.

/** One fault of the engine. */
export interface EngineMutant {
  readonly fault: string;
  readonly caughtBy: string;
  /** The file, from src on. */
  readonly file: string;
  /** What stands there, and what the mutant has instead. */
  readonly edits: readonly (readonly [string, string])[];
}

/** The mutants. */
export const engineMutants: readonly EngineMutant[] = [
  {
    fault: "tries again with the value that it made from the old one",
    caughtBy:
      "L13 update: it sees the write that came between, and keeps the request's other changes",
    file: "engine/ticketed/exact.ts",
    edits: [
      [
        "const before = map.state;",
        "const before = map.state; let made: string | null | undefined;",
      ],
      ["map.edit(key, edit);", "map.edit(key, (held) => (made ??= edit(held)));"],
    ],
  },
  {
    fault: "doesn't take back a change that was refused",
    caughtBy:
      "L13 update: it sees the write that came between, and keeps the request's other changes",
    file: "engine/ticketed/exact.ts",
    edits: [["since = map.change;\n    map.restore(before);", "since = map.change;"]],
  },
  {
    fault: "expects nothing",
    caughtBy:
      "L13 update: it sees the write that came between, and keeps the request's other changes",
    file: "engine/ticketed/exact.ts",
    edits: [["? save(expected)", "? save(undefined)"]],
  },
  {
    fault: "believes what the step before it has left",
    caughtBy: "L13 race: of updates at once, on two processes, each sees the one before it",
    file: "engine/ticketed/exact.ts",
    edits: [["? save(expected)", "? save(hint === undefined ? expected : undefined)"]],
  },
  {
    fault: "tries one again that came before a clear",
    caughtBy: "L13 clear: one from before a clear is the host's 409, and nothing of it is saved",
    file: "engine/ticketed/row-writer.ts",
    edits: [
      [
        "if (!mayResend(update, row, now)) return undefined;",
        "if (update.expect === undefined && !mayResend(update, row, now)) return undefined;",
      ],
    ],
  },
  {
    fault: "calls one saved that came before a logout",
    caughtBy: "L13 destroy: one from before a logout is the host's 409, and brings nothing back",
    file: "engine/ticketed/exact.ts",
    edits: [
      ['if (refusal === "stale") return refusal;', 'if (refusal === "stale") return undefined;'],
    ],
  },
  {
    fault: "gives what a take saw first, and not what it removed",
    caughtBy: "L13 take: of requests at once, on two processes, one gets the value",
    file: "session/exact.ts",
    edits: [["taken = held;", "taken ??= held;"]],
  },
];
