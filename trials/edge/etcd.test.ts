// The store of the page "Writing a store" on a real etcd, by the page's own text.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, test } from "vitest";
import type { SessionStore } from "../../src/index.ts";
import { fakeClock, storeLaws } from "../../src/testing/index.ts";
import { readBlocks } from "../../tests/docs/documents.ts";
import { repository } from "../../tests/support/cli.ts";
import { startEtcd } from "../../tests/support/servers/etcd.ts";

/** The page's two files. */
interface Page {
  readonly KvStore: new (kv: object, now: () => number) => SessionStore;
  readonly etcdKv: (url: string, prefix: string) => object;
}

const server = await startEtcd();
mkdirSync(join(repository, ".tmp"), { recursive: true });
const folder = mkdtempSync(join(repository, ".tmp", "etcd-"));
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await server.close();
});

async function fileOf(name: string): Promise<object> {
  const block = readBlocks("docs/writing-a-store.md").find(({ code }) =>
    code.startsWith(`// ${name}\n`),
  );
  if (block === undefined) throw new Error(`the page has no ${name}`);
  writeFileSync(join(folder, name), block.code);
  return (await import(join(folder, name))) as object;
}

const { KvStore, etcdKv } = {
  ...(await fileOf("kv-store.ts")),
  ...(await fileOf("etcd-kv.ts")),
} as Page;
const clock = fakeClock();
let prefixes = 0;

describe("the laws", async () => {
  const makeStore = async () => ({
    store: new KvStore(etcdKv(server.url, `sessions ${++prefixes}/`), clock.now),
    close: () => undefined,
  });
  const cases = await storeLaws(makeStore, {
    name: "the store on etcd",
    clock,
    seed: 42,
    runs: 15,
  });
  test.each(cases.filter(({ applies }) => applies === true))("$id", ({ run }) => run());
});
