// Every host under the conformance kit, with the memory store and the cookie store.
import { hostLaws } from "kocha-session/testing";
import { describe, test } from "vitest";
import { hosts } from "../support/hosts.ts";

describe.each(Object.entries(hosts))("%s", (name, makeServer) => {
  const cases = hostLaws(makeServer, { name });
  const applying = cases.filter(({ applies }) => applies === true);
  test.each(applying)("$id", ({ run }) => run());
});
