// What a call throws, to be looked at from all sides.

/** The error that `call` throws; itself an error when it throws nothing. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
