// Writes vectors/token-v1.json (`npm run vectors`): what another implementation of the token, the
// payload, its pieces and the ticket is checked against. The same input gives the same file.
import { writeFileSync } from "node:fs";
import { vectorKeys, vectorStream } from "../tests/support/token-vectors.ts";
import { parts } from "./vectors/parts.ts";
import { pieces } from "./vectors/pieces.ts";
import { tickets } from "./vectors/tickets.ts";
import { accept, reject, rejectPayloads } from "./vectors/tokens.ts";
import { readArguments } from "../trials/lib/arguments.ts";

readArguments("vectors", {});

writeFileSync(
  "vectors/token-v1.json",
  `${JSON.stringify(
    {
      format: "docs/token-format.md",
      keys: vectorKeys,
      accept,
      reject,
      rejectPayloads,
      pieces,
      parts,
      splitKeys: tickets,
      accumulated: {
        description:
          "a SHAKE-128 stream of empty input gives for each round a nonce of 24 bytes, one length byte and as many bytes of payload; each is sealed for the cookie session; SHA-256 over all tokens, each followed by a line feed",
        iterations: 10_000,
        sha256: vectorStream(10_000),
      },
    },
    null,
    2,
  )}\n`,
);
