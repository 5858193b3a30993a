// express-session's own store as one across a network: what goes wrong while it is waited for shows only
// there.
import { MemoryStore } from "express-session";

/** express-session's MemoryStore, whose calls begin 5 ms later. */
export function lateMemoryStore(): MemoryStore {
  class LateStore extends MemoryStore {}
  for (const name of ["get", "set", "touch", "destroy"] as const) {
    const { [name]: call } = MemoryStore.prototype;
    const delayed = function delayed(this: MemoryStore, ...args: never[]): void {
      setTimeout(() => Reflect.apply(call, this, args), 5);
    };
    Object.defineProperty(LateStore.prototype, name, { value: delayed });
  }
  return new LateStore();
}
