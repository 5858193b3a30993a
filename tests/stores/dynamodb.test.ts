// The DynamoDB store on dynalite, by the AWS SDK's own client: the laws, what it sends, and its failures by
// name.
import { DynamoDBClient, GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type { SessionChange } from "kocha-session";
import {
  type DynamoClient,
  type DynamoGet,
  type DynamoUpdate,
  dynamoSessionsTable,
  SessionDynamoStore,
} from "kocha-session/dynamodb";
import { fakeClock, storeLaws } from "kocha-session/testing";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { newSelector } from "../../src/testing/history.ts";
import {
  dynamoClientOf,
  dynamoOptions,
  makeDynamoTable,
  makeTable,
  startDynamo,
} from "../support/servers/dynamodb.ts";
import { thrownBy } from "../support/thrown.ts";
import { Visitor } from "../support/visitor.ts";
import { change, creation, HOUR } from "./sql.ts";

const server = await startDynamo();
const client = dynamoClientOf(server.url);
const clock = fakeClock(Date.now());

afterAll(async () => {
  client.destroy();
  await server.close();
});

let tables = 0;

async function freshTable(): Promise<string> {
  const table = `sessions-${++tables}`;
  await makeDynamoTable(client, table);
  return table;
}

/** The client, which records what it is asked and passes it on in another way where a test says so. */
function watched(on: Partial<DynamoClient> = {}) {
  const gets: DynamoGet[] = [];
  const updates: DynamoUpdate[] = [];
  const watching: DynamoClient = {
    getItem: (input) => {
      gets.push(input);
      return (on.getItem ?? ((one) => client.getItem(one)))(input);
    },
    updateItem: (input) => {
      updates.push(input);
      return (on.updateItem ?? ((one) => client.updateItem(one)))(input);
    },
    deleteItem: (input) => client.deleteItem(input),
  };
  return { watching, gets, updates };
}

/** A store on a table of its own. */
async function freshStore(by: DynamoClient = client): Promise<SessionDynamoStore> {
  return new SessionDynamoStore({ client: by, table: await freshTable(), now: clock.now });
}

/** So many entries. */
function entries(count: number, value: string): Map<string, string> {
  return new Map(Array.from({ length: count }, (_, index) => [`key ${index}`, value]));
}

describe("the laws", async () => {
  const makeStore = async () => {
    let held: Promise<void> | undefined;
    const hanging = watched({
      updateItem: async (input) => {
        const taken = held;
        held = undefined;
        await taken;
        return client.updateItem(input);
      },
    });
    const hang = (): (() => void) => {
      let release = (): void => undefined;
      held = new Promise((resolve) => (release = resolve));
      return release;
    };
    return { store: await freshStore(hanging.watching), hang, close: () => undefined };
  };
  const cases = await storeLaws(makeStore, {
    name: "the DynamoDB store",
    clock,
    seed: Number(process.env["FC_SEED"] ?? 42),
    runs: Number(process.env["FC_RUNS"] ?? 15),
  });
  test.each(cases.filter(({ applies }) => applies === true))("$id", ({ run }) => run());

  test("nothing is left out but what needs an index or a sweep", () => {
    const left = cases.flatMap(({ id, applies }) =>
      applies === true ? [] : [`${id}: ${applies}`],
    );
    expect(left).toEqual([
      expect.stringContaining("the store says that it doesn't list"),
      expect.stringContaining("the store has no sweep: it expires by itself"),
    ]);
  });
});

describe("what it sends", () => {
  test("nothing for an anonymous visit, one call to load and one to commit", async () => {
    const { watching, gets, updates } = watched();
    const visitor = new Visitor(await freshStore(watching));
    await visitor.visit((session) => session.get("a"));
    expect([gets.length, updates.length]).toEqual([0, 0]);
    await visitor.visit((session) => session.set("a", "1"));
    expect([gets.length, updates.length]).toEqual([0, 1]);
    await visitor.visit((session) => session.set("b", "2"));
    expect([gets.length, updates.length]).toEqual([1, 2]);
    expect(await visitor.visit((session) => session.get("b"))).toBe("2");
  });

  test("only consistent reads: another one could show a session after its logout", async () => {
    const { watching, gets } = watched();
    const store = await freshStore(watching);
    const selector = newSelector();
    await store.save(selector, creation({ a: "1" }));
    await store.load(selector);
    await store.save(selector, change({ rev: 7 }));
    await store.save(selector, change({ set: entries(200, "x") }));
    expect(gets.map(({ ConsistentRead }) => ConsistentRead)).toEqual(gets.map(() => true));
    expect(gets.length).toBeGreaterThanOrEqual(3);
  });

  test("only changed keys, under placeholders, whatever they are called", async () => {
    const { watching, updates } = watched();
    const store = await freshStore(watching);
    const selector = newSelector();
    await store.save(selector, creation({ big: "x".repeat(10_000), size: "1" }));
    const names = ["", "size", "a.b", "a[0]", "#0", ":0", "__proto__", "é\0"];
    const set = new Map(names.map((name) => [name, `value of ${name}`]));
    await store.save(selector, change({ set, del: ["size", "big"], ttl: 0 }));
    expect(JSON.stringify(updates[1])).not.toContain("xxx");
    expect((await store.load(selector))?.data).toEqual(set);
  });

  test("the day from which DynamoDB may delete a session, after its end; none without an end", async () => {
    const table = await freshTable();
    const store = new SessionDynamoStore({ client, table, now: clock.now });
    const selector = newSelector();
    const ttl = async (): Promise<number> => {
      const Key = { id: { S: selector } };
      const { Item } = await client.getItem({ TableName: table, Key, ConsistentRead: true });
      return Number(Item?.["ttl"]?.N);
    };
    await store.save(selector, creation({ a: "1" }));
    expect(await ttl()).toBe(Math.ceil((clock.now() + HOUR + 300_000) / 1000));
    await store.save(selector, change({ ttl: 2 * HOUR }));
    expect(await ttl()).toBe(Math.ceil((clock.now() + 2 * HOUR + 300_000) / 1000));
    await store.save(selector, change({ ttl: Infinity }));
    expect(await ttl()).toBeNaN();
    expect((await store.load(selector))?.expires).toBe(Infinity);
  });
});

describe("an end that is later already", () => {
  test("stays, with the change applied by a second update", async () => {
    const { watching, updates } = watched();
    const store = await freshStore(watching);
    const selector = newSelector();
    await store.save(selector, creation({ a: "1" }, { ttl: 2 * HOUR }));
    const expires = clock.now() + 2 * HOUR;
    const saved = await store.save(selector, change({ set: new Map([["b", "2"]]) }));
    expect(saved).toEqual({ rev: 1, generation: 1, expires });
    expect(updates).toHaveLength(3);
    expect((await store.load(selector))?.data.get("b")).toBe("2");
  });

  test("isn't tried twice for a change that is refused", async () => {
    const { watching, updates } = watched();
    const store = await freshStore(watching);
    const selector = newSelector();
    await store.save(selector, creation({ a: "1" }));
    expect(await store.save(selector, change({ rev: 2 }))).toBeUndefined();
    const expected = new Map([["a", "2"]]);
    expect(await store.save(selector, change({ expect: expected }))).toBeUndefined();
    expect(await store.save(newSelector(), change({}))).toBeUndefined();
    expect(updates).toHaveLength(4);
  });
});

describe("a change of too many keys for an expression", () => {
  test.each([
    ["sets", change({ set: entries(400, "x") })],
    ["removes", change({ del: [...entries(400, "").keys()] })],
    ["expects", change({ expect: new Map([...entries(400, "old")].slice(0, 150)) })],
  ])("is applied whole where it %s them", async (_, large) => {
    const { watching, updates } = watched();
    const store = await freshStore(watching);
    const selector = newSelector();
    await store.save(selector, creation({ kept: "1", ...Object.fromEntries(entries(400, "old")) }));
    expect(await store.save(selector, large)).toMatchObject({ rev: 1, generation: 1 });
    const after = new Map([["kept", "1"], ...entries(400, "old")]);
    for (const key of large.del) after.delete(key);
    for (const [key, value] of large.set) after.set(key, value);
    expect((await store.load(selector))?.data).toEqual(after);
    for (const { UpdateExpression } of updates) expect(UpdateExpression.length).toBeLessThan(4096);
    expect(await store.save(selector, { ...large, rev: 2 })).toBeUndefined();
  });

  test("loses no write that races it, from this process or another", async () => {
    const table = await freshTable();
    const stores = [1, 2].map(() => new SessionDynamoStore({ client, table, now: clock.now }));
    const selector = newSelector();
    await stores[0]?.save(selector, creation({}));
    const writes = Array.from({ length: 24 }, async (_, index) => {
      const name = `small ${index}`;
      const large = index % 4 === 0 ? [...entries(160, String(index))] : [];
      const set = new Map<string, string>([[name, "1"]]);
      for (const [key, value] of large) set.set(`${name} ${key}`, value);
      return stores[index % 2]?.save(selector, change({ set }));
    });
    expect(await Promise.all(writes)).not.toContain(undefined);
    const data = (await stores[0]?.load(selector))?.data ?? new Map<string, string>();
    expect(data.size).toBe(24 + 6 * 160);
  });

  test("brings back no session that was ended between its read and its write", async () => {
    let between: (() => Promise<unknown>) | undefined;
    const { watching } = watched({
      updateItem: async (input) => {
        const taken = between;
        between = undefined;
        await taken?.();
        return client.updateItem(input);
      },
    });
    const store = await freshStore(watching);
    const selector = newSelector();
    await store.save(selector, creation({ a: "1" }));
    between = () => store.save(selector, change({ op: "destroy" }));
    expect(await store.save(selector, change({ set: entries(200, "x") }))).toBeUndefined();
    // Nor into the place of a later session of this name.
    await store.save(selector, creation({ a: "1" }));
    between = async () => {
      await store.save(selector, change({ op: "destroy" }));
      await store.save(selector, creation({ new: "1" }));
    };
    await store.save(
      selector,
      change({ op: "update", rev: 1, bump: true, set: entries(200, "x") }),
    );
    expect((await store.load(selector))?.data.get("a")).toBeUndefined();
  });
});

/** The client, whose updates arrive twice: the first answer is lost, and the SDK sends the request again. */
function resending(between: () => Promise<unknown> = async () => undefined): DynamoClient {
  return watched({
    updateItem: async (input) => {
      await client.updateItem(input);
      await between();
      try {
        return await client.updateItem(input);
      } catch (error) {
        // As the SDK reports its attempts.
        (error as { $metadata: { attempts: number } }).$metadata.attempts = 2;
        throw error;
      }
    },
  }).watching;
}

describe("a change that the SDK sent again after it had been applied", () => {
  const applied: readonly (readonly [string, Partial<SessionChange>, number, number])[] = [
    ["a regenerate", { bump: true, set: new Map([["b", "2"]]), meta: "m" }, 2, 2],
    ["a clear", { clear: true, set: new Map([["b", "2"]]), meta: "m" }, 2, 1],
    ["an exact step", { expect: new Map([["a", "1"]]), set: new Map([["a", "2"]]) }, 1, 1],
    ["a plain write", { set: new Map([["a", "2"]]) }, 1, 1],
    ["one of many keys", { bump: true, meta: "m", set: entries(200, "x") }, 2, 2],
  ];
  test.each(applied)("is answered as applied, once: %s", async (_, more, rev, generation) => {
    const table = await freshTable();
    const plain = new SessionDynamoStore({ client, table, now: clock.now });
    const store = new SessionDynamoStore({ client: resending(), table, now: clock.now });
    const selector = newSelector();
    await plain.save(selector, creation({ a: "1" }));
    expect(await store.save(selector, change(more))).toMatchObject({ rev, generation });
    expect(await plain.load(selector)).toMatchObject({ rev, generation });
  });

  test("is answered as applied: a new session", async () => {
    const store = await freshStore(resending());
    const selector = newSelector();
    expect(await store.save(selector, creation({ a: "1" }))).toMatchObject({ rev: 1 });
    expect((await store.load(selector))?.data.get("a")).toBe("1");
  });

  test("is an error, not a refusal, when another exact step came between", async () => {
    const table = await freshTable();
    const plain = new SessionDynamoStore({ client, table, now: clock.now });
    const selector = newSelector();
    await plain.save(selector, creation({ count: "1" }));
    const step = (from: string, to: string): SessionChange =>
      change({ expect: new Map([["count", from]]), set: new Map([["count", to]]) });
    const store = new SessionDynamoStore({
      client: resending(() => plain.save(selector, step("2", "3"))),
      table,
      now: clock.now,
    });
    // A refusal would make the engine count once more.
    await expect(store.save(selector, step("1", "2"))).rejects.toMatchObject({
      name: "StoreError",
      code: "ERR_SESSION_STORE_FAILED",
      message: expect.stringContaining("applied once, or not at all") as string,
    });
  });
});

describe("what isn't ours", () => {
  const foreign: readonly (readonly [string, Record<string, object>])[] = [
    ["no attribute of ours", {}],
    ["data that is no map", { d: { S: "x" } }],
    ["a value that is no string", { d: { M: { ".a": { N: "1" } } } }],
    ["a key without its mark", { d: { M: { a: { S: "1" } } } }],
    ["an end that is no number", { e: { S: "x" } }],
    ["a negative revision", { r: { N: "-1" } }],
    ["notes that are no string", { m: { N: "1" } }],
  ];
  test.each(foreign)("is no session, and throws nothing: %s", async (_, attributes) => {
    const table = await freshTable();
    const store = new SessionDynamoStore({ client, table, now: clock.now });
    const selector = newSelector();
    const ours = {
      d: { M: {} },
      r: { N: "1" },
      g: { N: "1" },
      e: { N: String(clock.now() + HOUR) },
      m: { S: "" },
    };
    const own = Object.keys(attributes).length === 0 ? {} : { ...ours, ...attributes };
    const Item = { id: { S: selector }, ...own } as never;
    await client.putItem({ TableName: table, Item });
    expect(await store.load(selector)).toBeUndefined();
    const set = new Map([["b", "2"]]);
    for (const more of [{ set }, { set, ttl: 0 }, { set: entries(200, "x") }]) {
      expect(await store.save(selector, change(more))).toBeUndefined();
      expect(await store.load(selector)).toBeUndefined();
    }
    // Healed where it takes away what wasn't ours.
    await store.save(selector, change({ del: ["a"] }));
    await store.save(selector, change({ op: "destroy" }));
    expect(await store.save(selector, creation({}))).toBeDefined();
  });

  test("no key that isn't a selector reaches the server", async () => {
    const { watching, gets, updates } = watched();
    const store = await freshStore(watching);
    for (const selector of ["", "two words", "x".repeat(129), "é"]) {
      expect(await store.load(selector)).toBeUndefined();
      expect(await store.save(selector, creation({}))).toBeUndefined();
      expect(await store.save(selector, change({ op: "destroy" }))).toBeDefined();
    }
    expect([gets, updates]).toEqual([[], []]);
  });
});

describe("failures", () => {
  test("a session over 400 KB is a LimitError with its largest keys, and what was there stays", async () => {
    const store = await freshStore();
    const selector = newSelector();
    const big = new Map([["big", "x".repeat(410_000)]]);
    const tooLarge = {
      name: "LimitError",
      code: "ERR_SESSION_LIMIT_SESSION",
      limit: 409_600,
      largestKeys: expect.arrayContaining([{ key: "big", bytes: 410_003 }]) as unknown,
    };
    await expect(store.save(selector, creation(Object.fromEntries(big)))).rejects.toMatchObject(
      tooLarge,
    );
    await store.save(selector, creation({ a: "1" }));
    await expect(store.save(selector, change({ set: big }))).rejects.toMatchObject(tooLarge);
    const many = new Map([...entries(200, "x"), ...big]);
    await expect(store.save(selector, change({ set: many }))).rejects.toMatchObject(tooLarge);
    expect((await store.load(selector))?.data).toEqual(new Map([["a", "1"]]));
    expect(await store.save(selector, change({ rev: 2, set: big }))).toBeUndefined();
  });

  test("a missing table is a StoreError that says how to make it", async () => {
    const store = new SessionDynamoStore({ client, table: "not-there" });
    const failed = {
      name: "StoreError",
      code: "ERR_SESSION_STORE_FAILED",
      message: expect.stringContaining(
        "the table not-there isn't there, or not yet; make it with `aws dynamodb create-table " +
          "--table-name not-there --billing-mode PAY_PER_REQUEST --attribute-definitions " +
          "AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH`",
      ) as string,
    };
    await expect(store.load(newSelector())).rejects.toMatchObject({ ...failed, operation: "load" });
    const save = store.save(newSelector(), creation({ a: "1" }));
    await expect(save).rejects.toMatchObject({ ...failed, operation: "save" });
    const destroy = store.save(newSelector(), change({ op: "destroy" }));
    await expect(destroy).rejects.toMatchObject(failed);
  });

  test("a table with another key is a StoreError that says which", async () => {
    const table = await freshTable();
    const other = { ...dynamoSessionsTable(`${table}-other`) };
    const attribute = { AttributeName: "pk", AttributeType: "S" } as const;
    await makeTable(client, {
      ...other,
      AttributeDefinitions: [attribute],
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
    });
    const store = new SessionDynamoStore({ client, table: other.TableName });
    await expect(store.load(newSelector())).rejects.toMatchObject({
      name: "StoreError",
      message: expect.stringContaining(`the table's key must be the string "id"`) as string,
    });
  });

  test("no error holds a session's value, whatever DynamoDB quotes", async () => {
    for (const name of ["ValidationException", "SerializationException", "SyntaxError"]) {
      const quoting = watched({
        updateItem: (input) => {
          const message = `Value '${JSON.stringify(input)}' failed to satisfy a constraint`;
          return Promise.reject(Object.assign(new Error(message), { name }));
        },
      });
      const store = await freshStore(quoting.watching);
      const save = store.save(newSelector(), creation({ card: "4111-1111" }));
      const error = await save.catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: "StoreError", code: "ERR_SESSION_STORE_FAILED" });
      for (let one = error as Error | undefined; one; one = one.cause as Error | undefined) {
        expect(`${one.message} ${one.stack} ${JSON.stringify(one)}`).not.toContain("4111");
      }
    }
  });

  test("a server that is gone is a StoreError that leaves the cookie", async () => {
    const own = await startDynamo();
    const ownClient = dynamoClientOf(own.url);
    onTestFinished(async () => {
      ownClient.destroy();
      await own.close();
    });
    await makeDynamoTable(ownClient, "sessions");
    const visitor = new Visitor(new SessionDynamoStore({ client: ownClient, table: "sessions" }));
    await visitor.visit((session) => session.set("a", "1"));
    const { cookie } = visitor;
    await own.server.kill();
    await expect(visitor.visit((session) => session.get("a"))).rejects.toMatchObject({
      name: "StoreError",
      operation: "load",
      status: 503,
    });
    expect(visitor.cookie).toBe(cookie);
  });

  test("an answer that isn't DynamoDB's is an error, never a missing session", async () => {
    const silent = watched({
      getItem: () => Promise.resolve(undefined as never),
      updateItem: () => Promise.resolve({}),
    });
    const store = await freshStore(silent.watching);
    const answer = { name: "StoreError", code: "ERR_SESSION_STORE_ANSWER" };
    await expect(store.load(newSelector())).rejects.toMatchObject(answer);
    await expect(store.save(newSelector(), creation({}))).rejects.toMatchObject(answer);
  });
});

