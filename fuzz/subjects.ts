// What is fuzzed: each subject makes one hostile input from a seeded source, puts it through the
// library's own way in, and says what is wrong with what came out; undefined: nothing.
import {
  type Session,
  type SessionConfig,
  SessionCookieStore,
  SessionMemoryStore,
  SessionMiddleware,
  type SessionStore,
} from "kocha-session";
import { openKochaCookie } from "kocha-session/kocha";
import { aesGcmSeal, encodeBase64url, hmacSha512t256, randomBytes } from "#crypto";
import type { SeededRandom } from "./random.ts";

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const headerAlphabet = `${base64url}=; ,"\\%.\t\u0000\u00a0\ufeff\u2028é`;
const NAME = "session";
const OTHER_NAME = "other";

/** One hostile input after the other; gives what is wrong, and counts what was accepted. */
export interface Subject {
  readonly name: string;
  readonly run: (random: SeededRandom) => Promise<string | undefined>;
}

function newKeys(): { readonly secretKey: string; readonly signingKey: string } {
  const key = (): string => Buffer.from(randomBytes(32)).toString("base64");
  return { secretKey: key(), signingKey: key() };
}

const samples: readonly (readonly [string, string])[][] = [
  [["name", "alice"]],
  [["", ""]],
  [["__proto__", "polluted"]],
  [
    ["constructor", "x"],
    ["cart", '[{"id":1}]'],
  ],
  [["wide", "\u{1F36A}\u0000é".repeat(40)]],
  Array.from({ length: 60 }, (_, index) => [`key${index}`, "v".repeat(index)] as const),
];

async function sealSamples(
  engine: SessionMiddleware,
): Promise<{ value: string; cookies: readonly string[]; data: string }[]> {
  const sealed = [];
  for (const sample of samples) {
    const session = await engine.open(undefined);
    for (const [key, value] of sample) session.set(key, value);
    const { setCookie } = await engine.commit(session);
    const cookies = setCookie.map((cookie) => cookie.split(";", 1)[0] ?? "");
    const value = cookies[0]?.slice(cookies[0].indexOf("=") + 1) ?? "";
    sealed.push({ value, cookies, data: describe(session) });
  }
  return sealed;
}

