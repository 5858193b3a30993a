// express-session's store in this process's memory: for one process, for trials and tests. It grows with
// its sessions, and forgets them with the process.
import { EventEmitter } from "node:events";
import type { Done } from "./session.ts";
import { callable, type GotSession, type SessionData, Store } from "./store.ts";

/** Sessions as JSON texts: nobody holds an object that a later request changes. */
class MemorySessions extends Store {
  /** The JSON text of each session. */
  sessions: Record<string, string> = noSessions();

  override get(sid: string, done: GotSession): void {
    const session = liveSession(this.sessions, sid);
    setImmediate(done, undefined, session);
  }

  override set(sid: string, session: SessionData, done?: Done): void {
    this.sessions[sid] = JSON.stringify(session);
    tell(done);
  }

  override destroy(sid: string, done?: Done): void {
    delete this.sessions[sid];
    tell(done);
  }

  /** Takes over the cookie of a session that is there. */
  touch(sid: string, { cookie }: Pick<SessionData, "cookie">, done?: Done): void {
    const stored = liveSession(this.sessions, sid);
    if (stored !== undefined) this.sessions[sid] = JSON.stringify({ ...stored, cookie });
    tell(done);
  }

  /** Gives the live sessions by their sids. */
  all(done: (error?: unknown, sessions?: Record<string, SessionData>) => void): void {
    setImmediate(done, undefined, liveSessions(this.sessions));
  }

  /** Gives the number of live sessions. */
  length(done: (error?: unknown, length?: number) => void): void {
    setImmediate(done, undefined, Object.keys(liveSessions(this.sessions)).length);
  }

  /** Ends all sessions. */
  clear(done?: Done): void {
    this.sessions = noSessions();
    tell(done);
  }
}

function noSessions<Value>(): Record<string, Value> {
  return Object.create(null) as Record<string, Value>;
}

function tell(done: Done | undefined): void {
  if (done !== undefined) setImmediate(done);
}

/** The session of a sid; one that has expired is removed. */
function liveSession(sessions: Record<string, string>, sid: string): SessionData | undefined {
  const text = sessions[sid];
  if (text === undefined) return undefined;
  const session = JSON.parse(text) as SessionData;
  const { expires } = (session.cookie as SessionData["cookie"] | undefined) ?? {};
  if (!expires || new Date(expires).getTime() > Date.now()) return session;
  delete sessions[sid];
  return undefined;
}

function liveSessions(sessions: Record<string, string>): Record<string, SessionData> {
  const live = noSessions<SessionData>();
  for (const sid of Object.keys(sessions)) {
    const session = liveSession(sessions, sid);
    if (session !== undefined) live[sid] = session;
  }
  return live;
}

/** A store for express-session in memory. */
export const MemoryStore: typeof MemorySessions = callable(MemorySessions, (self) => {
  EventEmitter.call(self);
  self.sessions = noSessions();
});
export type MemoryStore = MemorySessions;
