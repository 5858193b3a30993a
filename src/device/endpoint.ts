// The one path at which browsers register a key and refresh the device cookie. A registration stores nothing;
// the first good refresh that the session's cookie comes with binds it.
import { chain, type Awaitable } from "../base/awaitable.ts";
import { DEVICE_KEY } from "../base/reserved.ts";
import type { Connection } from "../engine/connection.ts";
import type {
  DeviceKeeper,
  DeviceState,
  OpeningEngine,
  OwnAnswer,
  OwnRequest,
  RequestDevice,
} from "../engine/device.ts";
import type { ResponseEffects } from "../engine/effects.ts";
import type { Found } from "../engine/found.ts";
import type { RequestSession } from "../engine/request.ts";
import { checkRow } from "../engine/ticketed/row.ts";
import { LimitError, StoreError } from "../errors.ts";
import type { DeviceReason } from "../events.ts";
import { requestOf, type Session } from "../session/session.ts";
import { callStore } from "../store/call.ts";
import { isSealed } from "../store/contract.ts";
import {
  answerWith,
  challengedAnswer,
  endedAnswer,
  refreshedAnswer,
  registeredAnswer,
} from "./answers.ts";
import type { Devices } from "./devices.ts";
import { deviceKeyOf, isSignedBy, thumbOf } from "./device-key.ts";
import { isSettled, markAt, settledMark, thumbIn } from "./mark.ts";
import { bareText, readProof } from "./proof.ts";
import type { Registered } from "./tokens.ts";

/** Opens the request's session, as if no device were asked for. */
type Open = () => Promise<Opened>;

/** A request's session, as it was found. */
interface Opened {
  readonly session: RequestSession;
  readonly keeper: DeviceKeeper | undefined;
  /** Undefined: the request brought none that lives. */
  readonly found: Found | undefined;
}

/** Answers the path of one engine's devices. */
export class DeviceEndpoint {
  readonly #devices: Devices;

  constructor(devices: Devices) {
    this.#devices = devices;
  }

