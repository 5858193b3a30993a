// The conformance kit over HTTP/2: every law on every host that serves it, with each cookie in a
// header field of its own, as browsers send them there.
import { hostLaws } from "kocha-session/testing";
import { describe, test } from "vitest";
import { http2Hosts } from "./http2.ts";

describe.each(Object.entries(http2Hosts))("%s over HTTP/2", (name, makeServer) => {
  const cases = hostLaws(makeServer, { name: `${name} over HTTP/2` });
  test.each(cases.filter(({ applies }) => applies === true))("$id", ({ run }) => run());
});
