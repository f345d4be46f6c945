import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dueEvent,
  type Effect,
  effectsOf,
  isFinal,
  nextState,
  type RequestEvent,
  type ShareFacts,
  step,
} from './machine.ts';
import type { RequestState } from './service.ts';

const events: RequestEvent[] = [
  'review', 'lock', 'decline', 'approve', 'sealed', 'seal-failed', 'slot', 'withdraw', 'revoke', 'body-done', 'key-done',
  'upload-failed', 'expire',
]; // biome-ignore format: a list
const states: RequestState[] = [
  'PENDING', 'DECLINED', 'REVIEWING', 'SEALING', 'COOLING', 'BODY_UP', 'RELEASE', 'SHARED', 'WITHDRAWN', 'REVOKED', 'EXPIRED',
  'FAILED',
]; // biome-ignore format: a list

function walk(path: readonly RequestEvent[]): RequestState[] {
  const walked: RequestState[] = ['PENDING'];
  for (const event of path) {
    const next = nextState(walked.at(-1) as RequestState, event);
    if (next !== undefined) walked.push(next);
  }
  return walked;
}

const paths = fc.array(fc.constantFrom(...events), { maxLength: 40 });

describe('the state machine of a request', () => {
  it('shares only after approval, sealing, cooling-off, body and release, in this order', () => {
    fc.assert(
      fc.property(paths, (path) => {
        const walked = walk(path);
        if (!walked.includes('SHARED')) return;
        const order = ['REVIEWING', 'SEALING', 'COOLING', 'BODY_UP', 'RELEASE', 'SHARED'] as const;
        const places = order.map((s) => walked.lastIndexOf(s));
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
        const walked = walk(path);
        const end = walked.findIndex((s) => isFinal(s));
        if (end >= 0) expect(walked).toHaveLength(end + 1);
        const declined = walked.indexOf('DECLINED');
        if (declined >= 0) expect(['DECLINED', 'EXPIRED', 'REVOKED']).toContain(walked.at(-1));
      }),
      { numRuns: 2000 },
    );
  });

  it('can be withdrawn at every moment between approval and release, and not after', () => {
    // What is still being sealed exists nowhere yet: the request is as before.
    expect(nextState('SEALING', 'withdraw')).toBe('PENDING');
    expect(nextState('COOLING', 'withdraw')).toBe('WITHDRAWN');
    expect(nextState('BODY_UP', 'withdraw')).toBe('WITHDRAWN');
    for (const state of states.filter((s) => !['SEALING', 'COOLING', 'BODY_UP'].includes(s))) {
      expect(nextState(state, 'withdraw')).toBeUndefined();
    }
  });

  it('says with every step what is to be done, and lets the key out in one state alone', () => {
    for (const state of states) {
      expect(effectsOf(state).includes('publish-key')).toBe(state === 'RELEASE');
      expect(effectsOf(state).includes('publish-body')).toBe(state === 'BODY_UP');
      for (const event of events) {
        const next = step(state, event);
        expect(next?.state).toBe(nextState(state, event));
        if (next !== undefined) expect(next.effects).toEqual(effectsOf(next.state));
      }
    }
  });

  it('reaches sealing by approval alone, and approval from a review that an unlocked session began', () => {
    for (const state of states) {
      for (const event of events) {
        if (nextState(state, event) === 'SEALING') expect([state, event]).toEqual(['REVIEWING', 'approve']);
        if (nextState(state, event) === 'COOLING') expect([state, event]).toEqual(['SEALING', 'sealed']);
        if (nextState(state, event) === 'REVIEWING')
          expect(['PENDING review', 'SEALING seal-failed']).toContain(`${state} ${event}`);
      }
    }
  });
});

// A whole house in memory: what is on its disk, at the courier and at the agency's server, driven by the same pure functions
// that the program uses, with a crash between any two writes.

