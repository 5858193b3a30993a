// One application process of a fault run: plain node:http with sessions on the tested store. It is forked,
// gets its orders by the environment, sends its port, and may be killed at any time.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Session, SessionConfig } from "kocha-session";
import { withSession } from "kocha-session/node";
import { openStore, type StoreAddress } from "./address.ts";

/** The parent's orders. */
export interface AppOrders {
  readonly address: StoreAddress;
  readonly signingKey: string;
  readonly onStoreError: "fail" | "anonymous";
}

/** The result of a request. */
export interface AppAnswer {
  /**
   * `gone`: there is no session. `anonymous`: the store didn't answer, but the page came; or the credential
   * is from before a regenerate. `refused`: nothing was saved.
   */
  readonly state: "done" | "gone" | "anonymous" | "refused";
  readonly entries: readonly (readonly [string, string])[];
}

const orders = JSON.parse(process.env["FAULT_ORDERS"] ?? "{}") as AppOrders;
/** Ids of sessions with a refused change: each user has one session, and one request at a time. */
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

/** Carries out a path's operation; only `/create` makes a session. */
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
    // Saved now, so that the answer can tell the outcome.
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
    // The run causes the faults itself, and judges by the client's answers.
    { reportError: () => undefined },
  ),
);
server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.once("disconnect", () => process.exit());
