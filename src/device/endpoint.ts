// The one path at which browsers register a key and refresh the device cookie. A registration stores nothing;
// the first good refresh that the session's cookie comes with binds it.
import { DEVICE_KEY } from "../base/reserved.ts";
import type { Connection } from "../engine/connection.ts";
import type { OpeningEngine, OwnAnswer, OwnRequest } from "../engine/device.ts";
import { LimitError, StoreError } from "../errors.ts";
import type { DeviceReason } from "../events.ts";
import {
  answerWith,
  challengedAnswer,
  endedAnswer,
  refreshedAnswer,
  registeredAnswer,
} from "./answers.ts";
import { bindSession } from "./bind-session.ts";
import type { Devices } from "./devices.ts";
import { deviceKeyOf, isSignedBy, thumbOf } from "./device-key.ts";
import { thumbIn } from "./mark.ts";
import { endOf, openAsFound, type Opened } from "./opened.ts";
import { bareText, readProof } from "./proof.ts";
import type { Registered } from "./tokens.ts";

/** Opens the request's session. */
type Open = () => Promise<Opened>;

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
    const open: Open = () => openAsFound(engine, request, connection, env);
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
    const thumb = thumbOf(key);
    const mark = found?.data.get(DEVICE_KEY);
    // The first key wins.
    if (mark !== undefined && thumbIn(mark) !== thumb) return this.#refuse(409, id, "bound");
    this.#devices.tell("registered", id);
    return registeredAnswer(this.#devices, { id, key, thumb });
  }

  async #refresh(request: OwnRequest, identifier: string, open: Open): Promise<OwnAnswer> {
    const registered = this.#devices.tokens.registered(identifier);
    if (registered === undefined) return this.#end(identifier, undefined, "unknown");
    const { id } = registered;
    const opened = await open();
    const end = await endOf(this.#devices, opened, registered);
    if (end !== undefined) return this.#end(identifier, id, end);
    const fault = await this.#faultOf(request, registered);
    if (fault !== undefined) {
      this.#devices.tell("challenged", id, fault);
      return challengedAnswer(this.#devices, identifier, registered);
    }
    try {
      const cookies = await bindSession(this.#devices, opened, registered);
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

  /** The reason that a refresh brings no good proof; undefined: it does. */
  async #faultOf(
    request: OwnRequest,
    { id, key, thumb }: Registered,
  ): Promise<DeviceReason | undefined> {
    const text = bareText(request.header("secure-session-response"));
    if (text === undefined) return "none";
    const proof = readProof(text);
    if (proof === undefined) return "malformed";
    // The algorithm is that of the registered key, and a key in a refresh is none.
    if (proof.jwk !== undefined || proof.algorithm !== key.algorithm) return "key";
    const { tokens, now } = this.#devices;
    // ORDER: as in a registration.
    if (!tokens.isChallenge(proof.challenge, id, thumb, now)) return "challenge";
    return (await isSignedBy(key, proof.signature, proof.signed)) ? undefined : "signature";
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
