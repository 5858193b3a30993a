// A worker before another one, which it calls through a service binding: so requests are cancelled on
// Workers. The header x-app names another binding than APP. With the header x-cancel-after it cancels what it has passed on, once the worker behind says
// that so many of its calls have come to the store.

// What workerd calls.
// oxlint-disable-next-line import/no-default-export
export default {
  async fetch(request, env) {
    const app = env[request.headers.get("x-app") ?? "APP"];
    const calls = request.headers.get("x-cancel-after");
    if (calls === null) return app.fetch(request);
    const controller = new AbortController();
    const answer = app
      .fetch(request, { signal: controller.signal })
      .catch((error) => new Response(error.name, { status: 499 }));
    for (;;) {
      const state = await app.fetch("http://app/state");
      if ((await state.json()).calls >= Number(calls)) break;
      // Without a pause no other timer of this process would be looked at.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    controller.abort();
    return answer;
  },
};
