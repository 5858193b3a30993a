// Nodes of one application, each a process of its own, for tests that let them disagree.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Client } from "../../../src/testing/client.ts";
import { sourceFlags } from "../../support/cli.ts";
import type { NodeSettings } from "./node-process.ts";

const program = fileURLToPath(new URL("node-process.ts", import.meta.url));

/** A running node. */
export class AppNode {
  readonly #child: ChildProcess;
  readonly url: string;

  constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.url = `http://127.0.0.1:${port}`;
  }

  newClient(): Client {
    return new Client(this.url);
  }

  /** What a Cookie header reads here; undefined: the answer was an error, 503. */
  async read(cookie: string): Promise<unknown> {
    const { status, body, setCookie } = await this.newClient().raw("/read", cookie);
    if (status === 503) {
      // Law L9, whatever the test is of.
      if (setCookie.length > 0) throw new Error("a cookie was set while nobody could say");
      return undefined;
    }
    if (status !== 200) throw new Error(`the status is ${status}: ${body}`);
    return JSON.parse(body) as unknown;
  }

  pause(): void {
    this.#child.kill("SIGSTOP");
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  /**
   * Begins requests that look at their session and then wait; `go` lets them write, or with "rotate"
   * regenerate and write.
   */
  async slow(cookies: readonly string[], action: "slow" | "rotate" = "slow") {
    let waiting = 0;
    const all = new Promise<void>((resolve) => {
      const count = (message: unknown): void => {
        if (message === "slow" && ++waiting === cookies.length) resolve();
      };
      this.#child.on("message", count);
    });
    const replies = cookies.map((cookie, index) =>
      this.newClient().raw(`/${action}/${index}`, cookie),
    );
    await all;
    return {
      go: (): void => void this.#child.send("go"),
      replies: Promise.all(replies),
    };
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }
}

/** Starts nodes that share their keys and follow one log; each has its own settings on top. */
export async function startNodes(
  common: Pick<NodeSettings, "engine" | "at" | "keys">,
  skews: readonly number[],
): Promise<AppNode[]> {
  const options = { pollInterval: 0.05, maxStaleness: 1 };
  return Promise.all(
    skews.map(async (skewMs) => {
      const settings: NodeSettings = { ...common, skewMs, options };
      const child = fork(program, [], {
        execArgv: [...sourceFlags],
        env: { ...process.env, NODE_SETTINGS: JSON.stringify(settings) },
      });
      const [port] = (await once(child, "message")) as [number];
      return new AppNode(child, port);
    }),
  );
}
