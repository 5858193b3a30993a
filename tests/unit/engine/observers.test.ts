// The observers of a configuration: one or a list, what each is told, and that none of them fails a request.
import { describe, expect, test, vi } from "vitest";
import type { SessionObservers, StoreCallEvent } from "../../../src/events.ts";
import { SessionMemoryStore } from "../../../src/stores/memory.ts";
import { slowly } from "../../support/latency.ts";
import { thrownBy } from "../../support/thrown.ts";
import { kinds, makeWorld } from "./client.ts";

describe.each(kinds)("a list of observers over the %s store", (kind) => {
  test("each is told, in order, as an object of its own, whatever another does", async () => {
    const told: string[] = [];
    class Counter implements SessionObservers {
      readonly #name: string;
      constructor(name: string) {
        this.#name = name;
      }
      created(): void {
        told.push(this.#name);
      }
    }
    const failing: SessionObservers = {
      created: () => {
        throw new Error("of the observer");
      },
    };
    // As a user's own: an observer is declared to give nothing.
    const rejecting = { created: () => Promise.reject(new Error("later")) } as object;
    const on = [new Counter("one"), failing, rejecting, undefined, new Counter("two")];
    await makeWorld(kind, { on })
      .newClient()
      .request((session) => session.set("a", "1"));
    expect(told).toEqual(["one", "two"]);
  });

  test("what none of them observes costs nothing", async () => {
    const clock = vi.spyOn(performance, "now");
    const client = makeWorld(kind, {
      on: [{ created: () => undefined }, {}, undefined],
    }).newClient();
    await client.request((session) => session.set("a", "1"));
    await client.read();
    expect(clock).not.toHaveBeenCalled();
    clock.mockRestore();
  });

  test("a wrong one is named by its place", () => {
    const wrong = (on: unknown) => thrownBy(() => makeWorld(kind, { on: on as SessionObservers }));
    expect(wrong([{}, { opend: () => 1 }])).toMatchObject({
      field: "on[1].opend",
      message: expect.stringContaining("did you mean opened?") as string,
    });
    expect(wrong([{ opened: "log" }])).toMatchObject({ field: "on[0].opened" });
    expect(wrong([null])).toMatchObject({ field: "on[0]" });
    expect(wrong(null)).toMatchObject({ field: "on" });
  });
});

test("overwritten is sent for only when one of the list observes it", async () => {
  const expects: boolean[] = [];
  const memory = new SessionMemoryStore();
  const store = {
    capabilities: memory.capabilities,
    load: (selector: string) => memory.load(selector),
    save: (...[selector, change]: Parameters<SessionMemoryStore["save"]>) => {
      expects.push(change.expect !== undefined);
      return memory.save(selector, change);
    },
  };
  for (const on of [
    [{}, {}],
    [{}, { overwritten: () => undefined }],
  ]) {
    const client = makeWorld(store, { on }).newClient();
    await client.request((session) => session.set("a", "1"));
    await client.request((session) => session.set("a", `${session.get("a")}1`));
  }
  expect(expects).toEqual([false, false, false, true]);
});

describe("storeCall", () => {
  const brief = ({ id, operation, outcome }: StoreCallEvent): string =>
    `${operation} ${id === undefined ? "?" : "id"} ${outcome}`;

  test.each(["memory", "later"] as const)("names each call of a store: %s", async (kind) => {
    const memory = new SessionMemoryStore();
    const told: StoreCallEvent[] = [];
    const on: SessionObservers = { storeCall: (event) => void told.push(event) };
    const world = makeWorld(kind === "later" ? slowly(memory) : memory, { on });
    const client = world.newClient();
    let id = "";
    await client.request((session) => {
      session.set("a", "1");
      ({ id } = session);
    });
    await client.request((session) => session.increment("n"));
    await client.request((session) => session.destroy());
    expect(told.map(brief)).toEqual(
      ["save", "load", "save", "load", "save"].map((operation) => `${operation} id ok`),
    );
    expect(new Set(told.map((event) => event.id))).toEqual(new Set([id]));
  });

  test("of a cookie store it tells the opening and the sealing", async () => {
    const told: StoreCallEvent[] = [];
    const world = makeWorld("cookie", { on: { storeCall: (event) => void told.push(event) } });
    const client = world.newClient();
    await client.request((session) => session.set("a", "1"));
    await client.request((session) => session.set("b", "2"));
    expect(told.map(brief)).toEqual(["save id ok", "load ? ok", "save id ok"]);
  });
});

describe("conflicted", () => {
  test("is told with the reason of the ConflictError, beside refused", async () => {
    const told: unknown[] = [];
    const world = makeWorld(slowly(new SessionMemoryStore()), {
      on: {
        conflicted: (event) => void told.push(event),
        refused: ({ reason }) => void told.push(`refused ${reason}`),
      },
    });
    const client = world.newClient();
    await client.request((session) => session.set("n", "1"));
    const late = await world.engine.open(client.jar.header);
    await client.request((session) => session.destroy());
    const { id } = late;
    await expect(late.increment("n")).rejects.toMatchObject({
      code: "ERR_SESSION_CONFLICT_STALE",
    });
    expect(told).toEqual(["refused stale", { id, reason: "stale" }]);
  });

  test("a plain change that is refused is none", async () => {
    const told: string[] = [];
    const world = makeWorld(slowly(new SessionMemoryStore()), {
      on: {
        conflicted: () => void told.push("conflicted"),
        refused: () => void told.push("refused"),
      },
    });
    const client = world.newClient();
    await client.request((session) => session.set("n", "1"));
    const late = await world.engine.open(client.jar.header);
    await client.request((session) => session.destroy());
    late.set("n", "2");
    await world.engine.commit(late);
    expect(told).toEqual(["refused"]);
  });
});
