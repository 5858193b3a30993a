// A queue of the application's, whose work another client's request does.
const works: (() => Promise<void>)[] = [];
let tell = (): void => undefined;

/** Leaves a request to whoever works the queue off. */
export function enqueue(send: () => Promise<Response>): Promise<Response> {
  return new Promise((resolve) => {
    works.push(async () => {
      const sent = send();
      resolve(sent);
      await sent;
    });
    tell();
  });
}

/** Waits for work, and does it. */
export async function workOff(): Promise<void> {
  if (works.length === 0) await new Promise<void>((resolve) => (tell = resolve));
  await Promise.all(works.splice(0).map((work) => work()));
}
