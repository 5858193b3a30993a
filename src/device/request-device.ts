// The device of one request: whether a bound session's request comes from there, and what its response says
// to the browser.
import { DEVICE_KEY } from "../base/reserved.ts";
import type {
  DeviceDraft,
  DeviceKeeper,
  DeviceSession,
  DeviceState,
  OfferingRequest,
  RequestDevice,
} from "../engine/device.ts";
import type { ResponseEffects } from "../engine/effects.ts";
import type { Found } from "../engine/found.ts";
import { notify } from "../events.ts";
import type { Devices, WrittenCookie } from "./devices.ts";
import { ALGORITHMS } from "./device-key.ts";

/** The device of one request. */
export class BoundRequest implements RequestDevice {
  readonly #devices: Devices;
  readonly #header: string;
  /** A handler may look at the session after a long upload: the device cookie was good when that began. */
  readonly #arrived: number;
  /** The handle of the bound session that the request brought. */
  #bound: string | undefined;
  #isStale = false;
  #isOffered = false;
  /** Made once, however often the effects are asked for. */
  #offer: readonly [name: string, value: string] | undefined;

  constructor(devices: Devices, header: string) {
    this.#devices = devices;
    this.#header = header;
    this.#arrived = devices.now;
  }

  judge(found: Found | undefined, { id }: DeviceKeeper): Found | undefined {
    const mark = found?.data.get(DEVICE_KEY);
    if (found === undefined || mark === undefined) return found;
    this.#bound = id;
    // A credential in its grace reads as empty anyway.
    if (found.readOnly !== undefined) return found;
    const why = this.#devices.staleness(this.#header, id, mark, this.#arrived);
    if (why === undefined) return found;
    this.#isStale = true;
    this.#devices.tell("stale", id, why);
    if (this.#devices.options.stale === "report") return found;
    notify(this.#devices.config.on, "rejected", { reason: "device" });
    return { ...found, readOnly: "device" };
  }

  offer(request: OfferingRequest): void {
    request.start();
    this.#isOffered = true;
    // Only with "report" a stale session can be changed: its browser has lost the key, and makes another.
    if (this.#isStale) request.look().map.del(DEVICE_KEY);
    request.noteChange();
  }

  stateOf({ map, readOnly }: DeviceDraft): DeviceState {
    if (readOnly === "device") return "stale";
    if (!map.view.has(DEVICE_KEY)) return "none";
    return this.#isStale ? "stale" : "bound";
  }

  complete(effects: ResponseEffects, session: DeviceSession): ResponseEffects {
    const { draft, keeper, isDestroyed } = session;
    const isBound = !isDestroyed && draft.map.view.has(DEVICE_KEY);
    const cookies = isBound ? [] : this.#endings(effects, session);
    const isDue = this.#isOffered && !isBound && !isDestroyed && isKept(effects, keeper);
    const headers = isDue ? [this.#registration(keeper.id)] : [];
    if (cookies.length + headers.length === 0) return effects;
    return {
      ...(effects.cookieName !== undefined && { cookieName: effects.cookieName }),
      setCookie: [...effects.setCookie, ...cookies.map(({ text }) => text)],
      get cookies() {
        return [...effects.cookies, ...cookies.map(({ fields }) => fields)];
      },
      headers: [...effects.headers, ...headers],
      vary: true,
      noStore: true,
    };
  }

  /** The cookies with which the browser lets go of the session that the request brought. */
  #endings(effects: ResponseEffects, { keeper, isDestroyed }: DeviceSession): WrittenCookie[] {
    const id = this.#bound;
    if (id !== undefined) {
      const isLeft = isDestroyed || (effects.setCookie.length > 0 && keeper.id !== id);
      return isLeft ? [this.#devices.removal(), this.#devices.ending(id)] : [];
    }
    const hasCookie = isDestroyed && this.#header.includes(`${this.#devices.cookieName}=`);
    return hasCookie ? [this.#devices.removal()] : [];
  }

  #registration(id: string): readonly [name: string, value: string] {
    const { path, tokens, now } = this.#devices;
    if (this.#offer === undefined) {
      const value = `(${ALGORITHMS});path="${path}";challenge="${tokens.offer(id, now)}"`;
      this.#offer = ["Secure-Session-Registration", value];
      this.#devices.tell("offered", id);
    }
    return this.#offer;
  }
}

/** True if the session is in the store, or in the cookies of this response. */
function isKept({ setCookie }: ResponseEffects, { broken, isStored }: DeviceKeeper): boolean {
  return broken === undefined && (isStored || setCookie.length > 0);
}
