// The laws, end to end: a real server with the engine, a real client with a jar, and what both see.
// The same cases test a store behind one server, and a host with our own stores.
import type { SessionConfig } from "../core/config.ts";
import type { RefusedReason } from "../core/events.ts";
import { isSealed, type RejectedReason } from "../core/store.ts";
import { type ConformanceCase, defineCase, must, mustEqual } from "./case.ts";
import { Client, type Reply } from "./client.ts";
import type { TestClock } from "./clock.ts";
import { Gate, probe, type ProbeHandler, type ProbeState, spyOn, type StoreSpy } from "./probe.ts";

/** Serves a handler with sessions of this configuration, on a loopback port. */
export type MakeServer = (
  config: SessionConfig,
  handler: ProbeHandler,
) => Promise<{ readonly url: string; readonly close: () => Promise<void> | void }>;

/** What the laws are run with. */
export interface LawOptions {
  /** What is tested, for messages: "the express host with the memory store". */
  readonly subject: string;
  /** Goes behind each case's id, where one list holds the laws of several stores. */
  readonly suffix: string;
  readonly makeServer: MakeServer;
  /** Fresh stores of one kind; `other` is a second key ring's, for what must not open. */
  readonly makeConfig: () => Promise<{
    readonly config: SessionConfig;
    readonly close: () => Promise<void> | void;
  }>;
  readonly clock: TestClock;
  readonly hasFakeClock: boolean;
  readonly sealed: boolean;
  readonly atomic: boolean;
  /** Whether a sealed store's responses merge in the browser. */
  readonly merges: boolean;
  /** Whether a sealed store's sessions can be revoked. */
  readonly revocable: boolean;
}

/** One running server and what a case needs of it. */
interface Stage {
  readonly url: string;
  readonly client: Client;
  readonly state: ProbeState;
  readonly spy: StoreSpy | undefined;
  readonly config: SessionConfig;
  readonly refused: RefusedReason[];
  readonly rejected: RejectedReason[];
}

const NAME = "session";
/** The session's cookies in a Cookie header, by name. */
const NAMES = /(^|; )session([.=])/g;
/** What a merging store may leave behind at a logout, in bytes of the Cookie header. */
const MAX_TOMBSTONE = 200;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A request of before a regenerate is shut, not unknown, for this long: law L4. */
const GRACE = 60_000;
const RACERS = 12;

/** What clients have sent that broke somebody (docs/security.md, "What went wrong elsewhere"); none opens a session. */
const hostileValues = [
  "",
  "=",
  "==",
  '""',
  '"x"',
  "%00",
  "%48ost",
  "a".repeat(4096),
  "A".repeat(60),
  "AQ",
  "../../etc/passwd",
  "{}",
  "null",
  "j:{}",
  "s:x.y",
  "__proto__",
  "é",
  "\u00a0",
  "\t",
  " , ",
  "1",
  "-1",
  "AAAA".repeat(30),
  "x=y=z",
  "_-_-",
  "AR8C7-1VObwIXziU6NHnHuDbFcH8AAAAAWsEKMUl-rbb-CpKiMK2nvp60auW",
];

