// A TCP proxy in front of a server of the tests: it counts bytes and round trips, and is told to go
// slow, to fall silent, or to cut. It knows no protocol.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What went through since it was last asked. */
interface Traffic {
  /** Bytes from the client to the server. */
  readonly sent: number;
  /** Bytes from the server to the client. */
  readonly received: number;
  /** How often the client spoke after the server had: a request and its answer are one. */
  readonly trips: number;
}

/** What a proxy does with what it carries. */
type ProxyMode =
  /** Hands it on, this many milliseconds later each way. */
  | { readonly kind: "open"; readonly delayMs?: number }
  /** Takes connections and bytes and hands nothing on, or the server's answers alone not. */
  | { readonly kind: "silent"; readonly answersOnly?: boolean }
  /** Ends the connections that are there, and every new one. */
  | { readonly kind: "cut" };

/** A running proxy. */
export interface Proxy {
  readonly port: number;
  /** What went through since the last call. */
  readonly take: () => Traffic;
  readonly turn: (mode: ProxyMode) => void;
  /** Holds what is said from now on, or lets it through: `turn` by another name. */
  readonly hold: (isHeld: boolean) => void;
  /** Where new connections lead from now on: another loopback port. */
  readonly aim: (port: number) => void;
  readonly close: () => Promise<void>;
}

/** One direction of one connection: nothing on it overtakes what came before. */
class Lane {
  readonly #isHeld: () => boolean;
  readonly #delay: () => number;
  readonly #queue: { readonly dueAt: number; readonly act: () => void }[] = [];

  constructor(isHeld: () => boolean, delay: () => number) {
    this.#isHeld = isHeld;
    this.#delay = delay;
  }

  /** Does `act` when its turn has come. */
  pass(act: () => void): void {
    this.#queue.push({ dueAt: performance.now() + this.#delay(), act });
    this.move();
  }

  /** Does whatever is due. */
  move(): void {
    while (!this.#isHeld()) {
      const [first] = this.#queue;
      if (first === undefined) return;
      const wait = first.dueAt - performance.now();
      if (wait > 0) {
        setTimeout(() => this.move(), Math.ceil(wait));
        return;
      }
      this.#queue.shift();
      first.act();
    }
  }
}

/** Starts a proxy to a loopback port; the caller closes it. */
export async function startProxy(target: number): Promise<Proxy> {
  let sent = 0;
  let received = 0;
  let trips = 0;
  let mode: ProxyMode = { kind: "open" };
  let aim = target;
  const lanes = new Set<Lane>();
  const sockets = new Set<Socket>();

  const holds = (isAnswer: boolean): boolean =>
    mode.kind === "silent" && (isAnswer || mode.answersOnly !== true);
  const delay = (): number => (mode.kind === "open" ? (mode.delayMs ?? 0) : 0);
  const relay = (
    from: Socket,
    to: Socket,
    isAnswer: boolean,
    count: (bytes: number) => void,
  ): void => {
    const lane = new Lane(() => holds(isAnswer), delay);
    lanes.add(lane);
    sockets.add(from);
    // A connection that breaks is what the tests look at through the driver.
    from.on("error", () => undefined);
    from.on("data", (chunk: Buffer) => {
      count(chunk.length);
      lane.pass(() => to.writable && to.write(chunk));
    });
    from.on("close", () => {
      sockets.delete(from);
      lane.pass(() => {
        lanes.delete(lane);
        to.destroy();
      });
    });
  };
  const server = createServer((client) => {
    if (mode.kind === "cut") {
      client.destroy();
      return;
    }
    const upstream = connect({ port: aim, host: "127.0.0.1", noDelay: true });
    client.setNoDelay(true);
    let isAsked = false;
    relay(client, upstream, false, (bytes) => {
      sent += bytes;
      if (!isAsked) trips++;
      isAsked = true;
    });
    relay(upstream, client, true, (bytes) => {
      received += bytes;
      isAsked = false;
    });
  });
  const turn = (next: ProxyMode): void => {
    mode = next;
    if (next.kind === "cut") for (const socket of sockets) socket.destroy();
    for (const lane of lanes) lane.move();
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    take: () => {
      const traffic = { sent, received, trips };
      sent = received = trips = 0;
      return traffic;
    },
    turn,
    hold: (isHeld) => turn({ kind: isHeld ? "silent" : "open" }),
    aim: (port) => {
      aim = port;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
