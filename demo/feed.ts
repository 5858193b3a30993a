// What a page shows of the requests that it caused: the library's events, and notes of the demo's own.
// An observer isn't told of the request, so the request's scene is kept beside it, in an asynchronous context.
import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import type { SessionObservers } from "kocha-session";

/** Pages that are remembered; the oldest one goes first. */
const MAX_PAGES = 500;
/** Lines of a list. */
const MAX_LINES = 24;
/** The lists that a page can have: a proof and one of its columns, or a framed browser. */
const LIST = /^(?:(?:clicks|logout|copy)\.(?:usual|sealed|ours)|devices\.(?:laptop|phone))$/;

/** What one opened page has seen. */
interface PageRecord {
  /** By list, such as "clicks.ours": one line for each event. */
  readonly lists: Map<string, string[]>;
  /** By list, the outcomes that this server found for a browser without JavaScript. */
  readonly outcomes: Map<string, unknown>;
}

const pages = new Map<string, PageRecord>();

function recordOf(page: string): PageRecord {
  const known = pages.get(page);
  const record = known ?? { lists: new Map(), outcomes: new Map() };
  pages.delete(page);
  pages.set(page, record);
  const [oldest] = pages.keys();
  if (pages.size > MAX_PAGES && oldest !== undefined) pages.delete(oldest);
  return record;
}

/** A page's id: nobody can guess another's. */
export function newPageId(): string {
  return randomBytes(16).toString("base64url");
}

/** True for an id that `newPageId` could have made; others are not recorded. */
export function isPageId(text: string): boolean {
  return /^[\w-]{22}$/.test(text);
}

/** The lines of a page, by list. */
export function linesOf(page: string): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(pages.get(page)?.lists ?? []);
}

/** An outcome that was found for a page; undefined: none. */
export function outcomeOf(page: string, list: string): unknown {
  return pages.get(page)?.outcomes.get(list);
}

/** Remembers an outcome. */
export function setOutcome(page: string, list: string, outcome: unknown): void {
  recordOf(page).outcomes.set(list, outcome);
}

/** One request: the page and the list that its events are shown in, and the cookies that were refused. */
interface Scene {
  readonly page: string;
  readonly list: string;
  readonly rejected: string[];
}

const scenes = new AsyncLocalStorage<Scene>();

/** Runs a request in its scene. */
export function inScene<T>(page: string, list: string, run: () => T): T {
  return scenes.run({ page, list, rejected: [] }, run);
}

/** The reason that a cookie of this request was refused; undefined: none was. */
export function refusal(): string | undefined {
  return scenes.getStore()?.rejected.at(-1);
}

/** Adds a line to the request's list. */
export function note(line: string): void {
  const scene = scenes.getStore();
  if (scene === undefined || !isPageId(scene.page) || !LIST.test(scene.list)) return;
  const { lists } = recordOf(scene.page);
  const lines = lists.get(scene.list) ?? [];
  lines.push(line);
  lists.set(scene.list, lines.slice(-MAX_LINES));
}

/** Begins the request's list anew. */
export function clearNotes(): void {
  const scene = scenes.getStore();
  if (scene !== undefined) pages.get(scene.page)?.lists.delete(scene.list);
}

/** An id is a handle, no credential, and safe to show; its beginning is enough to tell two apart. */
const short = (id: string): string => id.slice(0, 6);

/** Every event that a visitor can cause, as a line. */
export const observers: SessionObservers = {
  opened: ({ id }) => note(`opened ${short(id)}`),
  created: ({ id }) => note(`created ${short(id)}`),
  renewed: ({ id }) => note(`renewed ${short(id)}`),
  regenerated: ({ id }) => note(`regenerated ${short(id)}`),
  committed: ({ id }) => note(`committed ${short(id)}`),
  destroyed: ({ id }) => note(`destroyed ${short(id)}`),
  refused: ({ id, reason }) => note(`refused ${short(id)}: ${reason}`),
  overwritten: ({ id, keys }) => note(`overwritten ${short(id)}: ${keys.join(", ")}`),
  collapsed: ({ id, bytes }) => note(`collapsed ${short(id)}: ${bytes} bytes`),
  rejected: ({ reason }) => {
    scenes.getStore()?.rejected.push(reason);
    note(`rejected: ${reason}`);
  },
  storeError: ({ operation }) => note(`store error: ${operation}`),
};
