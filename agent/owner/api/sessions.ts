/** Who is logged in, in memory only: a restart logs everybody out. Only a hash of each cookie is kept. */
import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { LockState } from '../service.ts';
import type { Account } from './accounts.ts';

const idleMs = 12 * 3_600_000;
const maxAgeMs = 30 * 24 * 3_600_000;
const maxPerAccountCount = 16;
/** `__Host-`: the browser takes it only with Secure, Path=/ and no Domain, so no other host can plant one. */
const cookieName = '__Host-latchkey';

export interface Session {
  readonly account: Account;
  readonly startedMs: number;
  seenMs: number;
  /** Of the account when it logged in; one that has another password or role since, or is gone, is logged out. */
  readonly mark: string | undefined;
  /** What this session itself proved since the last lock: a vault opened by somebody else opens nothing here. */
  unlocked: LockState;
}

const ranks: Readonly<Record<LockState, number>> = { locked: 0, viewing: 1, deciding: 2 };

/** The lesser of two: what a session sees of the vault. */
export function lesserLock(a: LockState, b: LockState): LockState {
  return ranks[a] < ranks[b] ? a : b;
}

export class Sessions {
  readonly #clock: Clock;
  readonly #markOf: (name: string) => string | undefined;
  readonly #byHash = new Map<string, Session>();

  constructor(clock: Clock, markOf: (name: string) => string | undefined) {
    this.#clock = clock;
    this.#markOf = markOf;
  }

  /** Starts a session and returns the `Set-Cookie` value. Beyond 16 of one account its longest unseen one ends. */
  start(account: Account): string {
    const token = randomBytes(32).toString('base64url');
    const nowMs = this.#clock.monotonicMs();
    const mark = this.#markOf(account.name);
    this.#byHash.set(hashOf(token), { account, mark, startedMs: nowMs, seenMs: nowMs, unlocked: 'locked' });
    const own = [...this.#byHash].filter(([, session]) => session.account.name === account.name);
    if (own.length > maxPerAccountCount) {
      const oldest = own.reduce((a, b) => (b[1].seenMs < a[1].seenMs ? b : a));
      this.#byHash.delete(oldest[0]);
    }
    return `${cookieName}=${token}; Path=/; Secure; HttpOnly; SameSite=Strict`;
  }

  /** The live session that a `Cookie` header names. */
  find(cookieHeader: string | undefined): Session | undefined {
    const token = tokenOf(cookieHeader);
    if (token === undefined) return undefined;
    const session = this.#byHash.get(hashOf(token));
    if (session === undefined || !this.isLive(session)) return undefined;
    session.seenMs = this.#clock.monotonicMs();
    return session;
  }

  /** The vault is closed: whoever opened it has to prove it again. */
  lockAll(): void {
    for (const session of this.#byHash.values()) session.unlocked = 'locked';
  }

  isLive(session: Session): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (![...this.#byHash.values()].includes(session)) return false;
    if (nowMs - session.seenMs >= idleMs || nowMs - session.startedMs >= maxAgeMs) return false;
    return session.mark !== undefined && session.mark === this.#markOf(session.account.name);
  }

  /** Ends the session of a `Cookie` header and returns the `Set-Cookie` value that clears it. */
  end(cookieHeader: string | undefined): string {
    const token = tokenOf(cookieHeader);
    if (token !== undefined) this.#byHash.delete(hashOf(token));
    return `${cookieName}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0`;
  }
}

function tokenOf(cookieHeader: string | undefined): string | undefined {
  for (const pair of (cookieHeader ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === cookieName && value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value)) return value;
  }
  return undefined;
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
