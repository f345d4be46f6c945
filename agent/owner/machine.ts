/**
 * The state machine of a request, pure: `state × event → state`. What each step must have on disk first is the business
 * of `consent.ts`; here stands only what may follow what (agent/protocol/README.md, after protocol.md).
 */
import type { RequestState } from './service.ts';

export type RequestEvent =
  | 'review' | 'lock' | 'decline' | 'approve' | 'sealed' | 'seal-failed' | 'slot' | 'withdraw' | 'revoke'
  | 'body-done' | 'key-done' | 'upload-failed' | 'expire'; // biome-ignore format: a list

type Table = Readonly<Record<RequestState, Readonly<Partial<Record<RequestEvent, RequestState>>>>>;

const table: Table = {
  PENDING: { review: 'REVIEWING', decline: 'DECLINED', expire: 'EXPIRED', revoke: 'REVOKED' },
  DECLINED: { expire: 'EXPIRED', revoke: 'REVOKED' },
  REVIEWING: { lock: 'PENDING', decline: 'DECLINED', approve: 'SEALING', expire: 'EXPIRED', revoke: 'REVOKED' },
  SEALING: { sealed: 'COOLING', 'seal-failed': 'REVIEWING', lock: 'PENDING', revoke: 'REVOKED' },
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

/** The state that `event` leads to, or undefined where it means nothing. */
export function nextState(state: RequestState, event: RequestEvent): RequestState | undefined {
  return table[state][event];
}

export function isFinal(state: RequestState): boolean {
  return Object.keys(table[state]).length === 0;
}
