// Cookie headers made of real cookies: flipped, cut, spliced, under swapped names, mixed between
// sessions, among junk. A session that opens must have been sealed by one response, all of whose cookies are
// in the header, whole and under their own names.
import { type Session, type SessionConfig, SessionMiddleware } from "kocha-session";
import { encodeBase64url } from "#crypto";
import type { SeededRandom } from "./random.ts";
import { describe, EMPTY, findSealedFault, type Subject } from "./subject.ts";

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const headerAlphabet = `${base64url}=; ,"\\%.\t\u0000\u00a0\ufeff\u2028é`;
/** The cookie name that all subjects of this file use. */
export const NAME = "session";
const OTHER_NAME = "other";

/** A name and a value. */
export type Pair = readonly [name: string, value: string];

/** Sessions to make cookies of, the last one too large for one cookie. */
const samples: readonly (readonly Pair[])[] = [
  [["name", "alice"]],
  [["", ""]],
  [["__proto__", "polluted"]],
  [
    ["constructor", "x"],
    ["cart", '[{"id":1}]'],
  ],
  [["wide", "\u{1F36A}\u0000é".repeat(40)]],
  Array.from({ length: 40 }, (_, index): Pair => [`key${index}`, "v".repeat(index)]),
];
const largeSamples: readonly (readonly Pair[])[] = ["x", "y"].map((unit): readonly Pair[] => [
  ["large", unit.repeat(7000)],
]);

/** Options of a subject. */
export interface HeaderOptions {
  readonly config: Omit<SessionConfig, "name">;
  /** True: sessions may take several cookies. */
  readonly isSplit?: boolean;
  /** True: a session may be joined from several responses' cookies. */
  readonly isJoined?: boolean;
  /** Cookies that this engine didn't make but accepts. */
  readonly foreign?: readonly Pair[];
  /** A planted bug between the header and the engine, for the fuzzer's own tests. */
  readonly plant?: (open: Open, real: readonly Pair[]) => Open;
}

/** Opens a header. */
type Open = (header: string) => Promise<Session>;

function pairsOf(setCookie: readonly string[]): Pair[] {
  return setCookie.flatMap((cookie): Pair[] => {
    const pair = cookie.split(";", 1)[0] ?? "";
    const equals = pair.indexOf("=");
    const [name, value] = [pair.slice(0, equals), pair.slice(equals + 1)];
    return value === "" ? [] : [[name, value]];
  });
}

function headerOf(pairs: readonly Pair[], separator = "; "): string {
  return pairs.map(([name, value]) => `${name}=${value}`).join(separator);
}

/** The cookies of one response, which together are the session. */
interface Sealed {
  readonly pairs: readonly Pair[];
  readonly data: string;
}

/**
 * Sessions with their cookies: each is created, then changed by two concurrent requests, so that a store
 * that keeps both changes has several cookies of one session.
 */
async function sealSamples(engine: SessionMiddleware, isSplit: boolean): Promise<Sealed[]> {
  const sealed: Sealed[] = [];
  const commit = async (session: Session): Promise<readonly Pair[]> => {
    const pairs = pairsOf((await engine.commit(session)).setCookie);
    if (pairs.length > 0) sealed.push({ pairs, data: describe(session) });
    return pairs;
  };
  for (const sample of isSplit ? [...samples, ...largeSamples] : samples) {
    const first = await engine.open(undefined);
    for (const [key, value] of sample) first.set(key, value);
    const header = headerOf(await commit(first));
    const racers = [await engine.open(header), await engine.open(header)];
    for (const [index, session] of racers.entries()) {
      session.set(`racer${index}`, String(index));
      await commit(session);
    }
  }
  return sealed;
}

function isBlank(unit: string | undefined): boolean {
  return unit === " " || unit === "\t";
}

/** The header's real cookies in its order, white space around their parts allowed. */
function wholePairs(header: string, real: ReadonlySet<string>): Pair[] {
  return header.split(";").flatMap((part): Pair[] => {
    const equals = part.indexOf("=");
    const pair: Pair = [trim(part.slice(0, Math.max(equals, 0))), trim(part.slice(equals + 1))];
    return real.has(pair.join("=")) ? [pair] : [];
  });
}

/** Trims only spaces and tabs, unlike trim(). */
function trim(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text[start])) start++;
  while (end > start && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}

