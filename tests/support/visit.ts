// A project that `init` wrote, started as its own `npm start` does and visited over HTTP.
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "./servers/process.ts";

/** What two visits of one client get. */
export async function visitTwice(
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<{ bodies: string[]; setCookie: string; elsewhere: number }> {
  const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
    scripts: { start: string };
  };
  const [, ...args] = manifest.scripts.start.split(" ");
  const port = await freePort();
  const server = spawn(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env["PATH"], PORT: String(port), ...environment },
  });
  let output = "";
  const started = new Promise<void>((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes("http://localhost:")) resolve();
    };
    server.stdout.on("data", listen);
    server.stderr.on("data", listen);
    server.once("exit", () => reject(new Error(output)));
  });
  try {
    await started;
    // An address of this machine that "localhost" isn't: servers in containers are visited by another.
    const url = `http://127.0.0.2:${port}/`;
    const first = await fetch(url);
    const setCookie = first.headers.getSetCookie()[0] ?? "";
    const cookie = setCookie.split(";", 1)[0] ?? "";
    const icon = await fetch(`${url}favicon.ico`, { headers: { cookie } });
    const second = await fetch(url, { headers: { cookie } });
    const bodies = [await first.text(), await second.text()];
    return { bodies, setCookie, elsewhere: icon.status };
  } finally {
    server.kill("SIGKILL");
  }
}
