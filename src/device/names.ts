// The names of the cookies of a bound session's device.

/** The names beside a session cookie's. */
export interface DeviceNames {
  /** Of the device cookie. */
  readonly device: string;
  /** Of the note, at the endpoint's path, that the browser's session has ended. */
  readonly end: string;
}

/** The names that go with a session cookie of this name. */
export function deviceNames(name: string): DeviceNames {
  // Chromium binds no cookie whose name promises that only HTTP sets it.
  const base = name.replace(/^__(Host-)?Http-/i, (_, host) =>
    host === undefined ? "__Secure-" : "__Host-",
  );
  // The prefix __Host- doesn't allow the endpoint's path.
  return {
    device: `${base}-device`,
    end: `${base.replace(/^__Host-/i, "__Secure-")}-device-end`,
  };
}
