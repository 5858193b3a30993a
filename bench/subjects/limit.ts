// What nothing that encrypts can beat: AES-256-GCM of the raw bytes with a key that is cached,
// pooled randomness and base64url, and no codec at all. Over HTTP it is the floor: a handler that
// finds the cookie in the header by hand and opens it.
import { createCipheriv, createDecipheriv, createSecretKey, randomFillSync } from "node:crypto";
import { keyBytes, loginData } from "../lib/data.ts";
import type { Subject } from "../lib/subject.ts";
import { onExpress } from "../http/hosts/express.ts";
import { onFastify } from "../http/hosts/fastify.ts";
import { onFetch } from "../http/hosts/fetch.ts";
import { onH3 } from "../http/hosts/h3.ts";
import { onHono } from "../http/hosts/hono.ts";
import { onKoa } from "../http/hosts/koa.ts";
import { onNode } from "../http/hosts/node.ts";
import { page } from "../http/routes.ts";

const key = createSecretKey(keyBytes("limit"));
const nonceBytes = 12;
const tagBytes = 16;
const options = { authTagLength: tagBytes };
const pool = Buffer.alloc(4096);
let used = pool.length;

function nonce(): Buffer {
  if (used + nonceBytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += nonceBytes;
  return Buffer.from(pool.subarray(used - nonceBytes, used));
}

function seal(plaintext: Buffer): string {
  const iv = nonce();
  const cipher = createCipheriv("aes-256-gcm", key, iv, options);
  const sealed = cipher.update(plaintext);
  cipher.final();
  return Buffer.concat([iv, sealed, cipher.getAuthTag()]).toString("base64url");
}

function open(value: string): Buffer {
  const bytes = Buffer.from(value, "base64url");
  const split = bytes.length - tagBytes;
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes), options);
  decipher.setAuthTag(bytes.subarray(split));
  const plaintext = decipher.update(bytes.subarray(nonceBytes, split));
  decipher.final();
  return plaintext;
}

const plaintext = Buffer.from(JSON.stringify(loginData));
const start = plaintext.indexOf("alice");

/** The name stands where it always stands: what it costs to parse a session isn't in the floor. */
function nameOf(bytes: Buffer): string {
  return bytes.toString("latin1", start, start + "alice".length);
}

function findCookie(header: string | null | undefined): string | undefined {
  const from = header?.indexOf("session=") ?? -1;
  if (header === null || header === undefined || from === -1) return undefined;
  const end = header.indexOf(";", from);
  return header.slice(from + "session=".length, end === -1 ? header.length : end);
}

function read(header: string | null | undefined): string {
  const value = findCookie(header);
  return value === undefined ? "" : nameOf(open(value));
}

const fresh = (): string => `session=${seal(plaintext)}; Path=/; HttpOnly; Secure; SameSite=Lax`;
/** A read, and what was read sealed again. */
function write(header: string | null | undefined): string {
  const value = findCookie(header);
  const bytes = value === undefined ? plaintext : open(value);
  return `session=${seal(bytes)}; Path=/; HttpOnly; Secure; SameSite=Lax`;
}

/** The limits. */
export const subjects: readonly Subject[] = [
  {
    name: "raw AES-256-GCM",
    kind: "limit",
    note: "no codec, no expiry, no key id: what nothing that encrypts can beat",
    seal: (pairs) => {
      const bytes = Buffer.from(JSON.stringify(pairs));
      const at = bytes.indexOf("alice");
      return {
        seal: () => seal(bytes),
        open: (value) => open(value).toString("latin1", at, at + "alice".length),
      };
    },
    http: {
      node: () =>
        onNode({
          login: (_, response) => void response.setHeader("Set-Cookie", fresh()),
          read: (request) => read(request.headers.cookie),
          write: (request, response) =>
            void response.setHeader("Set-Cookie", write(request.headers.cookie)),
        }),
      express: () =>
        onExpress({
          login: (_, response) => void response.setHeader("Set-Cookie", fresh()),
          read: (request) => read(request.headers.cookie),
          write: (request, response) =>
            void response.setHeader("Set-Cookie", write(request.headers.cookie)),
        }),
      fastify: () =>
        onFastify({
          login: (_, reply) => void reply.header("Set-Cookie", fresh()),
          read: (request) => read(request.headers.cookie),
          write: (request, reply) => void reply.header("Set-Cookie", write(request.headers.cookie)),
        }),
      koa: () =>
        onKoa({
          login: (context) => context.set("Set-Cookie", fresh()),
          read: (context) => read(context.headers.cookie),
          write: (context) => context.set("Set-Cookie", write(context.headers.cookie)),
        }),
      hono: () =>
        onHono({
          login: (context) => context.header("Set-Cookie", fresh()),
          read: (context) => read(context.req.header("cookie")),
          write: (context) => context.header("Set-Cookie", write(context.req.header("cookie"))),
        }),
      h3: () =>
        onH3({
          login: (event) => event.res.headers.set("Set-Cookie", fresh()),
          read: (event) => read(event.req.headers.get("cookie")),
          write: (event) =>
            event.res.headers.set("Set-Cookie", write(event.req.headers.get("cookie"))),
        }),
      fetch: () =>
        onFetch({
          login: () => new Response(page("alice"), { headers: { "Set-Cookie": fresh() } }),
          read: (request) => new Response(page(read(request.headers.get("cookie")))),
          write: (request) => {
            const cookie = write(request.headers.get("cookie"));
            return new Response(page("alice"), { headers: { "Set-Cookie": cookie } });
          },
          idle: () => new Response(page("alice")),
        }),
    },
  },
];
