// h3's own useSession: Iron seals by WebCrypto, with thousands of PBKDF2 iterations for each.
import { H3Event } from "h3";
import { onH3 } from "../http/hosts/h3.ts";
import { password, loginData } from "../lib/data.ts";
import { peer } from "../lib/load.ts";
import type { Subject } from "../lib/subject.ts";

interface Bag {
  readonly data: Record<string, string>;
  update(data: object): Promise<unknown>;
}
interface H3Sessions {
  readonly useSession: (event: H3Event, options: object) => Promise<Bag>;
  readonly sealSession: (event: H3Event, options: object) => Promise<string>;
  readonly unsealSession: (
    event: H3Event,
    options: object,
    value: string,
  ) => Promise<{ readonly data: Record<string, string> }>;
}

const load = (): Promise<H3Sessions> => peer<H3Sessions>("h3");
const options = { name: "session", password, maxAge: 90 * 86_400 };

/** h3's. */
export const subjects: readonly Subject[] = [
  {
    name: "h3 useSession",
    kind: "peer",
    packages: ["h3"],
    note: "encrypted",
    seal: async (pairs) => {
      const { sealSession, unsealSession, useSession } = await load();
      const event = new H3Event(new Request("http://localhost/"));
      await (await useSession(event, options)).update({ ...pairs });
      return {
        seal: () => sealSession(event, options),
        open: async (value) => (await unsealSession(event, options, value)).data["name"],
      };
    },
    http: {
      h3: async () => {
        const { useSession } = await load();
        return onH3({
          login: async (event) =>
            void (await (await useSession(event, options)).update({ ...loginData })),
          read: async (event) => (await useSession(event, options)).data["name"],
          write: async (event, csrf) =>
            void (await (await useSession(event, options)).update({ csrf })),
        });
      },
    },
  },
];
