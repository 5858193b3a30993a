// The three proofs as requests. The page runs them in the browser; where there is no JavaScript, the
// server runs the same steps with a client of its own.

/** Clicks at once. */
const CLICKS = 5;

/** By name: the steps of one column. `send` makes a POST request and gives the JSON of its answer. */
export const proofs = {
  async clicks(send) {
    await send("begin");
    const items = Array.from({ length: CLICKS }, (_, index) => `item-${index + 1}`);
    await Promise.all(items.map((item) => send("add", { item })));
    return send("cart");
  },

  async logout(send, run) {
    await send("login");
    const slow = send("slow", { run });
    await send("begun", { run });
    await send("logout");
    await send("finish", { run });
    await slow;
    return send("me");
  },

  async copy(send) {
    await send("login");
    await send("copy");
    await send("logout");
    await send("paste");
    return send("me");
  },
};

/** What an answer of the last step says, in words. */
export function verdictOf(proof, { counted, kept, name, refused }) {
  if (proof === "clicks") {
    const text = `${kept} of ${CLICKS} kept`;
    if (counted === undefined) return { isGood: kept === CLICKS, text };
    const isGood = kept === CLICKS && counted === CLICKS;
    return { isGood, text, detail: `and the counter says ${counted}` };
  }
  const isGood = name === "";
  if (proof === "logout") return { isGood, text: isGood ? "stays logged out" : "logged in again" };
  const reason = refused ?? "there is no session";
  return { isGood, text: isGood ? `refused: ${reason}` : "still logged in" };
}
