// OpenTelemetry: observers that count the sessions' events, measure the calls of the store, and make a span of
// each call. It knows no SDK and never imports one: the meter and the tracer come from the application.
import { flag, hasMethods, option, readOptions, text } from "./base/options.ts";
import { SECOND } from "./base/time.ts";
import { eventNames, type SessionObservers, type StoreCallEvent } from "./events.ts";

/** Attributes as this module gives them. */
export type OtelAttributes = Readonly<Record<string, string>>;

/** The part of a `Meter` of @opentelemetry/api that is used. */
export interface OtelMeter {
  createCounter(
    name: string,
    options: { description: string; unit: string },
  ): { add(value: number, attributes?: OtelAttributes): void };
  createHistogram(
    name: string,
    options: {
      description: string;
      unit: string;
      advice: { explicitBucketBoundaries: number[] };
    },
  ): { record(value: number, attributes?: OtelAttributes): void };
}

/** The part of a `Tracer` of @opentelemetry/api that is used. */
export interface OtelTracer {
  startSpan(
    name: string,
    options: { kind: number; startTime: number; attributes: OtelAttributes },
  ): { setStatus(status: { code: number }): unknown; end(endTime: number): void };
}

/** Options of {@link observe}. */
export interface ObserveOptions {
  /** Counts the events and measures the calls of the store: `metrics.getMeter("kocha-session")`. Default none. */
  readonly meter?: OtelMeter | undefined;
  /** Makes a span of each call of the store: `trace.getTracer("kocha-session")`. Default none. */
  readonly tracer?: OtelTracer | undefined;
  /** The name of the database, `db.system.name` of spans and histogram: "redis", "postgresql". Default "kocha_session". */
  readonly system?: string | undefined;
  /** True: spans have the session's handle as `session.id`; metrics never have it. Default false. */
  readonly sessionIds?: boolean | undefined;
}

/** The events that are counted: all except that with a duration. */
type Counted = Exclude<keyof SessionObservers, "storeCall">;

/** What each counter counts. */
const units: Readonly<Record<Counted, readonly [unit: string, description: string]>> = {
  opened: ["{session}", "Stored sessions that were found"],
  created: ["{session}", "New sessions that were saved"],
  renewed: ["{session}", "Idle timeouts that began anew"],
  regenerated: ["{session}", "Credentials that were replaced"],
  committed: ["{change}", "Changes that were saved"],
  refused: ["{change}", "Changes that were not saved, by reason"],
  conflicted: ["{conflict}", "ConflictErrors of update, increment and take, by reason"],
  overwritten: ["{change}", "Changes that overwrote a newer value of another request"],
  collapsed: ["{session}", "Merging sessions whose cookies were replaced by one"],
  destroyed: ["{session}", "Sessions that were ended by destroy"],
  rejected: ["{cookie}", "Cookies that are no session, by reason"],
  device: ["{event}", "Events between a session and its device, by kind and reason"],
  skipped: ["{session}", "Sessions of another library with entries that were left out"],
  storeError: ["{error}", "Failures of the store, by operation and error code"],
};

/** Of `db.client.operation.duration`, in seconds (OpenTelemetry's conventions for database metrics). */
const BOUNDARIES = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
/** SpanKind.CLIENT of @opentelemetry/api. */
const CLIENT = 2;
/** SpanStatusCode.ERROR of @opentelemetry/api. */
const ERROR = 2;

/**
 * Observers for `on` of a configuration: metrics by `meter`, spans by `tracer`, neither without both.
 *
 * Each event has a counter, `kocha_session.opened` and so on; `kocha_session.store.duration` is a histogram
 * of the store's calls, in seconds. Attributes are operations, reasons and error codes from closed lists,
 * never a credential, a key or a value. Names and units follow OpenTelemetry's semantic conventions for
 * database clients and sessions.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD
 */
export function observe(options: ObserveOptions = {}): SessionObservers {
  const { meter, tracer, system, sessionIds } = readOptions("observe", options, {
    meter: option<OtelMeter, undefined>(
      "a Meter of @opentelemetry/api",
      (value) => hasMethods(value, "createCounter", "createHistogram"),
      undefined,
    ),
    tracer: option<OtelTracer, undefined>(
      "a Tracer of @opentelemetry/api",
      (value) => hasMethods(value, "startSpan"),
      undefined,
    ),
    system: text("kocha_session"),
    sessionIds: flag(false),
  });
  const calls: ((event: StoreCallEvent) => void)[] = [];
  if (meter !== undefined) calls.push(histogram(meter, system));
  if (tracer !== undefined) calls.push(spans(tracer, system, sessionIds));
  return {
    ...(meter !== undefined && counters(meter)),
    ...(calls.length > 0 && {
      storeCall: (event) => {
        for (const tell of calls) tell(event);
      },
    }),
  };
}

function counters(meter: OtelMeter): SessionObservers {
  const entries = eventNames.flatMap((name) => {
    if (name === "storeCall") return [];
    const [unit, description] = units[name];
    const counter = meter.createCounter(`kocha_session.${snakeCase(name)}`, { unit, description });
    return [[name, (event: object) => counter.add(1, attributesOf(event))]];
  });
  return Object.fromEntries(entries) as SessionObservers;
}

/** The attributes of an event that have few values: its reason, its kind, or its operation and error. */
function attributesOf(event: {
  readonly reason?: string;
  readonly what?: string;
  readonly why?: string;
  readonly operation?: string;
  readonly error?: { readonly code: string };
}): OtelAttributes {
  const { reason, what, why, operation, error } = event;
  return {
    ...(reason !== undefined && { "kocha_session.reason": reason }),
    ...(what !== undefined && { "kocha_session.device.event": what }),
    ...(why !== undefined && { "kocha_session.reason": why }),
    ...(operation !== undefined && { "db.operation.name": operation }),
    ...(error !== undefined && { "error.type": error.code }),
  };
}

function histogram(meter: OtelMeter, system: string): (event: StoreCallEvent) => void {
  const duration = meter.createHistogram("kocha_session.store.duration", {
    unit: "s",
    description: "Duration of the calls of the session store",
    advice: { explicitBucketBoundaries: BOUNDARIES },
  });
  return (event) => duration.record(event.ms / SECOND, attributesOfCall(event, system));
}

function spans(
  tracer: OtelTracer,
  system: string,
  sessionIds: boolean,
): (event: StoreCallEvent) => void {
  return (event) => {
    const { id, operation, ms, outcome } = event;
    const name = `${operation} session`;
    const startTime = Date.now() - ms;
    // Its parent is the active context: an event comes in that of its request.
    const span = tracer.startSpan(name, {
      kind: CLIENT,
      startTime,
      attributes: {
        ...attributesOfCall(event, system),
        "db.query.summary": name,
        ...(sessionIds && id !== undefined && { "session.id": id }),
      },
    });
    if (outcome !== "ok") span.setStatus({ code: ERROR });
    span.end(startTime + ms);
  };
}

function attributesOfCall({ operation, outcome }: StoreCallEvent, system: string): OtelAttributes {
  return {
    "db.system.name": system,
    "db.operation.name": operation,
    ...(outcome !== "ok" && { "error.type": outcome }),
  };
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
