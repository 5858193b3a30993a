// Flash messages as in Kocha: strings that are kept until they are read once. They are entries of the
// session under a reserved prefix; every law and limit holds for them.
import type { Draft } from "../engine/draft.ts";
import type { RequestSession } from "../engine/request.ts";
import { FLASH_PREFIX } from "../base/reserved.ts";
import { assertText } from "../base/text.ts";

/**
 * Messages for the next page: set now, read once.
 * @throws {UsageError} from methods that remove messages, even if there is none:
 * ERR_SESSION_USAGE_HEADERS_SENT after the response has begun, ERR_SESSION_USAGE_READ_ONLY when the
 * session was opened for an upgrade. After `destroy()` there are none to remove.
 */
export class Flash {
  readonly #request: RequestSession;

  /** @internal */
  constructor(request: RequestSession) {
    this.#request = request;
  }

  /**
   * Keeps `message` until it is read; an older one of the same key is replaced.
   * @throws as `session.set`
   */
  set(key: string, message: string): void {
    assertText(key, "key");
    assertText(message, "message");
    const { map } = this.#request.change();
    if (map.set(FLASH_PREFIX + key, message)) this.#request.noteChange();
  }

  /** Removes and gives the message; "" when there is none. */
  get(key: string): string {
    const { map } = this.#openToTake();
    const message = this.peek(key);
    if (map.del(FLASH_PREFIX + key)) this.#request.noteChange();
    return message;
  }

  /** The message, without removing it; "" when there is none. Works even if nothing can be changed. */
  peek(key: string): string {
    return this.#request.look().map.view.get(FLASH_PREFIX + key) ?? "";
  }

  /** Removes and gives all messages by their keys: for a middleware, before a page streams. */
  readAll(): Map<string, string> {
    const { map } = this.#openToTake();
    const messages = new Map<string, string>();
    for (const [key, message] of map.view) {
      if (key.startsWith(FLASH_PREFIX)) messages.set(key.slice(FLASH_PREFIX.length), message);
    }
    for (const key of messages.keys()) map.del(FLASH_PREFIX + key);
    if (messages.size > 0) this.#request.noteChange();
    return messages;
  }

  #openToTake(): Draft {
    const request = this.#request;
    // What a page takes when nothing can be saved any more stays for the next one.
    if (request.flashOnly || request.isDestroyed) return request.look();
    // A page that comes too late must fail at its first try, not only once there is a message.
    return request.change();
  }
}
