// Counts the ciphers that are made by node:crypto, where a worker has it. It is imported before the
// package, which asks for node:crypto at its start.
let made = 0;

/** Whose ciphers have been made so far: "node", or "portable". */
export function cryptoUsed() {
  return made > 0 ? "node" : "portable";
}

const { process } = globalThis;
const getBuiltinModule = process?.getBuiltinModule?.bind(process);
if (getBuiltinModule !== undefined) {
  process.getBuiltinModule = (name) => {
    const found = getBuiltinModule(name);
    if (name !== "node:crypto") return found;
    const createCipheriv = (...args) => {
      made++;
      return found.createCipheriv(...args);
    };
    return { ...found, createCipheriv };
  };
}
