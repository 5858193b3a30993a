// What a store takes and gives, as text between a test and a worker: JSON, which has no Map, no Infinity and
// no undefined in a list.

/** A value as text. */
export function encode(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (part instanceof Map) return { $map: [...part] };
    if (part === Infinity) return { $infinity: true };
    // Inside of a list JSON writes null.
    return Array.isArray(part) ? part.map((one: unknown) => one ?? { $undefined: true }) : part;
  });
}

/** The value of such a text. */
export function decode(text: string): unknown {
  return JSON.parse(text, (_, part: unknown) => {
    if (typeof part !== "object" || part === null) return part;
    if ("$map" in part) return new Map(listOf(part.$map) as [unknown, unknown][]);
    if ("$infinity" in part) return Infinity;
    return Array.isArray(part) ? listOf(part) : part;
  });
}

/** A reviver's own undefined would leave a hole. */
function listOf(list: unknown): unknown[] {
  return (list as unknown[]).map((one) =>
    typeof one === "object" && one !== null && "$undefined" in one ? undefined : one,
  );
}
