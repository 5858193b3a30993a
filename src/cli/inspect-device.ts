// What `kocha-session inspect` says of a device cookie. Its seal names the session and the key: whoever has
// the session at hand can check it.
import { DEVICE_KEY } from "../base/reserved.ts";
import { findCookies } from "../cookie/find.ts";
import type { DerivingRing } from "../crypto/keyring.ts";
import { decodeBase64url } from "#crypto";
import { thumbIn } from "../device/mark.ts";
import { deviceNames } from "../device/names.ts";
import { sealKinds, Seals } from "../device/seals.ts";
import { DeviceTokens } from "../device/tokens.ts";

/** A device cookie, as far as it can be read. */
export interface DeviceCookie {
  readonly name: string;
  readonly bytes: number;
  readonly keyId: string;
  readonly device: {
    readonly end: string;
    /** True if it belongs to the session beside it; absent: that session is in a store. */
    readonly ofThisSession?: boolean;
  };
}

/** A session that was opened beside the device cookie. */
export interface SessionBeside {
  readonly id: string;
  readonly data: ReadonlyMap<string, string>;
}

/** Kind, key id, end and tag. */
const COOKIE_BYTES = 25;

/** The device cookies of a session's name in headers. */
export function examineDevice(
  lines: readonly string[],
  name: string,
  ring: DerivingRing | undefined,
  sessions: readonly SessionBeside[],
): DeviceCookie[] {
  const { device } = deviceNames(name);
  return lines
    .flatMap((line) => findCookies(line, device))
    .flatMap((value) => {
      const bytes = decodeBase64url(value);
      if (bytes?.length !== COOKIE_BYTES || bytes[0] !== sealKinds.cookie) return [];
      const end = new DataView(bytes.buffer, bytes.byteOffset).getUint32(5);
      const tokens = ring && new DeviceTokens(new Seals(ring, name));
      const isOf = ({ id, data }: SessionBeside): boolean => {
        const mark = data.get(DEVICE_KEY);
        return mark !== undefined && tokens?.cookieEnd(value, id, thumbIn(mark)) !== undefined;
      };
      return [
        {
          name: device,
          bytes: device.length + value.length,
          keyId: Buffer.from(bytes.subarray(1, 5)).toString("hex"),
          device: {
            end: new Date(end * 1000).toISOString(),
            ...(sessions.length > 0 && { ofThisSession: sessions.some(isOf) }),
          },
        },
      ];
    });
}
