// Device-bound sessions (W3C, Device Bound Session Credentials): a bound session counts only with a second
// cookie, which lives for minutes and which only the device's key renews.
import type { DeviceBinding, EngineDevices } from "../engine/device.ts";
import { Devices } from "./devices.ts";
import { DeviceEndpoint } from "./endpoint.ts";
import { type DeviceBindingOptions, readDeviceOptions } from "./options.ts";
import { BoundRequest } from "./request-device.ts";

/**
 * Binds sessions to the devices of their browsers, for `deviceBinding` of a configuration. Experimental.
 *
 * `session.bindDevice()` makes the response offer it. A browser with Device Bound Session Credentials makes a
 * key in the device's hardware, and proves every `refreshSeconds` that it has the key; without that proof a
 * copied cookie is worth nothing. The engine answers `path` itself.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD
 */
export function deviceBinding(options: DeviceBindingOptions = {}): DeviceBinding {
  const read = readDeviceOptions(options);
  return Object.freeze<DeviceBinding>({
    bindTo: (config): EngineDevices => {
      const devices = new Devices(read, config);
      const endpoint = new DeviceEndpoint(devices);
      return {
        path: devices.path,
        stale: read.stale,
        refreshSeconds: read.refreshSeconds,
        forRequest: (header) => new BoundRequest(devices, header),
        answer: (request, engine, connection, env) =>
          endpoint.answer(request, engine, connection, env),
      };
    },
  });
}
