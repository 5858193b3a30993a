// Proofs and keys of hostile clients at the endpoint: each is refused by its own reason, and none is an error
// of the server.
import { afterEach, describe, expect, it } from "vitest";
import { nodeServer } from "../../src/testing/store-laws.ts";
import { challengeIn, DeviceKeyPair } from "../support/device-browser.ts";
import { isFresh, type Site, startSite, type StoreParts, stores } from "./site.ts";

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function open(): Promise<Site> {
  const site = await startSite(nodeServer, stores["a store that answers later"] as StoreParts);
  closing.push(site.close);
  return site;
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a proof", () => {
  it("is refused as malformed, whatever JSON its parts are", async () => {
    const site = await open();
    const browser = await site.bound();
    const challenge = challengeIn(await browser.ask(undefined));
    const head = { typ: "dbsc+jwt", alg: "ES256" };
    const claims = { jti: challenge };
    const signature = "A".repeat(86);
    for (const [first, second] of [
      [null, claims],
      [head, null],
      [1, claims],
      ["text", claims],
      [[head], claims],
      [{ ...head, alg: 1 }, claims],
      [{ ...head, alg: ["ES256"] }, claims],
      [head, { jti: 1 }],
      [head, { jti: null }],
      [head, {}],
      [{ ...head, long: "x".repeat(1600) }, claims],
      [head, { ...claims, long: "x".repeat(800) }],
    ]) {
      const proof = `${part(first)}.${part(second)}.${signature}`;
      const reply = await browser.ask(proof);
      expect([proof, reply.status, site.events.at(-1)]).toEqual([
        proof,
        403,
        "challenged: malformed",
      ]);
    }
    for (const proof of [
      "..",
      "A.A.A.A",
      `${part(head)}.${part(claims)}.A`,
      "//8.//8.//8",
      "é.é.é",
    ]) {
      const reply = await browser.ask(encodeURI(proof));
      expect([proof, reply.status, site.events.at(-1)]).toEqual([
        proof,
        403,
        "challenged: malformed",
      ]);
    }
  });
});

describe("a refresh", () => {
  it("may say any mode of a request, unlike a registration", async () => {
    const site = await open();
    const browser = await site.bound();
    for (const mode of ["cors", "navigate", "same-origin", "no-cors"]) {
      const asked = { "sec-secure-session-id": browser.identifier, "sec-fetch-mode": mode };
      const visit = (headers: Readonly<Record<string, string>>) =>
        browser.visit("/session/device", { method: "POST", headers });
      const proof = await browser.device.proof(challengeIn(await visit(asked)));
      expect(isFresh(await visit({ ...asked, "secure-session-response": proof }))).toBe(true);
    }
  });
});

describe("a key", () => {
  it("is refused with members that are missing, of another kind or of another length", async () => {
    const site = await open();
    for (const alg of ["ES256", "RS256"] as const) {
      const browser = await site.browser(alg);
      const challenge = challengeIn(await browser.visit("/login"));
      const jwk = browser.device.jwk as Readonly<Record<string, string>>;
      const bytes = (name: string): Buffer => Buffer.from(jwk[name] ?? "", "base64url");
      const text = (...parts: readonly Uint8Array[]): string =>
        Buffer.concat(parts).toString("base64url");
      const wrong: readonly object[] =
        alg === "ES256"
          ? [
              { ...jwk, kty: "OKP" },
              { ...jwk, kty: undefined },
              { ...jwk, crv: undefined },
              { ...jwk, x: 1 },
              { ...jwk, y: null },
              // 33 and 31 bytes are 64, too.
              {
                ...jwk,
                x: text(bytes("x"), bytes("y").subarray(0, 1)),
                y: text(bytes("y").subarray(1)),
              },
            ]
          : [
              { ...jwk, kty: "EC" },
              { ...jwk, kty: undefined },
              { ...jwk, e: undefined },
              { ...jwk, n: [] },
              // 2048 bits in 257 bytes: another text of the same key.
              { ...jwk, n: text(Buffer.of(0), bytes("n")) },
            ];
      for (const one of [...wrong, null, "key", 1, [jwk], {}]) {
        const proof = await browser.device.proof(challenge, { jwk: one });
        const headers = { "secure-session-response": proof };
        const reply = await browser.visit("/session/device", { method: "POST", headers });
        expect([one, reply.status, site.events.at(-1)]).toEqual([one, 400, "refused: key"]);
      }
    }
  });

  it("of 4096 bits has an identifier that fits, and refreshes", async () => {
    const site = await open();
    const browser = await site.browser();
    const big = Object.assign(browser, { device: await DeviceKeyPair.make("RS256", 4096) });
    expect((await big.register(await big.visit("/login"))).status).toBe(200);
    expect(big.identifier).toHaveLength(734);
    expect((await big.refresh()).setCookie).not.toEqual([]);
    expect(await big.read()).toMatchObject({ user: "ann", device: "bound" });
  });
});
