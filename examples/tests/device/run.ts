// The scenes of device-bound sessions in a process of a build's own; prints what each came to.
import type { deviceBinding } from "kocha-session/device";
import type { MakeServer } from "kocha-session/testing";
import { startSite, stores } from "../../../tests/device/site.ts";
import { builtScenes, type Login, loginScene, type Scene, storeNames } from "./scenes.ts";

/**
 * Runs them over each kind of store; a scene that passed is an empty text.
 * @param bind - the build's own, where it has a copy of the library in it.
 */
export async function runScenes(
  makeServer: MakeServer,
  logins: Readonly<Record<string, Login>>,
  bind?: typeof deviceBinding,
): Promise<void> {
  const outcomes: Record<string, string> = {};
  const all: [string, Scene][] = [
    ...Object.entries(builtScenes),
    ...Object.entries(logins).map(([name, login]): [string, Scene] => [name, loginScene(login)]),
  ];
  for (const store of storeNames) {
    const parts = stores[store];
    if (parts === undefined) throw new Error(`no store "${store}"`);
    for (const [name, scene] of all) {
      const site = await startSite(makeServer, parts, bind && { bind });
      try {
        await scene(site);
        outcomes[`${store}: ${name}`] = "";
      } catch (error) {
        outcomes[`${store}: ${name}`] = String((error as Error).stack ?? error);
      } finally {
        await site.close();
      }
    }
  }
  console.log(JSON.stringify(outcomes));
}
