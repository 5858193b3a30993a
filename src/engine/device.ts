// Device-bound sessions: what the engine and kocha-session/device need of each other. The binding itself
// is in src/device, so that an engine without it carries none of it.
import type { Awaitable } from "../base/awaitable.ts";
import type { CookieAttributes } from "../cookie/attributes.ts";
import type { DerivingRing } from "../crypto/keyring.ts";
import type { Revocations } from "../revocations/revocations.ts";
import type { StoreCallOptions } from "../store/call.ts";
import type { AnySessionStore } from "../store/contract.ts";
import type { Connection } from "./connection.ts";
import type { ResponseEffects } from "./effects.ts";
import type { Found, ReadOnlyReason } from "./found.ts";
import type { SessionMap } from "./map.ts";

/**
 * "none": the session is bound to no device. "bound": it is, and the request comes from there. "stale": it
 * is, and nothing shows that the request comes from there.
 */
export type DeviceState = "none" | "bound" | "stale";

/** What `deviceBinding({ … })` of `kocha-session/device` gives. */
export interface DeviceBinding {
  /** @throws {ConfigError} when the configuration and the binding don't fit each other. */
  readonly bindTo: (config: DeviceConfig) => EngineDevices;
}

/** What a binding needs of the configuration. */
export interface DeviceConfig extends StoreCallOptions {
  readonly name: string;
  readonly cookie: CookieAttributes;
  readonly store: AnySessionStore;
  readonly signing: DerivingRing | undefined;
  readonly revocations: Revocations | undefined;
  readonly now: () => number;
}

/** The devices that one engine's sessions are bound to. */
export interface EngineDevices {
  /** The path at which browsers register and refresh. */
  readonly path: string;
  /** Of a stale session: "closed", it reads as empty; "report", it is only reported. */
  readonly stale: "closed" | "report";
  /** The lifetime of a device cookie, in seconds. */
  readonly refreshSeconds: number;
  /** @param header - the Cookie header. */
  readonly forRequest: (header: string) => RequestDevice;
  /**
   * Answers a request for `path`, before the application sees it; a store that fails is a 503.
   * @param connection - as for `engine.open`.
   * @param env - as for `engine.open`.
   */
  readonly answer: (
    request: OwnRequest,
    engine: OpeningEngine,
    connection?: Connection,
    env?: unknown,
  ) => Promise<OwnAnswer>;
}

/** The engine, as far as its devices go. */
export interface OpeningEngine {
  open(
    cookieHeader: string | undefined,
    connection: Connection | undefined,
    dialect: undefined,
    env: unknown,
    device: RequestDevice,
  ): Awaitable<object>;
}

/** A request for a path that the engine answers itself. */
export interface OwnRequest {
  readonly method: string;
  /** A header's value, by its name in lower case. */
  readonly header: (name: string) => string | undefined;
}

/** The engine's own answer. */
export interface OwnAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** The device of one request. */
export interface RequestDevice {
  /** The session that the request brought, as it may be seen; called at the first look. */
  judge(found: Found | undefined, keeper: DeviceKeeper): Found | undefined;
  /** Makes the response offer to bind the session, which is stored for that. */
  offer(request: OfferingRequest): void;
  stateOf(draft: DeviceDraft): DeviceState;
  /** The effects that are due, with the device's own. */
  complete(effects: ResponseEffects, session: DeviceSession): ResponseEffects;
}

/** A request, as far as an offer goes. */
export interface OfferingRequest {
  look(): DeviceDraft;
  /** @throws {UsageError} when the session can't be changed any more. */
  start(): void;
  noteChange(): void;
}

/** A request's session, as far as a device goes. */
export interface DeviceSession {
  readonly draft: DeviceDraft;
  readonly keeper: DeviceKeeper;
  readonly isDestroyed: boolean;
}

/** The draft of a session, as far as a device goes. */
export interface DeviceDraft {
  readonly map: SessionMap;
  readonly readOnly: ReadOnlyReason | undefined;
}

/** The keeper of a session, as far as a device goes. */
export interface DeviceKeeper {
  readonly id: string;
  readonly hasCredential: boolean;
  readonly isStored: boolean;
  readonly broken: Error | undefined;
}