type Action =
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'set-clock'; readonly ms: number }
  | { readonly kind: 'tick'; readonly crashAfter: number }
  | {
      readonly kind: 'approve' | 'withdraw' | 'revoke' | 'confirm' | 'courier' | 'courier-fails' | 'distrust' | 'trust';
    };

const coolingOffMs = 3600_000;
const day = 86_400_000;

class ModelHouse {
  state: RequestState = 'PENDING';
  held = new Set<'body' | 'key'>();
  outbox = new Set<'body' | 'key' | 'withdrawn'>();
  server = new Set<'body' | 'key'>();
  status: ShareFacts['upload'] = undefined;
  releaseRow = false;
  shares = 0;
  revoked = false;
  confirmed: boolean;
  trusted = true;
  wallMs = 0;
  floorMs = 0;
  steadyMs = 0;
  approvedSteadyMs = Number.NaN;
  coolingLeftMs = 0;
  releaseNotBeforeMs = 0;
  deadlineMs = 9 * day;
  withdrawnBeforeRelease = false;
  #marked = 0;

  constructor(needsSecond: boolean) {
    this.confirmed = !needsSecond;
  }

  get nowMs(): number {
    return Math.max(this.wallMs, this.floorMs);
  }

  facts(): ShareFacts {
    return {
      state: this.state,
      nowMs: this.nowMs,
      clockTrusted: this.trusted,
      releaseNotBeforeMs: this.releaseNotBeforeMs,
      deadlineMs: this.deadlineMs,
      coolingLeftMs: this.coolingLeftMs,
      confirmed: this.confirmed,
      revoked: this.revoked,
      filesHeld: this.held.has('body') && this.held.has('key'),
      bodyOut: this.outbox.has('body'),
      upload: this.status,
    };
  }

  #perform(effect: Effect): void {
    if (effect === 'publish-body' && this.held.has('body')) this.outbox.add('body');
    if (effect === 'publish-key' && this.held.has('key') && this.outbox.has('body')) {
      this.held.delete('key');
      this.outbox.add('key');
    }
    if (effect === 'destroy-held') this.held.clear();
    if (effect === 'call-back' && this.outbox.size > 0) this.outbox.add('withdrawn');
    if (effect === 'clear-sent') this.outbox.clear();
  }

  /** One tick that ends after so many writes: what comes after a crash is another tick. */
  tick(crashAfter: number): void {
    const elapsed = this.steadyMs - this.#marked;
    this.#marked = this.steadyMs;
    if (this.state === 'COOLING') this.coolingLeftMs = Math.max(0, this.coolingLeftMs - elapsed);
    let writes = 0;
    for (let moves = 0; moves <= 3; moves += 1) {
      for (const effect of effectsOf(this.state)) {
        if (writes++ >= crashAfter) return;
        this.#perform(effect);
      }
      const event = dueEvent(this.facts());
      const next = event === undefined ? undefined : step(this.state, event);
      if (next === undefined) return;
      if (writes++ >= crashAfter) return;
      this.state = next.state;
      if (next.state === 'RELEASE') this.releaseRow = true;
    }
  }

  act(action: Action): void {
    switch (action.kind) {
      case 'pass':
        this.wallMs += action.ms;
        this.steadyMs += action.ms;
        return;
      case 'set-clock':
        this.floorMs = Math.max(this.floorMs, this.nowMs);
        this.wallMs = action.ms;
        return;
      case 'tick':
        return this.tick(action.crashAfter);
      case 'approve':
        if (this.state !== 'PENDING') return;
        for (const event of ['review', 'approve', 'sealed'] as const)
          this.state = nextState(this.state, event) ?? this.state;
        this.held = new Set(['body', 'key']);
        this.shares += 1;
        this.approvedSteadyMs = this.steadyMs;
        this.#marked = this.steadyMs;
        this.coolingLeftMs = coolingOffMs;
        this.releaseNotBeforeMs = this.nowMs + coolingOffMs;
        return;
      case 'withdraw': {
        const next = nextState(this.state, 'withdraw');
        if (next === undefined) return;
        this.state = next;
        this.withdrawnBeforeRelease = true;
        return;
      }
      case 'revoke':
        this.revoked = true;
        return;
      case 'confirm':
        this.confirmed = true;
        return;
      case 'courier':
        if (this.outbox.has('withdrawn')) {
          this.server.clear();
          this.status = 'terminated';
        } else if (this.outbox.has('key')) {
          this.server = new Set(['body', 'key']);
          this.status = 'done';
        } else if (this.outbox.has('body')) {
          this.server.add('body');
          this.status = 'body-done';
        }
        return;
      case 'courier-fails':
        this.status = 'failed';
        return;
      case 'distrust':
        this.trusted = false;
        return;
      case 'trust':
        this.trusted = true;
    }
  }
}

