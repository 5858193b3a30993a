// A WebSocket upgrade in the runtime's own way: the session is read from the request's headers, a
// visitor without one gets no socket.
import { SessionCookieStore } from "kocha-session";
import { openSession } from "kocha-session/fetch";
import { mintCookie } from "kocha-session/testing";
import { runtime } from "./servers.mjs";

const key = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));

/** Opens a socket with a session's cookie, and none without; throws when either isn't so. */
export async function openUpgrade() {
  const config = { store: new SessionCookieStore({ secretKey: key(), signingKey: key() }) };
  const cookie = await mintCookie(config, { name: "alice" });
  // Node.js has no server of its own for this: tests/hosts/upgrade.test.ts has its libraries.
  if (runtime === "Node.js") return;
  const { url, close } = runtime === "Bun" ? onBun(config) : onDeno(config);
  try {
    const refused = await knock(url, undefined);
    if (refused !== 401) throw new Error(`without a session: ${refused}, not 401`);
    const said = await knock(url, cookie);
    if (said !== "alice") throw new Error(`with a session: ${said}, not alice`);
  } finally {
    await close();
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

function onBun(config) {
  const server = globalThis.Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request, bun) {
      const name = (await openSession(config, request)).get("name");
      if (name === "") return new Response(null, { status: 401 });
      return bun.upgrade(request, { data: { name } }) ? undefined : new Response(null);
    },
    websocket: { open: (socket) => void socket.send(socket.data.name), message: () => undefined },
  });
  return { url: `http://127.0.0.1:${server.port}`, close: () => server.stop(true) };
}

function onDeno(config) {
  const abort = new AbortController();
  const options = { port: 0, hostname: "127.0.0.1", signal: abort.signal, onListen: () => {} };
  const server = globalThis.Deno.serve(options, async (request) => {
    const name = (await openSession(config, request)).get("name");
    if (name === "") return new Response(null, { status: 401 });
    const { socket, response } = globalThis.Deno.upgradeWebSocket(request);
    socket.addEventListener("open", () => socket.send(name));
    return response;
  });
  const close = async () => {
    abort.abort();
    await server.finished;
  };
  return { url: `http://127.0.0.1:${server.addr.port}`, close };
}
