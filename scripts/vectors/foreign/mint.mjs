// `npm ci --no-engine-strict && node mint.mjs` in this folder: mints cookies with the real libraries,
// each through its own public interface, and writes vectors/foreign-cookies.json with what each of
// them holds. The readers of kocha-session/compat are tested against that file.
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import cookieSession from "cookie-session";
import fastify from "fastify";
import { H3, updateSession } from "h3";
import * as h3v1 from "h3v1";
import { getIronSession, webCookies } from "iron-session";
import { getIronSession as getIronSession8 } from "iron-session8";
import { createCookieSessionStorage } from "react-router";
import secureSession from "@fastify/secure-session";

const plain = { user: "alice", cart: [{ sku: "a1", qty: 2 }], admin: false, name: "Zoë 💙" };
const large = { ...plain, notes: randomBytes(3600).toString("base64") };
const secret = () => randomBytes(24).toString("base64");
const cases = [];

/** The Cookie header that a browser sends back for these Set-Cookie values. */
const toHeader = (setCookies) =>
  setCookies
    .map((one) => one.split(";", 1)[0])
    .filter((pair) => !/^[^=]*=$/.test(pair))
    .join("; ");

function add(library, reader, name, options, setCookies, data, more = {}) {
  const manifest = JSON.parse(readFileSync(`node_modules/${library}/package.json`, "utf8"));
  const source = `npm ${manifest.name}@${manifest.version}`;
  const { license } = manifest;
  cases.push({
    reader,
    name,
    source,
    license,
    options,
    cookie: toHeader(setCookies),
    data,
    ...more,
  });
}

// iron-session 9 and 8
async function iron9(options, data) {
  const headers = new Headers();
  const request = new Request("https://example.org/");
  const session = await getIronSession(webCookies(request, headers), options);
  Object.assign(session, data);
  await session.save();
  return headers.getSetCookie();
}
async function iron8(options, data) {
  const response = new Response();
  const session = await getIronSession8(new Request("https://example.org/"), response, options);
  Object.assign(session, data);
  await session.save();
  return response.headers.getSetCookie();
}
const hour = 3600;
for (const [library, mint] of [
  ["iron-session", iron9],
  ["iron-session8", iron8],
]) {
  const one = { cookieName: "iron", password: secret() };
  add(library, "iron-session", "one password", one, await mint(one, plain), plain, {
    lifetime: 14 * 24 * hour,
  });
  const rotated = { cookieName: "iron", password: { 1: secret(), 2: secret() } };
  const old = { cookieName: "iron", password: { 1: rotated.password[1] } };
  add(
    library,
    "iron-session",
    "the older of two passwords",
    rotated,
    await mint(old, plain),
    plain,
  );
  add(
    library,
    "iron-session",
    "the newer of two passwords",
    rotated,
    await mint(rotated, plain),
    plain,
  );
  const brief = { ...one, ttl: hour };
  add(library, "iron-session", "an hour", one, await mint(brief, plain), plain, { lifetime: hour });
  const ever = { ...one, ttl: 0 };
  add(library, "iron-session", "without an end", one, await mint(ever, plain), plain, {
    lifetime: null,
  });
}
const chunked = { cookieName: "iron", password: secret() };
const chunks = await iron9({ ...chunked, chunk: true }, large);
add("iron-session", "iron-session", "in chunks", chunked, chunks, large);

// h3 2 and 1
async function h3Two(config, data) {
  const app = new H3().get("/", async (event) => {
    await updateSession(event, config, data);
    return "ok";
  });
  return (await app.request("/")).headers.getSetCookie();
}
async function h3One(config, data) {
  const app = h3v1.createApp();
  const handler = async (event) => {
    await h3v1.updateSession(event, config, data);
    return "ok";
  };
  app.use("/", h3v1.eventHandler(handler));
  const answer = await h3v1.toWebHandler(app)(new Request("http://localhost/"));
  return answer.headers.getSetCookie();
}
for (const [library, mint] of [
  ["h3", h3Two],
  ["h3v1", h3One],
]) {
  const one = { password: secret() };
  add(library, "h3", "by default", one, await mint(one, plain), plain, { lifetime: null });
  const aged = { name: "nuxt-session", password: secret(), maxAge: 7 * hour };
  add(library, "h3", "with maxAge", aged, await mint(aged, plain), plain, { lifetime: 7 * hour });
  const big = { password: secret() };
  add(library, "h3", "in chunks", big, await mint(big, large), large);
}
const idle = { password: secret(), idleTimeout: hour };
add("h3", "h3", "with idleTimeout", idle, await h3Two(idle, plain), plain, { lifetime: hour });