/** A subject of Cookie headers over one configuration. */
export async function headerSubject(name: string, options: HeaderOptions): Promise<Subject> {
  const config = { ...options.config, name: NAME };
  const engine = new SessionMiddleware(config);
  const { isSplit = false, isJoined = false, foreign = [] } = options;
  const own: Open = async (header) => engine.open(header);
  const sealed = await sealSamples(engine, isSplit);
  for (const pair of foreign) {
    sealed.push({ pairs: [pair], data: describe(await own(headerOf([pair]))) });
  }
  // A row has changed since its first ticket was sent: all its tickets open the current row.
  const isKept = !("sealed" in config.store);
  const known = await Promise.all(
    sealed.map(async ({ pairs, data }) => ({
      pairs,
      data: isKept ? describe(await own(headerOf(pairs))) : data,
    })),
  );
  const clients = known.map(({ pairs }) => pairs);
  const stranger = new SessionMiddleware({ ...config, name: OTHER_NAME });
  const strangers = (await sealSamples(stranger, isSplit)).map(({ pairs }) => pairs);
  const real = clients.flat();
  const names = new Set(real.map((pair) => pair.join("=")));
  const open = options.plant?.(own, real) ?? own;

  const isSealed = async (header: string, found: string): Promise<boolean> => {
    const whole = wholePairs(header, names);
    if (isJoined) return found === describe(await own(headerOf(whole)));
    const here = new Set(whole.map((pair) => pair.join("=")));
    return known.some(
      ({ pairs, data }) => data === found && pairs.every((pair) => here.has(pair.join("="))),
    );
  };
  return {
    name,
    run: async (random) => {
      const header = makeHeader(random, clients, strangers);
      const session = await open(header);
      const fault = findSealedFault(session);
      const found = describe(session);
      if (fault !== undefined) return { fault: `${fault}: ${JSON.stringify(header)}` };
      if (found === EMPTY) return "refused";
      if (await isSealed(header, found)) return "accepted";
      return { fault: `accepted what was never sealed: ${JSON.stringify(header)}` };
    },
  };
}

/** A client's and others' cookies, with faults in values, names and order, among junk. */
function makeHeader(
  random: SeededRandom,
  clients: readonly (readonly Pair[])[],
  strangers: readonly (readonly Pair[])[],
): string {
  const anyOf = (list: readonly (readonly Pair[])[]): readonly Pair[] =>
    list[random.below(list.length)] ?? [];
  const anyPair = (pairs: readonly Pair[]): Pair => pairs[random.below(pairs.length)] ?? [NAME, ""];
  const pairs = [...anyOf(clients)];
  for (let faults = random.below(4); faults > 0; faults--) {
    const at = random.below(pairs.length + 1);
    const [oldName, oldValue] = pairs[at] ?? [NAME, ""];
    const [otherName, otherValue] = anyPair(anyOf(random.below(2) === 0 ? clients : strangers));
    random.pick<() => unknown>([
      () => (pairs[at] = [oldName, random.damage(oldValue, otherValue, base64url)]),
      () => (pairs[at] = [oldName, random.damage(oldValue, otherValue, base64url)]),
      () => (pairs[at] = [oldName, otherValue]),
      () => (pairs[at] = [otherName, oldValue]),
      () => (pairs[at] = [`${NAME}.split${1 + random.below(5)}`, oldValue]),
      () => (pairs[at] = [`${NAME}.${random.text(base64url, 7)}`, oldValue]),
      () => (pairs[at] = [random.damage(oldName, otherName, headerAlphabet), oldValue]),
      () => pairs.splice(at, 1),
      () => pairs.splice(at, 0, [otherName, otherValue]),
      () => pairs.splice(at, 0, [NAME, random.text(base64url, 120)]),
      () => pairs.splice(at, 0, [NAME, encodeBase64url(random.bytes(random.below(200)))]),
      () => pairs.splice(at, 0, [random.text(headerAlphabet, 8), random.text(headerAlphabet, 60)]),
      () => pairs.push(...pairs.splice(0, at)),
    ])();
  }
  const header = headerOf(pairs, random.pick(["; ", "; ", ";", " ;\t", ", "]));
  return random.pick<() => string>([
    () => header,
    () => header,
    () => `${random.text(headerAlphabet, 60)}; ${header}; ${random.text(headerAlphabet, 60)}`,
    () => random.damage(header, headerOf(anyOf(clients)), headerAlphabet),
    () => random.text(headerAlphabet, 300),
  ])();
}
