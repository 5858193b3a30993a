// Counts what a piece of code asks of node:crypto, whoever asks: the module's own functions are
// wrapped for the whole process, so nothing can go past it. It knows no session.
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

/** How often what was called, by kind. */
export interface CryptoWork {
  /** Ciphers that were made to encrypt. */
  seals: number;
  /** Ciphers that were made to decrypt. */
  opens: number;
  /** Keyed hashes. */
  tags: number;
  /** Hashes without a key; Express makes one for the ETag of each body. */
  hashes: number;
  /** Calls of the random generator. */
  randoms: number;
  /** Everything else: keys that are made or derived, comparisons. */
  others: number;
}

const kinds: Readonly<Record<string, keyof CryptoWork>> = {
  createCipheriv: "seals",
  createDecipheriv: "opens",
  createHmac: "tags",
  createHash: "hashes",
  hash: "hashes",
  randomBytes: "randoms",
  randomFill: "randoms",
  randomFillSync: "randoms",
  randomInt: "randoms",
  randomUUID: "randoms",
  getRandomValues: "randoms",
};

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

const work: CryptoWork = { seals: 0, opens: 0, tags: 0, hashes: 0, randoms: 0, others: 0 };

/** Wraps node:crypto; the function that it gives takes the wrapping off. */
export function watchCrypto(): () => void {
  const module = crypto as unknown as Record<string, unknown>;
  const originals = new Map<string, PropertyDescriptor>();
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(module))) {
    const original: unknown = descriptor.value;
    // Functions begin with a small letter; the classes are made by them.
    if (typeof original !== "function" || !/^[a-z]/.test(name)) continue;
    // The deprecated createCipher is nailed down; its types are gone, too.
    if (descriptor.configurable !== true) continue;
    originals.set(name, descriptor);
    const counted: AnyFunction = function counted(...args) {
      work[kinds[name] ?? "others"]++;
      return Reflect.apply(original as AnyFunction, this, args);
    };
    Object.defineProperty(module, name, { ...descriptor, value: counted });
  }
  syncBuiltinESMExports();
  return () => {
    for (const [name, descriptor] of originals) Object.defineProperty(module, name, descriptor);
    syncBuiltinESMExports();
  };
}

/** What was asked of node:crypto while `act` ran. */
export async function cryptoWorkOf(act: () => unknown): Promise<CryptoWork> {
  const before = { ...work };
  await act();
  return {
    seals: work.seals - before.seals,
    opens: work.opens - before.opens,
    tags: work.tags - before.tags,
    hashes: work.hashes - before.hashes,
    randoms: work.randoms - before.randoms,
    others: work.others - before.others,
  };
}
