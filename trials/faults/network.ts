// Faults of the network between an application and any server: cut, swallow, delay. It knows no database.
import { type Proxy, startProxy } from "../../tests/support/proxy.ts";
import type { StoreAddress } from "./address.ts";
import type { Scenario, Stage } from "./scenario.ts";

/** A fault of the network, as a proxy's mode. */
export type NetworkFault = Parameters<Proxy["turn"]>[0];

const faults: readonly (readonly [name: string, fault: NetworkFault])[] = [
  ["network cut", { kind: "cut" }],
  ["network swallows everything", { kind: "silent" }],
  ["network slow, 0.2 s each way", { kind: "open", delayMs: 200 }],
  ["network slow, 0.7 s each way", { kind: "open", delayMs: 700 }],
];

/** A server behind a proxy that causes the fault. */
export async function behindProxy(
  port: number,
  closeServer: () => Promise<void>,
  fault: NetworkFault,
  addressOf: (port: number) => StoreAddress,
): Promise<Stage> {
  const proxy = await startProxy(port);
  return {
    address: addressOf(proxy.port),
    inject: () => proxy.turn(fault),
    lift: () => proxy.turn({ kind: "open" }),
    close: async () => {
      await proxy.close();
      await closeServer();
    },
  };
}

/** The rows of one database, whose data no network can harm. */
export function networkFaults(engine: {
  readonly engine: string;
  readonly setting: string;
  readonly start: (fault: NetworkFault) => Promise<Stage>;
}): Scenario[] {
  return faults.map(([fault, mode]) => ({
    engine: engine.engine,
    setting: engine.setting,
    fault,
    holdMs: 2500,
    allows: [],
    because: "nothing happens to the data: what was not answered may have been done",
    start: () => engine.start(mode),
  }));
}
