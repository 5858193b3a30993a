// The entry point kocha-session/device; it only exports.
export { deviceBinding } from "./binding.ts";
export type { DeviceBindingOptions } from "./options.ts";
export type {
  DeviceBinding,
  DeviceState,
  EngineDevices,
  OwnAnswer,
  OwnRequest,
} from "../engine/device.ts";
