// kocha-session/otel with the real SDK: requests over HTTP, metrics scraped from its Prometheus exporter,
// spans as they are exported.
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import {
  type AnySessionStore,
  type Session,
  SessionCookieStore,
  SessionMemoryStore,
  type SessionStore,
} from "kocha-session";
import { withSession } from "kocha-session/node";
import { observe } from "kocha-session/otel";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { listen } from "../support/listen.ts";
import { freePort } from "../support/servers/process.ts";
import { thrownBy } from "../support/thrown.ts";

const secretKeyName = "a key nobody may see";
const secretValue = "a value nobody may see";

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
afterAll(() => context.disable());

interface Telemetry {
  /** A request with the client's cookies, inside a span as an HTTP instrumentation makes one. */
  readonly visit: (handle: (session: Session) => unknown, cookie?: string) => Promise<string>;
  readonly scrape: () => Promise<string>;
  readonly spans: () => readonly ReadableSpan[];
}

async function withTelemetry(
  store: AnySessionStore,
  run: (telemetry: Telemetry) => Promise<void>,
  { sessionIds, storeTimeout }: { sessionIds?: boolean; storeTimeout?: number } = {},
): Promise<void> {
  const port = await freePort();
  const reader = new PrometheusExporter({ host: "127.0.0.1", port, preventServerStart: true });
  await reader.startServer();
  const meters = new MeterProvider({ readers: [reader] });
  const exporter = new InMemorySpanExporter();
  const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer = tracers.getTracer("test");
  let handle: (session: Session) => unknown = () => undefined;
  const listener = withSession(
    {
      store,
      storeTimeout,
      ...(!("sealed" in store) && { signingKey: freshKey() }),
      on: [observe({ meter: meters.getMeter("kocha-session"), tracer, sessionIds })],
    },
    async (_request, response, session) => {
      await handle(session);
      response.end();
    },
    { reportError: () => undefined },
  );
  const server = await listen((request, response) => {
    const span = tracer.startSpan(request.url ?? "", { kind: SpanKind.SERVER });
    response.once("close", () => span.end());
    context.with(trace.setSpan(context.active(), span), () => listener(request, response));
  });
  try {
    await run({
      visit: async (next, cookie = "") => {
        handle = next;
        const response = await fetch(server.url, { headers: { cookie } });
        await response.text();
        return response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? cookie;
      },
      scrape: async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
      spans: () => exporter.getFinishedSpans(),
    });
  } finally {
    await server.close();
    await meters.shutdown();
    await tracers.shutdown();
  }
}

/** The value of a sample whose labels are these, beside those of the SDK itself; undefined: there is none. */
function sampleOf(page: string, name: string, labels: readonly string[] = []): number | undefined {
  const sample = page
    .split("\n")
    .find((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)));
  return sample === undefined ? undefined : Number(sample.slice(sample.lastIndexOf(" ")));
}

const load = 'db_operation_name="load"';
const save = 'db_operation_name="save"';

test("requests on an asynchronous store: each event is counted, each call measured", async () => {
  await withTelemetry(slowly(new SessionMemoryStore()), async ({ visit, scrape }) => {
    const cookie = await visit((session) => session.set(secretKeyName, secretValue));
    await visit((session) => session.increment("visits"), cookie);
    await visit(async (session) => {
      session.get("visits");
      await visit((other) => other.increment("visits"), cookie);
      session.set("visits", "5");
    }, cookie);
    await visit(() => undefined, "session=made-up");
    await visit(async (session) => {
      await visit((other) => other.destroy(), cookie);
      await session.increment("visits").catch(() => undefined);
    }, cookie);
    const page = await scrape();
    const counted = Object.fromEntries(
      Array.from(page.matchAll(/^kocha_session_(\w+)_total\{.*\} (\d+)$/gm), ([, name, value]) => [
        name,
        Number(value),
      ]),
    );
    expect(counted).toEqual({
      created: 1,
      opened: 5,
      committed: 4,
      overwritten: 1,
      rejected: 1,
      refused: 1,
      conflicted: 1,
      destroyed: 1,
    });
    expect(sampleOf(page, "kocha_session_rejected_total", ['reason="malformed"'])).toBe(1);
    expect(sampleOf(page, "kocha_session_refused_total", ['reason="stale"'])).toBe(1);
    expect(sampleOf(page, "kocha_session_conflicted_total", ['reason="stale"'])).toBe(1);
    expect(page).toContain("# UNIT kocha_session_store_duration s\n");
    const duration = "kocha_session_store_duration";
    const system = 'db_system_name="kocha_session"';
    const loads = sampleOf(page, `${duration}_count`, [load, system]) ?? 0;
    expect(loads).toBeGreaterThan(5);
    // A timer of 5 ms may fire a little early by the monotonic clock.
    expect(sampleOf(page, `${duration}_bucket`, [load, 'le="0.001"'])).toBe(0);
    expect(sampleOf(page, `${duration}_bucket`, [load, 'le="10"'])).toBe(loads);
    expect(sampleOf(page, `${duration}_count`, [save])).toBeGreaterThan(4);
  });
});