/** The cases. */
export function lawCases(options: LawOptions): ConformanceCase[] {
  const { sealed, clock, subject } = options;
  const cases: ConformanceCase[] = [];
  const add = (
    id: string,
    applies: true | string,
    test: (stage: Stage) => Promise<void>,
    more: Partial<SessionConfig> = {},
  ): void => {
    const run = (): Promise<void> => onStage(options, more, test);
    cases.push(defineCase(subject, { id: id + options.suffix, applies, run }));
  };
  const keyed = sealed ? "a cookie session needs no store that could be asked, wait or fail" : true;
  const { merges } = options;
  const lastWins = sealed
    ? "the plain cookie store: the last response wins"
    : "the store isn't atomic: the last writer wins";
  const atomic = (sealed ? merges : options.atomic) ? true : lastWins;
  const isFinal = !sealed || options.revocable;
  const revocable = isFinal
    ? true
    : "without revocations a cookie store ends it in this browser; a copied cookie lives to its end";
  const retired = isFinal ? true : "nothing to fixate: the old cookie holds only what it held";
  const timed = options.hasFakeClock ? true : "the store's clock can't be turned";

  add(
    "L1 merge: requests at once that change different keys all survive",
    atomic,
    async ({ client, state }) => {
      await client.get("/set/base/0");
      const gate = openLater(state, "race", RACERS);
      const names = Array.from({ length: RACERS }, (_, index) => `k${index}`);
      const replies = names.map((key) => client.get(`/gate/race/set/${key}/${key}`));
      await gate.arrived;
      gate.open();
      mustOk(await Promise.all(replies));
      const { body } = await client.get("/dump");
      const wanted = [["base", "0"], ...names.map((key) => [key, key])].toSorted(
        ([one = ""], [other = ""]) => (one < other ? -1 : 1),
      );
      mustEqual(JSON.parse(body), wanted, `after ${RACERS} requests at once`);
    },
  );
  add(
    "L1 notes: a binding or a lifetime refuses no write of another key",
    sealed ? "a cookie carries what is known of it, and merging ones begin anew with it" : atomic,
    async ({ client, state, refused }) => {
      await client.get("/set/base/0");
      const gate = openLater(state, "write", 3);
      const late = ["set/k0/k0", "set/k1/k1", "set/k2/k2/lifetime/7200"].map((what) =>
        client.get(`/get/base/gate/write/${what}`),
      );
      await gate.arrived;
      await client.get("/set/bound/1/bind/alice");
      await client.get("/set/chosen/1/lifetime/3600");
      gate.open();
      mustOk(await Promise.all(late));
      const wanted = ["base", "bound", "chosen", "k0", "k1", "k2"];
      const found = JSON.parse((await client.get("/dump")).body) as [string, string][];
      mustEqual(
        found.map(([key]) => key),
        wanted,
        "the keys that were kept",
      );
      mustEqual(refused, [], "what the observers heard");
    },
  );
  add(
    "L1 whole: of requests at once one state survives, none in parts",
    true,
    async ({ client }) => {
      await client.get("/set/base/0");
      const values = Array.from({ length: RACERS }, (_, index) => String(index));
      mustOk(
        await Promise.all(values.map((value) => client.get(`/set/a/${value}/set/b/${value}`))),
      );
      const found = new Map(JSON.parse((await client.get("/dump")).body) as [string, string][]);
      must(values.includes(found.get("a") ?? ""), "a value that was never written");
      mustEqual(
        [found.get("a"), found.get("base")],
        [found.get("b"), "0"],
        "two keys of one write, and what was there",
      );
    },
  );
  add("L2 logout: it ends the session in this browser", true, async ({ client }) => {
    await client.get("/set/a/1");
    await client.get("/destroy");
    const left = await client.cookieHeader();
    // A merging store leaves a note of the session's end.
    if (merges) must(left.length < MAX_TOMBSTONE, `the browser still sends ${left.length} bytes`);
    else mustEqual(left, "", "what the browser still sends");
    mustEqual((await client.get("/dump")).body, "[]", "what the next request sees");
  });
  add(
    "L2 race: in this browser a slow request that ends after the logout brings nothing back",
    sealed && !merges ? lastWins : true,
    async ({ client, state }) => {
      await client.get("/set/a/1");
      await client.get("/set/b/2");
      const gate = openLater(state, "slow", RACERS);
      const cookie = await client.cookieHeader();
      const slow = Array.from({ length: RACERS }, (_, index) =>
        client.raw(`/get/a/gate/slow/set/late${index}/1`, cookie),
      );
      await gate.arrived;
      await client.get("/destroy");
      gate.open();
      for (const reply of await Promise.all(slow)) await client.keep(reply);
      mustEqual((await client.get("/dump")).body, "[]", "what the browser's next request sees");
      await client.get("/set/fresh/1");
      mustEqual((await client.get("/dump")).body, '[["fresh","1"]]', "what its next session holds");
    },
  );
  add("L2 replay: a copied credential is dead after the logout", revocable, async ({ client }) => {
    await client.get("/set/a/1");
    const thief = await client.copy();
    await client.get("/destroy");
    mustEqual((await thief.get("/dump")).body, "[]", "what a copied credential reads");
    await thief.raw("/set/b/2", await thief.cookieHeader());
    mustEqual((await thief.get("/dump")).body, "[]", "what it reads after it wrote");
  });
  add(
    "L2 late: a slow request that ends after the logout brings nothing back",
    revocable,
    async ({ client, state, refused }) => {
      await client.get("/set/a/1");
      const cookie = await client.cookieHeader();
      const gate = openLater(state, "slow");
      const slow = client.raw("/get/a/gate/slow/set/a/late", cookie);
      await gate.arrived;
      await client.get("/destroy");
      gate.open();
      const late = await slow;
      mustEqual(ours(late), [], "the cookies of the late response");
      mustEqual(
        (await client.raw("/dump", cookie)).body,
        "[]",
        "what the credential reads afterwards",
      );
      mustEqual(refused, ["stale"], "what the observers heard");
    },
  );
  add(
    "L3 barrier: a slow write of before a clear never joins what came after",
    atomic,
    async ({ client, state, refused, rejected }) => {
      await client.get("/set/old/1");
      const gate = openLater(state, "slow");
      const slow = client.raw("/get/old/gate/slow/set/ghost/1", await client.cookieHeader());
      await gate.arrived;
      await client.get("/clear/set/fresh/1");
      gate.open();
      await client.keep(await slow);
      mustEqual((await client.get("/dump")).body, '[["fresh","1"]]', "after the barrier");
      // Where responses merge in the browser, a late one is found out when its cookie comes back.
      if (merges) mustEqual([...new Set(rejected)], ["retired"], "what the observers heard");
      else mustEqual(refused, ["stale"], "what the observers heard");
      await client.get("/set/fresh/2");
      mustEqual((await client.get("/dump")).body, '[["fresh","2"]]', "after another write");
    },
  );
  add("L3 clear: it leaves nothing of before", true, async ({ client }) => {
    await client.get("/set/old/1/flash/hello");
    await client.get("/clear/set/fresh/1");
    mustEqual((await client.get("/dump")).body, '[["fresh","1"]]', "after the clear");
    mustEqual((await client.get("/unflash")).body, "", "the message of before it");
  });
  add("L4 fixation: the old credential never reads what came after", true, async ({ client }) => {
    await client.get("/set/a/1");
    const attacker = await client.copy();
    const { setCookie } = await client.get("/regenerate/set/secret/2");
    mustEqual(setCookie.length > 0, true, "that a new credential is sent");
    mustEqual(
      (await client.get("/dump")).body,
      '[["a","1"],["secret","2"]]',
      "what the new credential reads",
    );
    mustEqual(
      (await attacker.get("/get/secret")).body,
      "",
      "what the old one reads of what came after",
    );
  });
  add(
    "L4 grace: the old credential reads nothing, sets no cookie, and can end the session",
    retired,
    async ({ client, refused }) => {
      await client.get("/set/a/1");
      const old = await client.cookieHeader();
      await client.get("/regenerate");
      mustEqual((await client.raw("/dump", old)).body, "[]", "what the old credential reads");
      const write = await client.raw("/set/a/2", old);
      mustEqual(ours(write), [], "the cookies of a write with it");
      mustEqual(refused, ["grace"], "what the observers heard");
      mustEqual((await client.get("/get/a")).body, "1", "what the new one reads");
      await client.raw("/destroy", old);
      mustEqual(
        (await client.get("/dump")).body,
        "[]",
        "what the new one reads after the old one's logout",
      );
    },
  );
  add(
    "L4 retired: after the grace the old credential is unknown",
    retired === true ? timed : retired,
    async ({ client }) => {
      await client.get("/set/a/1");
      const old = await client.cookieHeader();
      await client.get("/regenerate");
      await clock.advance(GRACE + 1000);
      const write = await client.raw("/set/b/2", old);
      mustEqual(
        ours(write).filter((cookie) => !isEnd(cookie)).length,
        1,
        "how many cookies a write with it sets, but for those that end: a session of its own",
      );
      mustEqual((await client.get("/dump")).body, '[["a","1"]]', "what the new credential reads");
    },
  );
  add(
    "L4 adoption: a credential that the client made up is never taken",
    true,
    async ({ client }) => {
      const made = `${NAME}=${"A".repeat(60)}`;
      const reply = await client.raw("/set/a/1", made);
      mustEqual(ours(reply).length, 1, "how many cookies it sets");
      must(
        !ours(reply).some((cookie) => cookie.startsWith(made)),
        "the made-up credential was adopted",
      );
    },
  );
  add(
    "L5 reads: a request that only reads changes and sends nothing",
    true,
    async ({ client, spy }) => {
      await client.get("/set/a/1");
      const saves = spy?.saves;
      for (const path of ["/get/a", "/dump", "/size", "/id", "/get/nowhere"]) {
        mustEqual((await client.get(path)).setCookie, [], `the cookies of ${path}`);
      }
      mustEqual(spy?.saves, saves, "how often the store was asked to save");
    },
  );
  add("L5 renewal: it is throttled, sent, and never shortens", timed, async ({ client }) => {
    await client.get("/set/a/1");
    await clock.advance(HOUR);
    mustEqual(
      (await client.get("/get/a")).setCookie,
      [],
      "the cookies of a read after a 24th of the window",
    );
    await clock.advance(3 * HOUR);
    mustEqual(
      (await client.get("/status/200")).setCookie,
      [],
      "the cookies of a request that doesn't look",
    );
    mustEqual(
      (await client.get("/get/a")).setCookie.length,
      1,
      "how many a read sends after a sixth of it",
    );
    await clock.advance(22 * HOUR);
    mustEqual((await client.get("/get/a")).body, "1", "what is read within the renewed window");
  });
  add(
    "L6 idle: without a cookie nothing is asked, stored or set",
    true,
    async ({ client, spy }) => {
      for (const path of [
        "/status/200",
        "/dump",
        "/get/a",
        "/clear",
        "/set/a/1/del/a",
        "/destroy",
      ]) {
        const reply = await client.raw(path, undefined);
        mustEqual(reply.setCookie, [], `the cookies of ${path}`);
      }
      mustEqual([spy?.loads ?? 0, spy?.saves ?? 0], [0, 0], "how often the store was asked");
    },
  );
  add("L6 unchanged: an equal value is no change", true, async ({ client, spy }) => {
    await client.get("/set/a/1");
    const saves = spy?.saves;
    for (const path of ["/set/a/1", "/set/a/2/set/a/1", "/set/b/1/del/b", "/del/nowhere"]) {
      mustEqual((await client.get(path)).setCookie, [], `the cookies of ${path}`);
    }
    mustEqual(spy?.saves, saves, "how often the store was asked to save");
  });
  add("L7 redirect: it always finds what was written", true, async ({ client }) => {
    for (let round = 0; round < 10; round++) {
      const { status } = await client.get(`/set/round/${round}/redirect`);
      mustEqual(status, 303, "the status");
      mustEqual((await client.get("/get/round")).body, String(round), "what the next page reads");
    }
  });
  add(
    "L7 held: the client sees nothing of the response before the save is done",
    keyed,
    async ({ client, spy }) => {
      await client.get("/set/a/1");
      must(spy !== undefined, "there is no spy");
      const gate = new Gate();
      spy.saveGate = gate;
      let seen = false;
      const held = client.get("/set/a/2").then((reply) => {
        seen = true;
        return reply;
      });
      await gate.arrived;
      spy.saveGate = undefined;
      // Other requests come and go meanwhile: the server is not asleep.
      for (let round = 0; round < 3; round++) await client.raw("/status/200", undefined);
      must(!seen, "the response came before its session was saved");
      gate.open();
      mustEqual((await held).status, 200, "the status, once it is saved");
      mustEqual((await client.get("/get/a")).body, "2", "what was saved");
    },
  );
  add(
    "L7 thrown: what a handler changed before it threw is saved with the error",
    true,
    async ({ client, config }) => {
      await client.get("/set/a/1");
      const reply = await client.get("/set/a/2/throw");
      must(reply.status >= 500, `the status is ${reply.status}`);
      const wasSent = isSealed(config.store) ? ours(reply).length : 1;
      mustEqual(wasSent, 1, "how many cookies the error response sets");
      mustEqual((await client.get("/get/a")).body, "2", "what is read afterwards");
    },
  );
  add(
    "L8 late: a change after the response has begun is an error",
    true,
    async ({ client, state }) => {
      await client.get("/set/a/1");
      let code = "";
      try {
        state.last?.set("a", "late");
      } catch (error) {
        code = (error as { code?: string }).code ?? "";
      }
      mustEqual(code, "ERR_SESSION_USAGE_HEADERS_SENT", "the error's code");
      mustEqual((await client.get("/get/a")).body, "1", "what is read afterwards");
    },
  );
  add(
    "L8 large: what doesn't fit is the host's error response, and what was there stays",
    true,
    async ({ client, config }) => {
      await client.get("/set/a/1");
      const size = isSealed(config.store) ? 9000 : 70_000;
      const reply = await client.get(`/fill/big/${size}`);
      must(reply.status >= 500, `the status is ${reply.status}`);
      mustEqual(ours(reply), [], "the session cookies of that response");
      mustEqual((await client.get("/dump")).body, '[["a","1"]]', "what is read afterwards");
    },
  );
  add(
    "L9 load: a store that can't answer is an error, and the cookie stays",
    keyed,
    async ({ client, spy }) => {
      await client.get("/set/a/1");
      must(spy !== undefined, "there is no spy");
      spy.fault = "load";
      const reply = await client.get("/get/a");
      must(reply.status >= 500, `the status is ${reply.status}`);
      mustEqual(reply.setCookie, [], "the cookies of that response");
      spy.fault = undefined;
      mustEqual((await client.get("/get/a")).body, "1", "what is read when the store is back");
    },
  );
  add(
    "L9 save: a change that can't be saved is an error, and nothing is set",
    keyed,
    async ({ client, spy }) => {
      must(spy !== undefined, "there is no spy");
      spy.fault = "save";
      const reply = await client.get("/set/a/1");
      must(reply.status >= 500, `the status is ${reply.status}`);
      mustEqual(ours(reply), [], "the session cookies of that response");
      spy.fault = undefined;
      mustEqual((await client.get("/dump")).body, "[]", "what is read when the store is back");
    },
  );
  add(
    "L9 owed: a new credential that was saved goes out, also when a later save fails",
    keyed,
    async ({ client, spy, state }) => {
      await client.get("/set/a/1");
      must(spy !== undefined, "there is no spy");
      const gate = openLater(state, "between");
      const pending = client.get("/regenerate/gate/between/set/b/2");
      await gate.arrived;
      spy.fault = "save";
      gate.open();
      const reply = await pending;
      must(reply.status >= 500, `the status is ${reply.status}`);
      mustEqual(ours(reply).length, 1, "how many session cookies the error response sets");
      spy.fault = undefined;
      mustEqual((await client.get("/dump")).body, '[["a","1"]]', "what the new credential reads");
    },
  );
  add("L10 idle: a replayed cookie is dead after the idle timeout", timed, async ({ client }) => {
    await client.get("/set/a/1");
    const cookie = await client.cookieHeader();
    await clock.advance(DAY - 1000);
    mustEqual((await client.raw("/get/a", cookie)).body, "1", "what it reads a second before");
    const renewed = await client.raw("/get/a", cookie);
    await clock.advance(DAY + 2000);
    mustEqual((await client.raw("/get/a", cookie)).body, "", "what it reads after it");
    void renewed;
  });
  add(
    "L10 own: a session's own idle timeout ends it earlier, and its renewals keep to it",
    timed,
    async ({ client }) => {
      await client.get("/set/a/1");
      await client.get("/idle/3600");
      for (let minutes = 0; minutes < 120; minutes += 50) {
        await clock.advance((50 * HOUR) / 60);
        mustEqual(
          (await client.get("/get/a")).body,
          "1",
          `what is read after ${minutes + 50} minutes`,
        );
      }
      const cookie = await client.cookieHeader();
      await clock.advance(HOUR + 2000);
      mustEqual((await client.raw("/get/a", cookie)).body, "", "what a copy reads after an hour");
    },
  );
  add(
    "L10 absolute: no use and no renewal goes past the absolute timeout",
    timed,
    async ({ client }) => {
      await client.get("/set/a/1");
      for (let hours = 0; hours < 47; hours++) {
        await clock.advance(HOUR);
        mustEqual(
          (await client.get("/get/a")).body,
          "1",
          `what is read after ${hours + 1} hours of use`,
        );
      }
      await clock.advance(HOUR + 2000);
      mustEqual((await client.get("/get/a")).body, "", "what is read after two days");
    },
    { absoluteExpires: 2 * 86_400 },
  );
  add("L11 names: a cookie is good under its own name alone", true, async ({ client, config }) => {
    await client.get("/set/a/1");
    const cookie = await client.cookieHeader();
    const { url, close } = await options.makeServer(
      { ...config, name: "other" },
      probe({ gates: new Map(), last: undefined, caught: undefined }),
    );
    try {
      const moved = cookie.replaceAll(NAMES, "$1other$2");
      mustEqual(
        (await new Client(url).raw("/dump", moved)).body,
        "[]",
        "what it reads under another name",
      );
    } finally {
      await close();
    }
  });
  add(
    "L11 rest: neither the cookie nor the session's handle tells or opens anything",
    true,
    async ({ client }) => {
      await client.get("/set/who/alice-in-plain-sight");
      const cookie = await client.cookieHeader();
      must(!cookie.includes("alice"), "the cookie holds the value in plain sight");
      must(!atobSafe(cookie).includes("alice"), "the cookie holds the value in base64");
      const { body: id } = await client.get("/id");
      mustEqual((await client.raw("/dump", `${NAME}=${id}`)).body, "[]", "what the handle opens");
      for (const at of [20, 40, cookie.length - 1]) {
        const changed =
          cookie.slice(0, at) + (cookie[at] === "A" ? "B" : "A") + cookie.slice(at + 1);
        mustEqual(
          (await client.raw("/dump", changed)).body,
          "[]",
          `what a cookie reads that was changed at ${at}`,
        );
      }
    },
  );
  add(
    "L12 hostile: no cookie that a client makes up opens or breaks anything",
    true,
    async ({ client }) => {
      for (const value of hostileValues) {
        const header = `${NAME}=${value}`;
        const { status, body } = await client.raw("/dump", header);
        mustEqual(
          [status, body],
          [200, "[]"],
          `what a hostile value of ${value.length} characters gives`,
        );
      }
    },
  );
  add(
    "L12 several: of several cookies of one name the good one is found, and none is expired",
    true,
    async ({ client }) => {
      await client.get("/set/a/1");
      const cookie = await client.cookieHeader();
      const junk = `${NAME}=junk`;
      for (const header of [
        `${junk}; ${cookie}`,
        `${cookie}; ${junk}`,
        `${junk}; ${junk}; ${cookie}`,
      ]) {
        const reply = await client.raw("/get/a", header);
        mustEqual([reply.body, reply.setCookie], ["1", []], "what is read, and set");
      }
    },
  );
  return cases;
}

