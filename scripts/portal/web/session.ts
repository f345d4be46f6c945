import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * One token, shown where the console was started, lets in whoever types it: another user of the machine can reach the port
 * but not the token. A browser then holds a cookie; every form holds a second secret that no other page can read.
 */
export interface Session {
  readonly id: string;
  readonly formSecret: string;
}

const idleMs = 30 * 60_000;
const maxSessions = 20;
const freeTries = 5;
const waitMs = 30_000;

export class Sessions {
  readonly token = randomBytes(20).toString('base64url');
  readonly #nowMs: () => number;
  readonly #sessions = new Map<string, { session: Session; usedAtMs: number }>();
  #failedCount = 0;
  #closedUntilMs = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Undefined if the token is wrong; `wait` after five wrong ones, for half a minute, whatever is typed. */
  logIn(token: string): Session | 'wait' | undefined {
    const nowMs = this.#nowMs();
    if (nowMs < this.#closedUntilMs) return 'wait';
    if (!isEqual(token, this.token)) {
      this.#failedCount += 1;
      if (this.#failedCount >= freeTries) this.#closedUntilMs = nowMs + waitMs;
      return undefined;
    }
    this.#failedCount = 0;
    const session = { id: randomBytes(24).toString('base64url'), formSecret: randomBytes(24).toString('base64url') };
    this.#sessions.set(session.id, { session, usedAtMs: nowMs });
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > maxSessions && oldest !== undefined) this.#sessions.delete(oldest);
    return session;
  }

  find(id: string | undefined): Session | undefined {
    const found = id === undefined ? undefined : this.#sessions.get(id);
    if (found === undefined) return undefined;
    const nowMs = this.#nowMs();
    if (nowMs - found.usedAtMs > idleMs) {
      this.#sessions.delete(found.session.id);
      return undefined;
    }
    found.usedAtMs = nowMs;
    return found.session;
  }

  logOut({ id }: Session): void {
    this.#sessions.delete(id);
  }
}

/** Compares hashes, so that neither content nor length shows in the time. */
export function isEqual(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => createHash('sha256').update(text).digest());
  return x !== undefined && y !== undefined && timingSafeEqual(x, y);
}
