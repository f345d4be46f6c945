import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFinal, nextState, type RequestEvent } from './machine.ts';
import type { RequestState } from './service.ts';

const events: RequestEvent[] = [
  'review', 'lock', 'decline', 'approve', 'sealed', 'seal-failed', 'slot', 'withdraw', 'revoke', 'body-done', 'key-done',
  'upload-failed', 'expire',
]; // biome-ignore format: a list

function walk(path: readonly RequestEvent[]): RequestState[] {
  const states: RequestState[] = ['PENDING'];
  for (const event of path) {
    const next = nextState(states.at(-1) as RequestState, event);
    if (next !== undefined) states.push(next);
  }
  return states;
}

const paths = fc.array(fc.constantFrom(...events), { maxLength: 40 });

describe('the state machine of a request', () => {
  it('shares only after approval, sealing, cooling-off, body and release, in this order', () => {
    fc.assert(
      fc.property(paths, (path) => {
        const states = walk(path);
        if (!states.includes('SHARED')) return;
        const order = ['REVIEWING', 'SEALING', 'COOLING', 'BODY_UP', 'RELEASE', 'SHARED'] as const;
        const places = order.map((s) => states.lastIndexOf(s));
        expect(places).toEqual(places.toSorted((a, b) => a - b));
        expect(places.every((p) => p > 0)).toBe(true);
      }),
      { numRuns: 2000 },
    );
    expect(walk(['review', 'approve', 'sealed', 'slot', 'body-done', 'key-done']).at(-1)).toBe('SHARED');
  });

  it('never leaves a final state, and a declined or withdrawn request never comes back', () => {
    fc.assert(
      fc.property(paths, (path) => {
        const states = walk(path);
        const end = states.findIndex((s) => isFinal(s));
        if (end >= 0) expect(states).toHaveLength(end + 1);
        const declined = states.indexOf('DECLINED');
        if (declined >= 0) expect(['DECLINED', 'EXPIRED', 'REVOKED']).toContain(states.at(-1));
      }),
      { numRuns: 2000 },
    );
  });

  it('can be withdrawn at every moment between approval and release, and not after', () => {
    expect(nextState('COOLING', 'withdraw')).toBe('WITHDRAWN');
    expect(nextState('BODY_UP', 'withdraw')).toBe('WITHDRAWN');
    expect(nextState('RELEASE', 'withdraw')).toBeUndefined();
  });
});
