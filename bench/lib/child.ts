// Child processes: each measured thing runs in one of its own, in plain Node, and answers by
// messages. It knows no benchmark.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Where a compiled program of the benchmarks lies. */
function programOf(file: string): string {
  return fileURLToPath(new URL(`../${file}.js`, import.meta.url));
}

/** How a child is started. */
export interface ChildOptions {
  readonly args?: readonly string[];
  /** Flags of Node itself. */
  readonly flags?: readonly string[];
  /** Another Node than this one. */
  readonly node?: string;
  /** Variables of the environment besides this process's. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A program of the benchmarks in a process of its own. */
export class Child {
  readonly #process: ChildProcess;
  readonly #ended: Promise<never>;

  /** @param file - its path in bench, without the ending. */
  constructor(file: string, { args = [], env = {}, flags = [], node }: ChildOptions = {}) {
    this.#process = fork(programOf(file), args, {
      execArgv: [...flags],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: { ...process.env, NODE_ENV: "production", ...env },
      ...(node !== undefined && { execPath: node }),
    });
    const what = `${file} ${args.join(" ")}`;
    this.#ended = once(this.#process, "exit").then(([code, signal]) => {
      throw new Error(`${what} ended with ${String(code ?? signal)}`);
    });
    this.#ended.catch(() => undefined);
  }

  /** The child's next message. */
  async next<Message>(): Promise<Message> {
    const [message] = (await Promise.race([once(this.#process, "message"), this.#ended])) as [
      Message,
    ];
    return message;
  }

  /** Asks, and gives the answer. */
  async ask<Answer>(question: object): Promise<Answer> {
    const answer = this.next<Answer>();
    this.#process.send(question);
    return answer;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exit = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exit;
  }
}

/** In a child: tells the parent. */
export function tell(message: object): void {
  process.send?.(message);
}
