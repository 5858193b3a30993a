// One application process of a fault run: plain node:http with sessions on the store that is under
// test. It is forked, gets its orders by the environment, says its port, and may be killed at any time.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Session, SessionConfig } from "kocha-session";
import { withSession } from "kocha-session/node";
import { openStore, type StoreAddress } from "./address.ts";

/** What the parent sends along. */
export interface AppOrders {
  readonly address: StoreAddress;
  readonly signingKey: string;
  readonly onStoreError: "fail" | "anonymous";
}

/** What a request found, and whether it could do what it was told. */
export interface AppAnswer {
  /**
   * `gone`: there is no session. `anonymous`: the store didn't answer, and the page came all the
   * same; or the credential is that of before a regenerate. `refused`: nothing was saved.
   */
  readonly state: "done" | "gone" | "anonymous" | "refused";
  readonly entries: readonly (readonly [string, string])[];
}

const orders = JSON.parse(process.env["FAULT_ORDERS"] ?? "{}") as AppOrders;
/** Ids of sessions that had a change refused: one user has one, and one request at a time. */
const refused = new Set<string>();
const config: SessionConfig = {
  store: await openStore(orders.address),
  signingKey: orders.signingKey,
  secure: false,
  // Long enough that nothing is renewed: every cookie in an answer has another reason.
  sessionExpires: 86_400,
  onStoreError: orders.onStoreError,
  on: { refused: ({ id }) => refused.add(id) },
};

/** What each path does; a session that isn't there is made by `/create` alone. */
async function perform(session: Session, path: string): Promise<AppAnswer> {
  const [, act = "", key = ""] = path.split("/");
  if (act === "create") {
    session.set("owner", key);
    session.set("p", "0");
    session.set("q", "0");
    await session.commit();
    return { state: session.readOnly ? "anonymous" : "done", entries: [] };
  }
  const entries = [...session];
  if (session.readOnly) return { state: "anonymous", entries };
  if (!session.has("owner")) return { state: "gone", entries };
  if (act === "append") {
    session.set(key, "1");
    session.set("p", key);
    session.set("q", key);
    // Saved now, so that the answer can say whether it was.
    await session.commit();
    if (refused.delete(session.id)) return { state: "refused", entries };
  }
  if (act === "rotate") await session.regenerate();
  if (act === "logout") await session.destroy();
  return { state: "done", entries };
}

const server = createServer(
  withSession(
    config,
    async (request, response, session) => {
      const answer = await perform(session, request.url ?? "/");
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(answer));
    },
    // The run makes the faults itself, and goes by what the client gets.
    { reportError: () => undefined },
  ),
);
server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.once("disconnect", () => process.exit());
