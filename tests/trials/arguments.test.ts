// How the long runs are asked for: a mistake is told with the way out, and never taken for a default.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { option, parse, UsageError } from "../../trials/lib/arguments.ts";

const options = {
  store: option.choice(["redis", "sqlite"], "a store"),
  runs: option.number(100, "runs"),
  seed: option.seed,
  host: option.texts("a host"),
  quick: option.flag("a look"),
};

describe("a command line", () => {
  test("gives each option its kind, and what isn't there its usual value", () => {
    const asked = parse(["--store", "redis", "--seed", "7", "--host", "a", "--host", "b"], options);
    expect(asked).toEqual({
      store: "redis",
      runs: 100,
      seed: 7,
      host: ["a", "b"],
      quick: false,
      names: [],
    });
    const { store, seed, host, quick } = parse(["--quick"], options);
    expect({ store, host, quick }).toEqual({ store: undefined, host: undefined, quick: true });
    expect(Number.isInteger(seed)).toBe(true);
  });

  test.each([
    [["--nope"], "Unknown option '--nope'"],
    [["--stor", "redis"], "Unknown option '--stor'"],
    [["--store", "mysql"], '--store: "mysql" is none of redis, sqlite'],
    [["--runs", "many"], '--runs: "many" is no whole number'],
    [["--runs", ""], '--runs: "" is no whole number'],
    [["--runs"], "Option '--runs <value>' argument missing"],
    [["redis"], "Unexpected argument 'redis'"],
  ])("refuses %j", (given, message) => {
    expect(() => parse(given, options)).toThrow(UsageError);
    expect(() => parse(given, options)).toThrow(message);
  });

  test("takes names from a list where there is one", () => {
    const names = { about: "what runs", of: ["22", "foreign"] };
    expect(parse(["22", "foreign"], {}, names).names).toEqual(["22", "foreign"]);
    expect(() => parse(["23"], {}, names)).toThrow('"23" is none of 22, foreign');
  });
});

test("CONTRIBUTING lists every command but those that are steps of another", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const page = readFileSync("CONTRIBUTING.md", "utf8");
  const listed = new Set([...page.matchAll(/^npm run ([\w:-]+)/gm)].map(([, name]) => name));
  expect([...listed].filter((name) => name === undefined || !(name in scripts))).toEqual([]);
  const isStep = (name: string): boolean =>
    name.startsWith("check") || ["build", "test", "format:check", "prepack"].includes(name);
  expect(Object.keys(scripts).filter((name) => !isStep(name) && !listed.has(name))).toEqual([]);
});
