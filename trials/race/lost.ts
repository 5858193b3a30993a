// What a request without an answer may have done: its plan is all that is known of it.
import { BOUND, EPOCH, type Save, tombstoneOf } from "./history.ts";
import type { SaveNote } from "./notes.ts";
import type { Plan } from "./plan.ts";

/** The saves that a request that failed may have made all the same. */
export function lostSaves({ id, kind, set, del, after, subject }: Plan): SaveNote[] {
  const lost = (mark: string, of: Save["kind"], keys: string[]): SaveNote => {
    return { mark, kind: of, session: "", set: keys, del: [], outcome: "unknown" };
  };
  const mark = String(id);
  switch (kind) {
    case "destroy":
      return [lost(mark, kind, [])];
    case "clear":
    case "regenerate": {
      const first = lost(mark, kind, [EPOCH, ...set]);
      if (subject !== undefined) first.subject = subject;
      return after.length === 0 ? [first] : [first, lost(`${mark}.`, "change", [...after])];
    }
    case "bind": {
      const save = lost(mark, kind, [BOUND, ...set]);
      if (subject !== undefined) save.subject = subject;
      return [save];
    }
    case "increment":
    case "take":
      return [lost(mark, "change", [])];
    case "write":
    case "pair":
    case "add":
    case "token":
    case "lifetime":
      return [{ ...lost(mark, "change", [...set, ...del.map(tombstoneOf)]), del: [...del] }];
    case "read":
    case "create":
    case "signout":
  }
  return [];
}