  async answer(
    request: OwnRequest,
    engine: OpeningEngine,
    connection: Connection | undefined,
    env: unknown,
  ): Promise<OwnAnswer> {
    if (request.method !== "POST") return answerWith(405, [["Allow", "POST"]]);
    const open: Open = async () => {
      const seen = new SeenSession();
      const cookies = request.header("cookie");
      const session = (await engine.open(cookies, connection, undefined, env, seen)) as Session;
      const opened = requestOf(session) as RequestSession;
      opened.look();
      const { found, keeper } = seen;
      // Nothing may be said about a session that can't be loaded.
      if (found?.readOnly === "unavailable") throw unloaded();
      return { session: opened, keeper, found };
    };
    const identifier = bareText(request.header("sec-secure-session-id"));
    try {
      return await (identifier === undefined
        ? this.#register(request, open)
        : this.#refresh(request, identifier, open));
    } catch (error) {
      if (error instanceof StoreError) return answerWith(503);
      throw error;
    }
  }

  async #register(request: OwnRequest, open: Open): Promise<OwnAnswer> {
    const { tokens, now } = this.#devices;
    // A browser's own request says "no-cors", and a script's of this mode can't bring a proof.
    const mode = request.header("sec-fetch-mode");
    if (mode !== undefined && mode !== "no-cors") return this.#refuse(400, undefined, "script");
    const proof = readProof(bareText(request.header("secure-session-response")));
    if (proof === undefined) return this.#refuse(400, undefined, "malformed");
    const key = deviceKeyOf(proof.algorithm, proof.jwk);
    if (key === undefined) return this.#refuse(400, undefined, "key");
    // ORDER: the challenge before the signature, which costs a hundred times as much.
    const id = tokens.offered(proof.challenge, now);
    if (id === undefined) return this.#refuse(400, undefined, "challenge");
    if (!(await isSignedBy(key, proof.signature, proof.signed))) {
      return this.#refuse(400, id, "signature");
    }
    const { session, found } = await open();
    if (found !== undefined && session.id !== id) return this.#refuse(400, id, "session");
    const mark = found?.data.get(DEVICE_KEY);
    // The first key wins.
    if (mark !== undefined && thumbIn(mark) !== thumbOf(key)) return this.#refuse(409, id, "bound");
    this.#devices.tell("registered", id);
    return registeredAnswer(this.#devices, { id, key });
  }

  async #refresh(request: OwnRequest, identifier: string, open: Open): Promise<OwnAnswer> {
    const registered = this.#devices.tokens.registered(identifier);
    if (registered === undefined) return this.#end(identifier, undefined, "unknown");
    const { id } = registered;
    const header = request.header("cookie") ?? "";
    const opened = await open();
    const end = await this.#endOf(opened, registered, header);
    if (end !== undefined) return this.#end(identifier, id, end);
    const why = await this.#faultOf(request, registered);
    if (why !== undefined) {
      this.#devices.tell("challenged", id, why);
      return challengedAnswer(this.#devices, identifier, registered);
    }
    try {
      const cookies = await this.#bind(opened, registered, header);
      return refreshedAnswer(this.#devices, registered, cookies);
    } catch (error) {
      if (!(error instanceof LimitError)) throw error;
      this.#devices.tell("refused", id, "limit");
      // A bound session that is too full to be settled stays as it is: without its key it would be stale.
      return opened.found?.data.has(DEVICE_KEY) === true
        ? refreshedAnswer(this.#devices, registered, [])
        : endedAnswer(this.#devices, identifier);
    }
  }

  /** The reason that the browser's session is over; undefined: it isn't. */
  async #endOf(
    { session, keeper, found }: Opened,
    { id, key }: Registered,
    header: string,
  ): Promise<DeviceReason | undefined> {
    let data = found?.data;
    if (data !== undefined) {
      if (session.id !== id) return "session";
    } else if (keeper?.hasCredential === true || this.#devices.hasEnded(header, id)) {
      return "gone";
    } else {
      // A refresh that another site has started comes without the session's cookie.
      const row = await this.#look(session, id);
      if (row === "gone") return row;
      data = row;
    }
    const mark = data?.get(DEVICE_KEY);
    return mark !== undefined && thumbIn(mark) !== thumbOf(key) ? "bound" : undefined;
  }

  /** The data of a row; undefined: the store keeps none, since its sessions are in cookies. */
  #look(
    session: RequestSession,
    id: string,
  ): Awaitable<ReadonlyMap<string, string> | undefined | "gone"> {
    const { store } = session.look().config;
    if (isSealed(store)) return undefined;
    const { config } = this.#devices;
    const loaded = callStore<unknown>(config, "load", () => store.load(id), id);
    return chain(loaded, (row) => checkRow(row)?.data ?? "gone");
  }

  /** The reason that a refresh brings no good proof; undefined: it does. */
  async #faultOf(request: OwnRequest, { id, key }: Registered): Promise<DeviceReason | undefined> {
    const text = bareText(request.header("secure-session-response"));
    if (text === undefined) return "none";
    const proof = readProof(text);
    if (proof === undefined) return "malformed";
    // The algorithm is that of the registered key, and a key in a refresh is none.
    if (proof.jwk !== undefined || proof.algorithm !== key.algorithm) return "key";
    const { tokens, now } = this.#devices;
    // ORDER: as in a registration.
    if (!tokens.isChallenge(proof.challenge, id, thumbOf(key), now)) return "challenge";
    return (await isSignedBy(key, proof.signature, proof.signed)) ? undefined : "signature";
  }

  /**
   * Binds a session that isn't bound yet, and replaces the credential of one that has a copy from before
   * that; gives the session's cookies.
   * @throws {LimitError} when the session is too full.
   */
  async #bind(
    { session, found }: Opened,
    { id, key }: Registered,
    header: string,
  ): Promise<readonly string[]> {
    const { now } = this.#devices;
    const thumb = thumbOf(key);
    const mark = found?.data.get(DEVICE_KEY);
    // Without the session's cookie nothing can be bound; a credential in its grace is about to go.
    const isWritable = found !== undefined && found.readOnly === undefined;
    const settles = isWritable && mark !== undefined && this.#settles(header, id, mark);
    if (!isWritable || (mark !== undefined && !settles)) {
      this.#devices.tell("refreshed", id);
      return [];
    }
    session.change().map.set(DEVICE_KEY, settles ? settledMark(thumb) : markAt(thumb, now));
    if (settles) await session.regenerate();
    const refusal = settles ? undefined : await session.commit();
    if (refusal !== undefined || session.look().isNew) {
      // Another request was faster; the next refresh finds what it made of the session.
      this.#devices.tell("refused", id, "stale");
      return [];
    }
    this.#devices.tell(settles ? "settled" : "bound", id);
    const effects = await session.close();
    return effects.setCookie;
  }

  /**
   * True at the first refresh without a device cookie, over cookies that can be revoked: the browser holds its
   * other requests back, so none has the credential that is replaced.
   */
  #settles(header: string, id: string, mark: string): boolean {
    if (this.#devices.config.revocations === undefined || isSettled(mark)) return false;
    return this.#devices.staleness(header, id, mark) !== undefined;
  }

  #refuse(status: number, id: string | undefined, why: DeviceReason): OwnAnswer {
    this.#devices.tell("refused", id, why);
    return answerWith(status);
  }

  #end(identifier: string, id: string | undefined, why: DeviceReason): OwnAnswer {
    this.#devices.tell("ended", id, why);
    return endedAnswer(this.#devices, identifier);
  }
}

/** Notes the session as it was found: the endpoint's own requests prove the device by other means. */
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

function unloaded(): StoreError {
  const message = "the session could not be loaded, so its device can't be refreshed";
  return new StoreError("ERR_SESSION_STORE_FAILED", "load", message);
}
