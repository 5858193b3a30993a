// The session of a browser's own request to the device's path, as it was found: such a request proves the
// device by other means than the device cookie.
import { fail } from "../base/options.ts";
import { DEVICE_KEY } from "../base/reserved.ts";
import type { Connection } from "../engine/connection.ts";
import type {
  DeviceKeeper,
  DeviceState,
  OpeningEngine,
  OwnRequest,
  RequestDevice,
} from "../engine/device.ts";
import type { ResponseEffects } from "../engine/effects.ts";
import type { Found } from "../engine/found.ts";
import type { RequestSession } from "../engine/request.ts";
import { checkRow } from "../engine/ticketed/row.ts";
import { StoreError } from "../errors.ts";
import type { DeviceReason } from "../events.ts";
import { requestOf, type Session } from "../session/session.ts";
import { callStore } from "../store/call.ts";
import { isSealed } from "../store/contract.ts";
import type { Devices } from "./devices.ts";
import { thumbIn } from "./mark.ts";
import type { Registered } from "./tokens.ts";

const OTHER_COPY =
  "is of another copy of kocha-session than the engine, such as one that a bundle holds: import both from one, " +
  "and make the configuration anew when a development server reloads modules";

/** A request's session, as it was found. */
export interface Opened {
  /** The Cookie header. */
  readonly header: string;
  readonly session: RequestSession;
  readonly keeper: DeviceKeeper | undefined;
  /** Undefined: the request brought none that lives. */
  readonly found: Found | undefined;
}

/**
 * Opens the session as if no device were asked for.
 * @throws {StoreError} when it can't be loaded.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD when the binding and the engine are of two copies of the library.
 */
export async function openAsFound(
  engine: OpeningEngine,
  request: OwnRequest,
  connection: Connection | undefined,
  env: unknown,
): Promise<Opened> {
  const header = request.header("cookie") ?? "";
  const seen = new SeenSession();
  const opened = (await engine.open(header, connection, undefined, env, seen)) as Session;
  const session = requestOf(opened) ?? fail("deviceBinding", OTHER_COPY);
  session.look();
  const { found, keeper } = seen;
  // Nothing may be said about a session that can't be loaded, whatever `onStoreError` is.
  if (found?.readOnly === "unavailable") {
    const message = "the session could not be loaded, so its device can't be refreshed";
    throw new StoreError("ERR_SESSION_STORE_FAILED", "load", message);
  }
  return { header, session, keeper, found };
}

/** The reason that a browser's device-bound session is over; undefined: it isn't. */
export async function endOf(
  devices: Devices,
  { header, session, keeper, found }: Opened,
  { id, thumb }: Registered,
): Promise<DeviceReason | undefined> {
  if (found !== undefined && session.id !== id) return "session";
  let data = found?.data;
  if (data === undefined) {
    if (keeper?.hasCredential === true || devices.hasEnded(header, id)) return "gone";
    // A refresh that another site has started comes without the session's cookie.
    const { store } = session.look().config;
    // A sealed store keeps no rows.
    if (!isSealed(store)) {
      const row: unknown = await callStore(devices.config, "load", () => store.load(id), id);
      data = checkRow(row)?.data;
      if (data === undefined) return "gone";
    }
  }
  const mark = data?.get(DEVICE_KEY);
  return mark !== undefined && thumbIn(mark) !== thumb ? "bound" : undefined;
}

/** Notes the session, and leaves it and its response as they are. */
class SeenSession implements RequestDevice {
  found: Found | undefined;
  keeper: DeviceKeeper | undefined;

  judge(found: Found | undefined, keeper: DeviceKeeper): Found | undefined {
    this.keeper = keeper;
    return (this.found = found);
  }

  offer(): void {}

  stateOf(): DeviceState {
    return "none";
  }

  complete(effects: ResponseEffects): ResponseEffects {
    return effects;
  }
}
