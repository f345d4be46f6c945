import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EventChange, EventMachine, type EventMode } from './hysteresis.ts';

const timing = { preRollMs: 5000, postRollMs: 8000, candidateGapMs: 2000, candidateReachMs: 15_000 };

function machine(mode: EventMode): EventMachine {
  return new EventMachine(mode, timing);
}

describe('mode motion', () => {
  test('motion opens, extends and closes', () => {
    const m = machine('motion');
    expect(m.motion(10_000)).toEqual([{ kind: 'opened', trigger: 'motion', fromMs: 5000, untilMs: 18_000 }]);
    expect(m.motion(12_000)).toEqual([{ kind: 'extended', untilMs: 20_000 }]);
    expect(m.settle(19_999)).toEqual([]);
    expect(m.settle(20_000)).toEqual([{ kind: 'closed', untilMs: 20_000 }]);
    expect(m.settle(30_000)).toEqual([]);
  });

  test('the next event does not reach back into the one before', () => {
    const m = machine('motion');
    m.motion(10_000);
    m.settle(18_000);
    expect(m.motion(19_000)).toEqual([{ kind: 'opened', trigger: 'motion', fromMs: 18_000, untilMs: 27_000 }]);
  });
});

describe('mode person', () => {
  test('motion alone never opens an event', () => {
    const m = machine('person');
    for (let ms = 0; ms < 100_000; ms += 200) {
      expect(m.motion(ms)).toEqual([]);
      expect(m.settle(ms)).toEqual([]);
    }
  });

  test('a person confirmed late is recorded from before the first motion', () => {
    const m = machine('person');
    for (let ms = 10_000; ms <= 14_000; ms += 200) m.motion(ms);
    expect(m.candidateFromMs).toBe(5000);
    expect(m.person(14_000, 13_600)).toEqual([{ kind: 'opened', trigger: 'person', fromMs: 5000, untilMs: 22_000 }]);
  });

  test('a candidate ends with a pause, and reaches back only so far', () => {
    const m = machine('person');
    m.motion(10_000);
    m.settle(12_001);
    expect(m.candidateFromMs).toBeUndefined();
    expect(m.person(12_500)).toMatchObject([{ fromMs: 7500 }]);
    const windy = machine('person');
    for (let ms = 0; ms <= 60_000; ms += 200) windy.motion(ms);
    expect(windy.person(60_000)).toMatchObject([{ fromMs: 60_000 - 15_000 - 5000 }]);
  });

  test('motion does not extend; people do, also when they stand still', () => {
    const m = machine('person');
    m.person(10_000);
    expect(m.motion(17_000)).toEqual([]);
    expect(m.person(17_500)).toEqual([{ kind: 'extended', untilMs: 25_500 }]);
    expect(m.settle(25_500)).toHaveLength(1);
  });

  test('evidence that arrives late about covered time opens nothing', () => {
    const m = machine('person');
    m.person(10_000);
    m.settle(18_000);
    expect(m.person(9800)).toEqual([]);
  });
});

test('the mode may change while an event is open', () => {
  const m = machine('motion');
  m.motion(10_000);
  m.mode = 'person';
  expect(m.motion(11_000)).toEqual([]);
  expect(m.isOpen).toBe(true);
  expect(m.settle(18_000)).toHaveLength(1);
  expect(m.motion(30_000)).toEqual([]);
});

test('the button opens an event in every mode', () => {
  for (const mode of ['motion', 'person'] as const) {
    expect(machine(mode).button(10_000)).toMatchObject([{ kind: 'opened', trigger: 'button' }]);
  }
});

test('the end of a run ends its event, and times begin anew', () => {
  const m = machine('motion');
  m.motion(10_000);
  expect(m.end(11_000)).toEqual([{ kind: 'closed', untilMs: 11_000 }]);
  expect(m.end(11_000)).toEqual([]);
  expect(m.motion(500)).toMatchObject([{ kind: 'opened', fromMs: -4500 }]);
});

/** Slow reference: an instant is covered when some evidence lies within the post-roll before it, or the pre-roll after. */
function coveredByReference(sightings: readonly number[], ms: number): boolean {
  return sightings.some((at) => ms >= at && ms < at + timing.postRollMs);
}

test('against a slow reference: open exactly while evidence is fresh', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { maxLength: 40 }), (marks) => {
      const sightings = marks.map((mark) => mark * 200).toSorted((a, b) => a - b);
      const m = machine('person');
      const changes: EventChange[] = [];
      for (let ms = 0; ms <= 100_000; ms += 200) {
        changes.push(...m.settle(ms));
        if (sightings.includes(ms)) changes.push(...m.person(ms));
        expect(m.isOpen).toBe(coveredByReference(sightings, ms));
      }
      const kinds = changes.filter((change) => change.kind !== 'extended').map((change) => change.kind);
      expect(kinds.every((kind, i) => kind === (i % 2 === 0 ? 'opened' : 'closed'))).toBe(true);
      expect(kinds.length % 2).toBe(0);
    }),
  );
});