const ticks = fc.integer({ min: 0, max: 8 }).map((n): Action => ({ kind: 'tick', crashAfter: n === 8 ? 99 : n }));
const actions: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: ticks },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 2 * coolingOffMs }).map((ms): Action => ({ kind: 'pass', ms })) },
  {
    weight: 2,
    arbitrary: fc.integer({ min: -3 * day, max: 10 * day }).map((ms): Action => ({ kind: 'set-clock', ms })),
  },
  { weight: 2, arbitrary: fc.constant<Action>({ kind: 'courier' }) },
  ...(['approve', 'confirm'] as const).map((kind) => ({ weight: 2, arbitrary: fc.constant<Action>({ kind }) })),
  ...(['withdraw', 'revoke', 'courier-fails', 'distrust', 'trust'] as const).map((kind) => ({
    weight: 1,
    arbitrary: fc.constant<Action>({ kind }),
  })),
);

describe('a house, whatever happens to it and wherever it is cut off,', () => {
  const live = (check: (house: ModelHouse, before: RequestState) => void): void => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(actions, { maxLength: 60 }), (needsSecond, list) => {
        const house = new ModelHouse(needsSecond);
        for (const action of list) {
          const before = house.state;
          house.act(action);
          check(house, before);
        }
      }),
      { numRuns: 3000 },
    );
  };

  it('puts no key into the outbox before the row of the release is written', () => {
    live((house) => {
      if (house.outbox.has('key') || house.server.has('key')) expect(house.releaseRow).toBe(true);
    });
  });

  it('releases nothing before the cooling-off has passed by a steady clock, and never without the second approver', () => {
    live((house) => {
      if (house.outbox.has('body')) {
        expect(house.steadyMs - house.approvedSteadyMs).toBeGreaterThanOrEqual(coolingOffMs);
        expect(house.confirmed).toBe(true);
      }
    });
  });

  it('keeps no key of a share that was withdrawn before its release, at home or anywhere', () => {
    live((house) => {
      if (!house.withdrawnBeforeRelease) return;
      expect(house.releaseRow).toBe(false);
      expect(house.server.has('key') || house.outbox.has('key')).toBe(false);
      house.tick(99);
      expect(house.held.size).toBe(0);
    });
  });

  it('makes one share at most, and brings back nothing that ended, whatever the clock is set to', () => {
    live((house, before) => {
      expect(house.shares).toBeLessThanOrEqual(1);
      if (isFinal(before)) expect(house.state).toBe(before);
    });
  });

  it('and an undisturbed one shares', () => {
    const house = new ModelHouse(true);
    const script: Action[] = [
      { kind: 'approve' }, { kind: 'pass', ms: coolingOffMs }, { kind: 'tick', crashAfter: 99 }, { kind: 'confirm' },
      { kind: 'tick', crashAfter: 99 }, { kind: 'courier' }, { kind: 'tick', crashAfter: 99 }, { kind: 'courier' },
      { kind: 'tick', crashAfter: 99 },
    ]; // biome-ignore format: a list
    for (const action of script) house.act(action);
    expect(house.state).toBe('SHARED');
    expect([...house.server]).toEqual(['body', 'key']);
    expect(house.held.size + house.outbox.size).toBe(0);
  });
});
