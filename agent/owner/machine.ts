/**
 * The state machine of a request, pure: `state × event → state + effects`, and what the facts about a share make due. The
 * new state is on disk before an effect begins; every effect may be repeated, and is at every tick until it has been done.
 * `consent.ts` and `release.ts` only gather facts, write states and carry effects out (agent/protocol/README.md).
 */
import type { RequestState } from './service.ts';

export type RequestEvent =
  | 'review' | 'lock' | 'decline' | 'approve' | 'sealed' | 'seal-failed' | 'slot' | 'withdraw' | 'revoke'
  | 'body-done' | 'key-done' | 'upload-failed' | 'expire'; // biome-ignore format: a list

export type Effect =
  /** Body and dispatch into the outbox. */
  | 'publish-body'
  /** The key into the outbox: only ever in RELEASE. */
  | 'publish-key'
  /** What is held at home goes, and with it the only key. */
  | 'destroy-held'
  /** The courier is told to end what it has begun; its folder goes once it has, or when time is over. */
  | 'call-back'
  /** What was sent goes from here. */
  | 'clear-sent';

type Table = Readonly<Record<RequestState, Readonly<Partial<Record<RequestEvent, RequestState>>>>>;

const table: Table = {
  PENDING: { review: 'REVIEWING', decline: 'DECLINED', expire: 'EXPIRED', revoke: 'REVOKED' },
  DECLINED: { expire: 'EXPIRED', revoke: 'REVOKED' },
  REVIEWING: { lock: 'PENDING', decline: 'DECLINED', approve: 'SEALING', expire: 'EXPIRED', revoke: 'REVOKED' },
  SEALING: { sealed: 'COOLING', 'seal-failed': 'REVIEWING', lock: 'PENDING', withdraw: 'PENDING', revoke: 'REVOKED' },
  COOLING: { slot: 'BODY_UP', withdraw: 'WITHDRAWN', revoke: 'REVOKED', expire: 'FAILED' },
  BODY_UP: {
    'body-done': 'RELEASE',
    withdraw: 'WITHDRAWN',
    revoke: 'REVOKED',
    'upload-failed': 'FAILED',
    expire: 'FAILED',
  },
  // The point of no return: from here nothing but the key's arrival, or its failure to arrive by the deadline.
  RELEASE: { 'key-done': 'SHARED', 'upload-failed': 'FAILED', expire: 'FAILED' },
  SHARED: {},
  WITHDRAWN: {},
  REVOKED: {},
  EXPIRED: {},
  FAILED: {},
};

const effects: Readonly<Partial<Record<RequestState, readonly Effect[]>>> = {
  BODY_UP: ['publish-body'],
  RELEASE: ['publish-key'],
  SHARED: ['destroy-held', 'clear-sent'],
  WITHDRAWN: ['destroy-held', 'call-back'],
  REVOKED: ['destroy-held', 'call-back'],
  FAILED: ['destroy-held', 'call-back'],
};

export interface Step {
  readonly state: RequestState;
  readonly effects: readonly Effect[];
}

/** What `event` leads to, or undefined where it means nothing. */
export function step(state: RequestState, event: RequestEvent): Step | undefined {
  const next = table[state][event];
  return next === undefined ? undefined : { state: next, effects: effectsOf(next) };
}

/** What is to be carried out, again and again, while a share is in this state. */
export function effectsOf(state: RequestState): readonly Effect[] {
  return effects[state] ?? [];
}

/** The state that `event` leads to, or undefined where it means nothing. */
export function nextState(state: RequestState, event: RequestEvent): RequestState | undefined {
  return table[state][event];
}

export function isFinal(state: RequestState): boolean {
  return Object.keys(table[state]).length === 0;
}

/** Everything that decides whether a share moves by itself. */
export interface ShareFacts {
  readonly state: RequestState;
  /** Wall time that never goes back. */
  readonly nowMs: number;
  readonly clockTrusted: boolean;
  readonly releaseNotBeforeMs: number;
  readonly deadlineMs: number;
  /** Cooling-off left by the steady clock: a wall clock that is set forward ends nothing. */
  readonly coolingLeftMs: number;
  /** True unless a second person still has to say yes. */
  readonly confirmed: boolean;
  readonly revoked: boolean;
  /** Body, key and dispatch lie at home. */
  readonly filesHeld: boolean;
  /** The body lies in the outbox. */
  readonly bodyOut: boolean;
  /** What the courier claims. */
  readonly upload: 'uploading' | 'body-done' | 'done' | 'terminated' | 'failed' | undefined;
}

/** The event that is due, if any. */
export function dueEvent(facts: ShareFacts): RequestEvent | undefined {
  const { state, nowMs, upload } = facts;
  const isLate = nowMs >= facts.deadlineMs;
  const mayLeave =
    facts.clockTrusted && nowMs >= facts.releaseNotBeforeMs && facts.coolingLeftMs <= 0 && facts.confirmed;
  if (state === 'COOLING') {
    if (facts.revoked) return 'revoke';
    if (isLate || !facts.filesHeld) return 'expire';
    return mayLeave ? 'slot' : undefined;
  }
  if (state === 'BODY_UP') {
    if (facts.revoked) return 'revoke';
    if (isLate) return 'expire';
    if (upload === 'failed' || upload === 'terminated') return 'upload-failed';
    if (!facts.bodyOut && !facts.filesHeld) return 'expire';
    return facts.bodyOut && facts.filesHeld && upload === 'body-done' && mayLeave ? 'body-done' : undefined;
  }
  if (state !== 'RELEASE') return undefined;
  if (upload === 'done') return 'key-done';
  return upload === 'failed' || isLate ? 'upload-failed' : undefined;
}
