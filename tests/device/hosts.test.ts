// Device-bound sessions on every host, over a store that answers later, and on one of each kind over
// cookies with revocations.
import { describe, it } from "vitest";
import { hosts } from "../support/hosts.ts";
import { olderHosts } from "../support/older-hosts.ts";
import { scenes } from "./scenes.ts";
import { startSite, stores } from "./site.ts";

/** What depends on the host: its headers, its cookies, and the path that it hands on. */
const core = [
  "offers only where it is asked, and not once the session is bound",
  "stores nothing at a registration; the first good refresh binds",
  "reads nothing and sets nothing for a copied session cookie",
  "logs a stale session in, into a new one",
  "ends the browser's session at a logout",
  "refreshes without any cookie, as after a link from another site",
];

/** Cookies take the same way through hosts of one kind: of those on node:http, and of those on the Fetch API. */
const onCookies = ["express 5", "fetch"];

describe.each(Object.entries({ ...hosts, ...olderHosts }))(
  "device-bound sessions on %s",
  (host, makeServer) => {
    const more = onCookies.includes(host) ? ["cookie, revocations"] : [];
    describe.each(["a store that answers later", ...more])("%s", (store) => {
      it.each(core)("%s", async (name) => {
        const site = await startSite(makeServer, stores[store] as (typeof stores)[string]);
        try {
          await scenes[name]?.(site);
        } finally {
          await site.close();
        }
      });
    });
  },
);
