import type { PageServerLoad } from "./$types";

let release = (): void => undefined;

/** A promise that writes when the page has begun, or fetches what writes then. */
export const load: PageServerLoad = ({ url, fetch, locals: { session } }) => {
  session.set("begun", "1");
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  Object.assign(globalThis, { release });
  const late = released.then(async () => {
    if (url.searchParams.has("inner")) {
      const answer = await fetch("/write?key=late&value=1", {
        headers: { accept: "application/json" },
      });
      const { message } = (await answer.json()) as { message: string };
      return `${message} ${await (await fetch("/held")).text()}`;
    }
    session.set("late", "1");
    return "written";
  });
  return { late };
};
