// Flash messages as Kocha has them: strings that are kept until they are read once. They are
// entries of the session under a prefix of their own, so every law and limit holds for them too.

/** What a flash message's key begins with in the session. */
const FLASH_PREFIX = "_flash.";

/** Whether a key of the session is a flash message, hidden from its size and its iteration. */
export function isFlashKey(key: string): boolean {
  return key.startsWith(FLASH_PREFIX);
}

/** The part of a session that flash messages need. */
export interface FlashHome {
  get(key: string): string;
  has(key: string): boolean;
  set(key: string, value: string): void;
  del(key: string): void;
}

/** Messages for the next page: set now, read once. */
export class Flash {
  readonly #home: FlashHome;

  /** @internal */
  constructor(home: FlashHome) {
    this.#home = home;
  }

  /**
   * Keeps `message` until it is read; an older one of the same key is replaced.
   * @throws as `session.set`
   */
  set(key: string, message: string): void {
    this.#home.set(FLASH_PREFIX + key, message);
  }

  /** The message, which is gone then; "" when there is none. */
  get(key: string): string {
    const name = FLASH_PREFIX + key;
    // Without a message there is nothing to change, also where nothing may be changed.
    if (!this.#home.has(name)) return "";
    const message = this.#home.get(name);
    this.#home.del(name);
    return message;
  }
}