test("a store that never answers and one that fails: an error by operation and code", async () => {
  const memory = new SessionMemoryStore();
  let next: (() => Promise<never>) | undefined;
  const store: SessionStore = slowly({
    load: (selector) => next?.() ?? memory.load(selector),
    save: (selector, change) => next?.() ?? memory.save(selector, change),
  });
  await withTelemetry(
    store,
    async ({ visit, scrape, spans }) => {
      const cookie = await visit((session) => session.set("a", "1"));
      next = () => new Promise<never>(() => undefined);
      await visit(() => undefined, cookie);
      next = () => Promise.reject(new Error(secretValue));
      await visit((session) => session.set("a", "1"));
      const page = await scrape();
      for (const name of ["store_error_total", "store_duration_count"]) {
        const labels = (operation: string, code: string): string[] => [
          operation,
          `error_type="ERR_SESSION_STORE_${code}"`,
        ];
        expect(sampleOf(page, `kocha_session_${name}`, labels(load, "TIMEOUT"))).toBe(1);
        expect(sampleOf(page, `kocha_session_${name}`, labels(save, "FAILED"))).toBe(1);
      }
      const failed = spans().filter(({ status }) => status.code === SpanStatusCode.ERROR);
      expect(failed.map(({ attributes }) => attributes["error.type"])).toEqual([
        "ERR_SESSION_STORE_TIMEOUT",
        "ERR_SESSION_STORE_FAILED",
      ]);
      expect(failed.map(({ events, status }) => [events, status.message])).toEqual([
        [[], undefined],
        [[], undefined],
      ]);
    },
    { storeTimeout: 0.3 },
  );
});

describe.each<[string, () => AnySessionStore]>([
  ["an asynchronous store", () => slowly(new SessionMemoryStore())],
  ["the cookie store", () => new SessionCookieStore(freshKeys())],
])("a span of each call of %s", (_, makeStore) => {
  test("is its request's child, and named by the conventions", async () => {
    await withTelemetry(makeStore(), async ({ visit, spans }) => {
      const cookie = await visit((session) => session.set("a", "1"));
      await Promise.all([
        visit((session) => session.set("b", "2"), cookie),
        visit((session) => session.set("b", "2"), cookie),
      ]);
      const calls = spans().filter(({ kind }) => kind === SpanKind.CLIENT);
      const requests = spans().filter(({ kind }) => kind === SpanKind.SERVER);
      const parents = calls.map(({ parentSpanContext }) => parentSpanContext?.spanId);
      for (const request of requests) expect(parents).toContain(request.spanContext().spanId);
      expect(parents).not.toContain(undefined);
      for (const { name, attributes, status, startTime, endTime } of calls) {
        const operation = name.split(" ")[0];
        expect(name).toMatch(/^(load|save) session$/);
        expect(attributes).toEqual({
          "db.system.name": "kocha_session",
          "db.operation.name": operation,
          "db.query.summary": name,
        });
        expect(status.code).toBe(SpanStatusCode.UNSET);
        expect(endTime[0] * 1e9 + endTime[1]).toBeGreaterThan(startTime[0] * 1e9 + startTime[1]);
      }
      expect(calls.map(({ name }) => name).toSorted()).toEqual([
        "load session",
        "load session",
        "save session",
        "save session",
        "save session",
      ]);
    });
  });

  test.each([true, false])(
    "tells nothing of a session, its id where asked: %s",
    async (sessionIds) => {
      await withTelemetry(
        makeStore(),
        async ({ visit, scrape, spans }) => {
          let id = "";
          const cookie = await visit((session) => {
            session.set(secretKeyName, secretValue);
            session.bind("subject-77");
            ({ id } = session);
          });
          await visit((session) => session.set(secretKeyName, `${secretValue}!`), cookie);
          const traced = JSON.stringify(spans().map(({ name, attributes }) => [name, attributes]));
          const page = await scrape();
          const credential = cookie.split("=", 2)[1] ?? "";
          for (const text of [secretKeyName, secretValue, "subject-77", credential]) {
            expect(traced).not.toContain(text);
            expect(page).not.toContain(text);
          }
          expect(page).not.toContain(id);
          expect(traced.includes(`"session.id":"${id}"`)).toBe(sessionIds);
          expect(traced.includes(id)).toBe(sessionIds);
        },
        { sessionIds },
      );
    },
  );
});

describe("observe", () => {
  test("observes only what its options ask for", () => {
    const tracer = trace.getTracer("test");
    expect(observe()).toEqual({});
    expect(observe({ meter: undefined, tracer: undefined })).toEqual({});
    expect(Object.keys(observe({ tracer }))).toEqual(["storeCall"]);
  });

  test.each([
    [{ meter: {} }, "meter"],
    [{ tracer: "tracer" }, "tracer"],
    [{ meters: undefined }, "meters"],
    [{ sessionIds: 1 }, "sessionIds"],
    [{ system: 1 }, "system"],
  ])("%j names what is wrong", (options, field) => {
    expect(thrownBy(() => observe(options as object))).toMatchObject({
      name: "ConfigError",
      field,
    });
  });
});
