import { sessionOf } from "kocha-session/h3";
import { defineHandler } from "nitro/h3";

/** Writes a key; gives the key, or the error's code. */
export default defineHandler((event) => {
  const key = event.url.searchParams.get("key") ?? "";
  try {
    sessionOf(event).set(key, "1");
    return key;
  } catch (error) {
    return (error as { code: string }).code;
  }
});
