// Every TypeScript block of the README and the documents fits the published types and runs, each as a
// program of its own with fresh keys; its servers are asked, and what the documents promise is tried.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aliceCookie, exercises, lookAt } from "./exercises.ts";
import { surviveOutage } from "./outage.ts";
import { startServices } from "./services.ts";
import {
  freshEnvironment,
  readSnippets,
  RunningSnippet,
  type Snippet,
  SnippetPackage,
  startsServer,
} from "./snippets.ts";

const snippets = readSnippets();
const folder = new SnippetPackage();
const keys = freshEnvironment(snippets);
let services: Awaited<ReturnType<typeof startServices>>;
let alice: string;
let faults: string;

/** By what an exercise knows its program. */
const nameOf = ({ document, heading }: Snippet): string => `${document}#${heading}`;

beforeAll(async () => {
  faults = await folder.build(snippets);
  services = await startServices(snippets);
  alice = await aliceCookie(keys);
}, 300_000);
afterAll(async () => {
  folder.remove();
  await services.close();
});

test("all of them fit the types", () => {
  expect(faults).toBe("");
});

test("each exercise has a program that is a server", () => {
  const programs = snippets.filter(startsServer).map(nameOf);
  expect(programs).toEqual(expect.arrayContaining(Object.keys(exercises)));
});

describe.concurrent("a snippet runs", () => {
  test.each(snippets)("$place", async (snippet) => {
    const running = await RunningSnippet.start(folder, snippet, { ...keys, ...services.env });
    try {
      for (const server of running.servers) {
        await lookAt(server, snippet, alice);
        await exercises[nameOf(snippet)]?.(server.port, alice);
      }
    } finally {
      await running.stop();
    }
  });
});

describe.concurrent("a server outlives its store, which rejects its load, rejects its save, and hangs", () => {
  test.each(snippets.filter(startsServer))("$place", { timeout: 60_000 }, async (snippet) => {
    const env = { ...keys, ...services.env };
    const running = await RunningSnippet.start(folder, snippet, env, "failing");
    try {
      await surviveOutage(running, snippet);
    } finally {
      // It may complain, and says more than an answer that is missing when it has ended by itself.
      await running.stop(true);
    }
  });
});
