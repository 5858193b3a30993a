// A WebSocket upgrade in the runtime's own way: the session is read only from the request's headers,
// or is that of the handler around the upgrade; a visitor without one gets no socket.
import { SessionCookieStore } from "kocha-session";
import { openSession, withSession } from "kocha-session/fetch";
import { mintCookie } from "kocha-session/testing";
import { runtime } from "./servers.mjs";

const key = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));

/** Opens a socket with a session's cookie, and none without; throws when either isn't so. */
export async function openUpgrade() {
  const config = { store: new SessionCookieStore({ secretKey: key(), signingKey: key() }) };
  const cookie = await mintCookie(config, { name: "alice" });
  // Node.js has no server of its own for this: tests/hosts/upgrade.test.ts has its libraries.
  if (runtime === "Node.js") return;
  const handlers =
    runtime === "Bun" ? [bunHandler, bunWithSession] : [denoHandler, denoWithSession];
  const serve = runtime === "Bun" ? onBun : onDeno;
  for (const handler of handlers) {
    const { url, close } = serve(handler(config));
    try {
      const refused = await knock(url, undefined);
      if (refused !== 401) throw new Error(`${handler.name} without a session: ${refused}`);
      const said = await knock(url, cookie);
      if (said !== "alice") throw new Error(`${handler.name} with a session: ${said}`);
      // The server is still there for the next one.
      const again = await knock(url, undefined);
      if (again !== 401) throw new Error(`${handler.name} after an upgrade: ${again}`);
    } finally {
      await close();
    }
  }
}

/** What a client gets: a first message, or the status that refuses it. */
async function knock(url, cookie) {
  if (cookie === undefined) {
    const upgrade = { connection: "Upgrade", upgrade: "websocket" };
    return (await fetch(url, { headers: upgrade })).status;
  }
  const socket = new WebSocket(url.replace("http:", "ws:"), { headers: { cookie } });
  try {
    return await new Promise((resolve, reject) => {
      socket.addEventListener("message", ({ data }) => resolve(data));
      socket.addEventListener("error", () => reject(new Error("the socket failed")));
    });
  } finally {
    socket.close();
  }
}

function bunHandler(config) {
  return async (request, bun) => {
    const name = (await openSession(config, request)).get("name");
    if (name === "") return new Response(null, { status: 401 });
    return bun.upgrade(request, { data: { name } }) ? undefined : new Response(null);
  };
}

/** Bun's own idiom, which answers nothing, around which the session is. */
function bunWithSession(config) {
  return withSession(config, (request, session, bun) => {
    const name = session.get("name");
    if (name !== "" && bun.upgrade(request, { data: { name } })) return undefined;
    return new Response(null, { status: 401 });
  });
}

function onBun(fetch) {
  const server = globalThis.Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch,
    websocket: { open: (socket) => void socket.send(socket.data.name), message: () => undefined },
  });
  return { url: `http://127.0.0.1:${server.port}`, close: () => server.stop(true) };
}

function denoHandler(config) {
  return async (request) => {
    const name = (await openSession(config, request)).get("name");
    return answerOnDeno(request, name);
  };
}

/** Its answer has status 101, which no Response can be copied with. */
function denoWithSession(config) {
  return withSession(config, (request, session) => answerOnDeno(request, session.get("name")));
}

function answerOnDeno(request, name) {
  if (name === "") return new Response(null, { status: 401 });
  const { socket, response } = globalThis.Deno.upgradeWebSocket(request);
  socket.addEventListener("open", () => socket.send(name));
  return response;
}

function onDeno(handler) {
  const abort = new AbortController();
  const options = { port: 0, hostname: "127.0.0.1", signal: abort.signal, onListen: () => {} };
  const server = globalThis.Deno.serve(options, handler);
  const close = async () => {
    abort.abort();
    await server.finished;
  };
  return { url: `http://127.0.0.1:${server.addr.port}`, close };
}