// cookie-session
async function cookieSession2(options, data) {
  // A copy: it writes into its options.
  const middleware = cookieSession({ ...options });
  const server = createServer((req, res) =>
    middleware(req, res, () => {
      Object.assign(req.session, data);
      res.end();
    }),
  );
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/`);
  server.close();
  return answer.headers.getSetCookie();
}
const keys = [secret(), secret()];
add(
  "cookie-session",
  "cookie-session",
  "the newer of two keys",
  { keys },
  await cookieSession2({ keys }, plain),
  plain,
  { lifetime: null },
);
add(
  "cookie-session",
  "cookie-session",
  "the older of two keys",
  { keys },
  await cookieSession2({ keys: [keys[1]] }, plain),
  plain,
);
const named = { name: "sess", keys: [secret()] };
add(
  "cookie-session",
  "cookie-session",
  "another name",
  named,
  await cookieSession2(named, plain),
  plain,
);

// @fastify/secure-session
async function secure(options, data) {
  const app = fastify();
  await app.register(secureSession, options);
  app.get("/", async (request) => {
    for (const [key, value] of Object.entries(data)) request.session.set(key, value);
    return "ok";
  });
  const { headers } = await app.inject("/");
  await app.close();
  return [headers["set-cookie"]].flat();
}
const keyOne = randomBytes(32);
const keyTwo = randomBytes(32);
const base64 = (key) => key.toString("base64");
const byKey = { key: base64(keyOne) };
add(
  "@fastify/secure-session",
  "secure-session",
  "by key",
  byKey,
  await secure({ key: keyOne }, plain),
  plain,
  { lifetime: 86_401 },
);
const both = { cookieName: "sec", key: [base64(keyOne), base64(keyTwo)] };
add(
  "@fastify/secure-session",
  "secure-session",
  "the older of two keys",
  both,
  await secure({ cookieName: "sec", key: [keyTwo] }, plain),
  plain,
);
const aged = { key: base64(keyOne), expiry: hour };
add(
  "@fastify/secure-session",
  "secure-session",
  "with expiry",
  aged,
  await secure({ key: keyOne, expiry: hour }, plain),
  plain,
  { lifetime: hour },
);
const bySecret = { secret: secret() };
add(
  "@fastify/secure-session",
  "secure-session",
  "by secret",
  bySecret,
  await secure(bySecret, plain),
  plain,
);

// React Router
async function reactRouter(cookie, data) {
  const { getSession, commitSession } = createCookieSessionStorage({ cookie });
  const session = await getSession();
  for (const [key, value] of Object.entries(data)) session.set(key, value);
  return [await commitSession(session)];
}
const secrets = [secret(), secret()];
add(
  "react-router",
  "react-router",
  "the newer of two secrets",
  { secrets },
  await reactRouter({ name: "__session", secrets }, plain),
  plain,
  { lifetime: null },
);
add(
  "react-router",
  "react-router",
  "the older of two secrets",
  { secrets },
  await reactRouter({ name: "__session", secrets: [secrets[1]] }, plain),
  plain,
);
const other = { name: "rr", secrets: [secret()] };
add("react-router", "react-router", "another name", other, await reactRouter(other, plain), plain);

const file = {
  comment:
    "Cookies of other libraries, minted by scripts/vectors/foreign/mint.mjs with the real packages. " +
    "now: Unix milliseconds, shortly after; lifetime: seconds, null: no end inside.",
  now: Date.now(),
  cases,
};
writeFileSync("../../../vectors/foreign-cookies.json", `${JSON.stringify(file, null, 2)}\n`);
console.log(`${cases.length} cookies`);
