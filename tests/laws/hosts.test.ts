// Every host under the conformance kit, the newest version and the oldest that works, with the memory
// store and the cookie store.
import { hostLaws } from "kocha-session/testing";
import { describe, test } from "vitest";
import { hosts } from "../support/hosts.ts";
import { olderHosts } from "../support/older-hosts.ts";

describe.each(Object.entries({ ...hosts, ...olderHosts }))("%s", (name, makeServer) => {
  const cases = hostLaws(makeServer, { name });
  const applying = cases.filter(({ applies }) => applies === true);
  test.each(applying)("$id", ({ run }) => run());
});