describe("the client", () => {
  test("can be made of a DynamoDBClient and three commands", async () => {
    const low = new DynamoDBClient(dynamoOptions(server.url));
    onTestFinished(() => low.destroy());
    const store = await freshStore({
      getItem: (input) => low.send(new GetItemCommand(input)),
      updateItem: (input) => low.send(new UpdateItemCommand(input)),
      deleteItem: (input) => client.deleteItem(input),
    });
    const selector = newSelector();
    await store.save(selector, creation({ a: "1" }));
    await store.save(selector, change({ set: new Map([["b", "2"]]) }));
    expect((await store.load(selector))?.data.size).toBe(2);
  });

  test.each([
    ["a DynamoDBClient", () => new DynamoDBClient({}), "takes only commands: make a DynamoDB"],
    [
      "one of the AWS SDK 2",
      () => ({ makeRequest: () => 1, getItem: () => 1, updateItem: () => 1, deleteItem: () => 1 }),
      "is a client of the AWS SDK 2, whose calls are no promises",
    ],
    ["nothing", () => undefined, "must be a DynamoDB of @aws-sdk/client-dynamodb"],
  ])("is refused by name where it is %s", (_, make, message) => {
    const error = thrownBy(() => new SessionDynamoStore({ client: make() as never }));
    expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG_STORE", field: "client" });
    expect((error as Error).message).toContain(message);
  });

  test("its table has a name that DynamoDB takes", () => {
    for (const table of ["", "ab", "two words", "x".repeat(256), "täble"]) {
      const error = thrownBy(() => new SessionDynamoStore({ client, table }));
      expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG_FIELD", field: "table" });
    }
    const arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/sessions";
    expect(new SessionDynamoStore({ client, table: arn })).toBeDefined();
  });
});
