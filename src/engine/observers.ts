// The observers of a configuration: checked, and several made one. It knows no event's meaning.
import { callback, type Readers, readOptions } from "../base/options.ts";
import { eventNames, notify, type SessionObservers } from "../events.ts";

/**
 * The observers of a configuration as one; none: an empty object.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD for a name that is no event, or no function.
 */
export function resolveObservers(on: unknown = {}, field: string): SessionObservers {
  if (Array.isArray(on)) {
    return join(on.map((one, index) => resolveObservers(one, `${field}[${index}]`)));
  }
  const table = Object.fromEntries(eventNames.map((name) => [name, callback()]));
  readOptions("the observers", on as object, table as Readers<object>, `${field}.`);
  // The object itself, since its methods may use `this`.
  return on as SessionObservers;
}

/** Tells each of several; one that throws keeps no other from its event. */
function join(all: readonly SessionObservers[]): SessionObservers {
  // An event that nobody observes gets no observer: some cost only when they are observed.
  const observed = eventNames.filter((name) => all.some((one) => one[name]));
  return Object.fromEntries(
    observed.map((name) => [
      name,
      (event: never) => all.forEach((one) => notify(one, name, event)),
    ]),
  );
}