function describe(session: Session): string {
  return JSON.stringify([...session].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

const EMPTY = "[]";

/** Cookie headers through `open`: what isn't byte for byte what we sealed must read as empty. */
async function headerSubject(name: string, store: SessionStore, sealed: boolean): Promise<Subject> {
  const keys = sealed ? {} : { signingKey: newKeys().signingKey };
  const config: SessionConfig = { name: NAME, store, ...keys };
  const engine = new SessionMiddleware(config);
  const stranger = new SessionMiddleware({ ...config, name: OTHER_NAME });
  const own = await sealSamples(engine);
  const foreign = await sealSamples(stranger);
  const known = new Map<string, string>(own.map(({ value, data }) => [value, data]));
  const first = own[0] ?? { value: "", cookies: [], data: EMPTY };

  return {
    name,
    run: async (random) => {
      const one = own[random.below(own.length)] ?? first;
      const other = (random.below(2) === 0 ? own : foreign)[random.below(own.length)] ?? first;
      const damaged = (): string => random.damage(one.value, other.value, base64url);
      const value = random.pick<() => string>([
        damaged,
        damaged,
        damaged,
        () => one.value,
        () => other.value,
        () => random.text(base64url, 120),
        () => encodeBase64url(random.bytes(random.below(200))),
      ])();
      const pair = random.pick<() => string>([
        () => `${NAME}=${value}`,
        () => `${NAME}=${value}`,
        () => `${NAME}.split${1 + random.below(5)}=${value}`,
        () => `${random.text(headerAlphabet, 8)}${NAME}${random.text(headerAlphabet, 3)}=${value}`,
      ])();
      const header = random.pick<() => string>([
        () => pair,
        () => `${random.text(headerAlphabet, 60)}; ${pair}; ${random.text(headerAlphabet, 60)}`,
        () => `${pair}; ${NAME}=${one.value}`,
        () => random.text(headerAlphabet, 300),
        () => random.damage(pair, header2(one.cookies), headerAlphabet),
      ])();
      const session = await engine.open(header);
      const found = describe(session);
      if (found === EMPTY) return undefined;
      // Whatever opened must stand in the header whole, as it was sealed.
      const source = [...known].find(([token, data]) => data === found && header.includes(token));
      return source === undefined
        ? `accepted what was never sealed: ${JSON.stringify(header)}`
        : undefined;
    },
  };
}

function header2(cookies: readonly string[]): string {
  return cookies.join("; ");
}

/** Rows of a store that has been tampered with: a Map of strings, or nothing. */
async function rowSubject(): Promise<Subject> {
  const memory = new SessionMemoryStore();
  let row: unknown;
  const store: SessionStore = {
    load: () => row as never,
    save: (key, change) => memory.save(key, change),
  };
  const engine = new SessionMiddleware({ name: NAME, store, signingKey: newKeys().signingKey });
  const [sample] = await sealSamples(engine);
  const header = sample?.cookies[0] ?? "";
  const odd = (random: SeededRandom): unknown =>
    random.pick<unknown>([
      undefined,
      null,
      0,
      1,
      -1,
      1.5,
      NaN,
      Infinity,
      "",
      "x",
      true,
      [],
      {},
      new Map(),
      new Map([["a", 1]]),
      new Map([[1, "a"]]),
      new Map([["__proto__", "x"]]),
      { a: "b" },
      "[1,1,null,0,null,0,null,null]",
      '[1,1,5,0,"s",1,"l",-1]',
      "[]",
      "{}",
      "[1]",
      Symbol("x"),
      () => 1,
      JSON.parse('{"__proto__":{"polluted":"yes"}}'),
    ]);
  return {
    name: "stored rows",
    run: async (random) => {
      const whole = {
        data: new Map([["a", "b"]]),
        rev: 1,
        generation: 1,
        expires: Date.now() + 60_000,
        meta: "[1,1,null,0,null,0,null,null]",
      };
      row = random.below(4) === 0 ? odd(random) : { ...whole };
      if (typeof row === "object" && row !== null) {
        const fields = Object.keys(whole);
        for (let faults = random.below(3); faults > 0; faults--) {
          const field = fields[random.below(fields.length)] ?? "data";
          (row as Record<string, unknown>)[field] =
            field === "meta" && random.below(2) === 0
              ? random.damage(whole.meta, '"x",[{', '[]",:0123456789nul{}')
              : odd(random);
        }
      }
      const session = await engine.open(header);
      for (const [key, value] of session) {
        if (typeof key !== "string" || typeof value !== "string")
          return "a row gave what is no string";
      }
      const polluted = ({} as Record<string, unknown>)["polluted"];
      return polluted === undefined ? undefined : "a row reached Object.prototype";
    },
  };
}

/** msgpack behind a good signature, so that the decoder itself meets what is hostile. */
function kochaSubject(): Subject {
  const keys = newKeys();
  const secret = Buffer.from(keys.secretKey, "base64");
  const signing = Buffer.from(keys.signingKey, "base64");
  const seal = (plain: Uint8Array): string => {
    const nonce = randomBytes(12);
    const body = Buffer.concat([nonce, aesGcmSeal(secret, nonce, plain)]);
    return encodeBase64url(Buffer.concat([hmacSha512t256(signing, body), body]));
  };
  const whole = Buffer.from([0x82, 0xa1, 0x61, 0xa1, 0x62, 0xa1, 0x63, 0xda, 0, 2, 0x64, 0x65]);
  return {
    name: "msgpack of Kocha's cookies",
    run: async (random) => {
      const plain = Buffer.from(random.below(2) === 0 ? random.bytes(random.below(64)) : whole);
      for (let faults = random.below(4); faults > 0 && plain.length > 0; faults--) {
        plain[random.below(plain.length)] = random.pick([
          0xde,
          0xdf,
          0xda,
          0xdb,
          0xd9,
          0xc4,
          0xc6,
          0xff,
          0x8f,
          0xbf,
          random.below(256),
        ]);
      }
      const map = openKochaCookie(seal(plain.subarray(0, random.below(plain.length + 1))), keys);
      if (map === undefined) return undefined;
      for (const [key, value] of map) {
        if (typeof key !== "string" || typeof value !== "string")
          return "msgpack gave what is no string";
        if (key.length + value.length > plain.length) return "msgpack gave more than it held";
      }
      return undefined;
    },
  };
}

/** All subjects, with stores and keys of their own. */
export async function makeSubjects(): Promise<Subject[]> {
  return [
    await headerSubject("cookie store", new SessionCookieStore(newKeys()), true),
    await headerSubject(
      "cookie store, split",
      new SessionCookieStore({ ...newKeys(), maxCookies: 4 }),
      true,
    ),
    await headerSubject("memory store", new SessionMemoryStore(), false),
    await rowSubject(),
    kochaSubject(),
  ];
}

/** Runs `count` inputs over all subjects in turn; throws at the first that is wrong. */
export async function fuzz(
  subjects: readonly Subject[],
  random: SeededRandom,
  count: number,
): Promise<void> {
  for (let done = 0; done < count; done++) {
    const subject = subjects[done % subjects.length];
    if (subject === undefined) return;
    let fault: string | undefined;
    try {
      // Each input decides on the next: the sequence is the seed's.
      fault = await subject.run(random);
    } catch (error) {
      throw new Error(`${subject.name}, input ${done}: it threw`, { cause: error });
    }
    if (fault !== undefined) throw new Error(`${subject.name}, input ${done}: ${fault}`);
  }
}
