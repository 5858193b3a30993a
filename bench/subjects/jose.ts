// jose by hand, as many applications do it: the session as claims of a JWE with a direct key.
import { onFetch } from "../http/hosts/fetch.ts";
import { nextValue, page } from "../http/routes.ts";
import { keyBytes, type Pairs, loginData } from "../lib/data.ts";
import { peer } from "../lib/load.ts";
import type { Subject } from "../lib/subject.ts";

interface EncryptJWT {
  setProtectedHeader(header: object): EncryptJWT;
  setIssuedAt(): EncryptJWT;
  setExpirationTime(when: string): EncryptJWT;
  encrypt(key: Uint8Array): Promise<string>;
}
interface Jose {
  readonly EncryptJWT: new (payload: object) => EncryptJWT;
  readonly jwtDecrypt: (
    value: string,
    key: Uint8Array,
  ) => Promise<{ readonly payload: Record<string, string> }>;
}

async function scheme() {
  const jose = await peer<Jose>("jose");
  const key = new Uint8Array(keyBytes("jose"));
  const seal = (pairs: Pairs): Promise<string> =>
    new jose.EncryptJWT({ ...pairs })
      .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
      .setIssuedAt()
      .setExpirationTime("90d")
      .encrypt(key);
  const open = async (value: string): Promise<Record<string, string>> =>
    (await jose.jwtDecrypt(value, key)).payload;
  return { open, seal };
}

/** jose. */
export const subjects: readonly Subject[] = [
  {
    name: "jose, by hand",
    kind: "peer",
    packages: ["jose"],
    note: "encrypted, JWE",
    seal: async (pairs) => {
      const { open, seal } = await scheme();
      return { seal: () => seal(pairs), open: async (value) => (await open(value))["name"] };
    },
    http: {
      fetch: async () => {
        const { open, seal } = await scheme();
        const find = async (request: Request): Promise<Record<string, string> | undefined> => {
          const value = /(?:^|; )session=([^;]*)/.exec(request.headers.get("cookie") ?? "")?.[1];
          return value === undefined ? undefined : open(value);
        };
        const save = async (pairs: Pairs): Promise<Response> => {
          const cookie = `session=${await seal(pairs)}; Path=/; HttpOnly; Secure; SameSite=Lax`;
          return new Response(page("alice"), { headers: { "Set-Cookie": cookie } });
        };
        return onFetch({
          login: () => save(loginData),
          read: async (request) => new Response(page((await find(request))?.["name"])),
          write: async (request) => save({ ...(await find(request)), csrf: nextValue() }),
          idle: () => new Response(page("alice")),
        });
      },
    },
  },
];
