// What `npm run bench` is asked for. It is read before anything is installed, and again by what measures.
import { option, readArguments } from "../trials/lib/arguments.ts";

/** The parts of a benchmark, in their order. */
export const parts = [
  "seal",
  "http",
  "redis",
  "memory",
  "growth",
  "import",
  "merge",
  "revocations",
  "eventloop",
] as const;

/** The name of a part. */
export type Part = (typeof parts)[number];

/** What is asked for; a mistake ends the process with a list of what there is. */
export function benchArguments() {
  const names = {
    about: "the parts that run, all unless given; page writes the page anew; profile a server",
    of: [...parts, "page", "profile"],
  };
  return readArguments(
    "bench",
    {
      quick: option.flag("a look instead of figures"),
      rounds: option.number(undefined, "rounds of each part"),
      host: option.texts("only this host"),
      subject: option.text("whom to profile; kocha-session unless given"),
      mode: option.text("what to profile; read unless given"),
    },
    names,
  );
}
