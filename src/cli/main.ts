#!/usr/bin/env node
// `kocha-session`: finds the command and gives its exit code. Each command is a module of its own.
import { readFileSync } from "node:fs";
import { demo } from "./demo.ts";
import { doctor } from "./doctor.ts";
import { init } from "./init.ts";
import { inspect } from "./inspect.ts";
import { keygen } from "./keygen.ts";
import { type Command, type Terminal, terminal, UsageFault } from "./terminal.ts";

const commands: readonly Command[] = [keygen, init, inspect, doctor, demo];

const overview = `kocha-session <command>

${commands.map(({ name, summary }) => `  ${name.padEnd(9)} ${summary}`).join("\n")}

  --help     what a command takes; kocha-session <command> --help
  --version  this version

Exit codes: 0 all is well, 1 something was found or failed, 2 it was called wrongly.
`;

/** Runs a command line, without the program's own name; gives the exit code. */
export async function run(args: readonly string[], out: Terminal): Promise<number> {
  const [first, ...rest] = args;
  if (first === "--version") {
    const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
    out.print((JSON.parse(manifest) as { version: string }).version);
    return 0;
  }
  if (first === undefined || first === "--help" || first === "-h" || first === "help") {
    out.print(overview);
    return first === undefined ? 2 : 0;
  }
  const command = commands.find(({ name }) => name === first);
  if (command === undefined) {
    out.complain(`there is no command of that name\n\n${overview}`);
    return 2;
  }
  if (rest.includes("--help") || rest.includes("-h")) {
    out.print(command.help);
    return 0;
  }
  try {
    return await command.run(rest, out);
  } catch (error) {
    if (!(error instanceof UsageFault)) throw error;
    out.complain(`${error.message}\n\n${command.help}`);
    return 2;
  }
}

const code = await run(process.argv.slice(2), terminal());
// A configuration that doctor has loaded holds its connections open; all that was printed goes out first.
process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