async function onStage(
  options: LawOptions,
  more: Partial<SessionConfig>,
  test: (stage: Stage) => Promise<void>,
): Promise<void> {
  const made = await options.makeConfig();
  const { store } = made.config;
  const spy: StoreSpy | undefined = isSealed(store) ? undefined : spyOn(store);
  const refused: RefusedReason[] = [];
  const rejected: RejectedReason[] = [];
  const config: SessionConfig = {
    ...made.config,
    ...more,
    name: NAME,
    store: spy?.store ?? store,
    secure: false,
    now: options.clock.now,
    // A slow machine under test is no store that hangs.
    storeTimeout: 30,
    on: {
      refused: ({ reason }) => void refused.push(reason),
      rejected: ({ reason }) => void rejected.push(reason),
    },
  };
  const state: ProbeState = { gates: new Map(), last: undefined, caught: undefined };
  const { url, close } = await options.makeServer(config, probe(state));
  try {
    await test({ url, client: new Client(url), state, spy, config, refused, rejected });
  } finally {
    for (const gate of state.gates.values()) gate.open();
    await close();
    await made.close();
  }
}

function openLater(state: ProbeState, name: string, count = 1): Gate {
  const gate = new Gate(count);
  state.gates.set(name, gate);
  return gate;
}

/** The session's own among the cookies of a response. */
function ours(reply: Reply): readonly string[] {
  return reply.setCookie.filter((cookie) => cookie.startsWith(NAME));
}

/** Whether a Set-Cookie value takes a cookie away. */
function isEnd(setCookie: string): boolean {
  return /; Max-Age=0(;|$)/.test(setCookie);
}

function mustOk(replies: readonly Reply[]): void {
  for (const { status } of replies) mustEqual(status, 200, "the status");
}

function atobSafe(text: string): string {
  const value = text
    .slice(text.indexOf("=") + 1)
    .replaceAll("-", "+")
    .replaceAll("_", "/");
  return atob(value.slice(0, value.length - (value.length % 4)));
}
