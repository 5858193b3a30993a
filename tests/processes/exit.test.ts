// What a program that uses sessions does at its end: nothing of ours keeps the process alive, and
// closing in the documented order loses no request. Each is a process of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import { repository, sourceFlags } from "../support/cli.ts";

/** Starts a module on the sources; its text comes by standard input. */
function start(program: string) {
  const child = spawn(process.execPath, [...sourceFlags, "--input-type=module", "-"], {
    cwd: repository,
    stdio: ["pipe", "pipe", "pipe"],
  });
  // A process that doesn't end by itself is what these tests are to catch: it isn't left behind.
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdin.end(program);
  const ended = once(child, "close") as Promise<[number | null, string | null]>;
  return { child, ended, err: text(child.stderr) };
}

/** A memory store with a session in it, whose sweeping has begun. */
const memoryInUse = `
  import { randomBytes } from "node:crypto";
  import { SessionMemoryStore } from "kocha-session";
  import { mintCookie } from "kocha-session/testing";
  const store = new SessionMemoryStore();
  const config = { store, secure: false, signingKey: randomBytes(32).toString("base64") };
  const cookie = await mintCookie(config, { a: "1" });
`;

describe("a process whose work is done ends by itself", () => {
  test.each([
    ["with a memory store that was never closed", memoryInUse],
    ["with one that was closed", `${memoryInUse} store.close();`],
    [
      "with one that was closed twice and used again",
      `${memoryInUse}
      store.close(); store.close(); await mintCookie(config, { b: "2" });`,
    ],
    [
      "after a store that never answered",
      `
      import { randomBytes } from "node:crypto";
      import { SessionMiddleware } from "kocha-session";
      import { mintCookie } from "kocha-session/testing";
      const never = new Promise(() => undefined);
      const store = { load: () => never, save: () => never };
      const signingKey = randomBytes(32).toString("base64");
      const code = await mintCookie({ store, signingKey, storeTimeout: 0.05 }, { a: "1" })
        .catch((error) => error.code);
      if (code !== "ERR_SESSION_STORE_TIMEOUT") process.exitCode = 1;`,
    ],
  ])("%s", async (_, program) => {
    const { ended, err } = start(program);
    expect(await err).toBe("");
    expect(await ended).toEqual([0, null]);
  });
});

test("SIGTERM: the server closes, the last request is saved and answered, the process ends", async () => {
  const { child, ended, err } = start(`${memoryInUse}
    import { createServer } from "node:http";
    import { withSession } from "kocha-session/node";
    import { readCookie } from "kocha-session/testing";
    const server = createServer(withSession(config, (request, response, session) => {
      console.log("in");
      process.once("SIGTERM", () => {
        // The request that was on its way when the signal came goes on to its end.
        session.set("a", "2");
        response.end("saved");
      });
    }));
    process.once("SIGTERM", () => {
      server.close(async () => {
        console.log("kept " + (await readCookie(config, cookie)).get("a"));
        store.close();
      });
    });
    server.listen(0, "127.0.0.1", () => console.log(server.address().port + " " + cookie));
  `);
  const lines = text(child.stdout);
  const [first] = (await once(child.stdout, "data")) as [Buffer];
  const [port = "", cookie = ""] = first.toString().trim().split(" ");
  const answer = fetch(`http://127.0.0.1:${port}`, { headers: { cookie, connection: "close" } });
  await once(child.stdout, "data");
  child.kill("SIGTERM");
  expect(await (await answer).text()).toBe("saved");
  expect(await err).toBe("");
  expect(await ended).toEqual([0, null]);
  expect((await lines).trim().split("\n").at(-1)).toBe("kept 2");
});
