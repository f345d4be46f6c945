// Confirmation, standing still, leaving, and the regions that keep being looked at.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Box, Detection } from '../stages.ts';
import { PersonTracker } from './tracker.ts';

function at(x: number, y = 100, w = 40, h = 100, score = 0.5): Detection {
  return { box: { x, y, w, h }, score, label: 'person' };
}
const person = at(100);
const scored = (score: number): Detection => ({ ...person, score });

/** The look, from 0, that confirms somebody who is found with these scores; nothing found is undefined. */
function confirmedAt(scores: readonly (number | undefined)[], tracker = new PersonTracker()): number {
  return scores.findIndex(
    (score, i) => tracker.update(i * 200, score === undefined ? [] : [scored(score)]).appeared.length > 0,
  );
}

describe('confirmation', () => {
  it('takes three detections among five looks', () => {
    const tracker = new PersonTracker();
    expect(tracker.update(0, [person])).toEqual({ people: [], appeared: [], left: [] });
    expect(tracker.update(200, []).appeared).toEqual([]);
    expect(tracker.update(400, [person]).appeared).toEqual([]);
    const fourth = tracker.update(600, [person]);
    expect(fourth.appeared).toHaveLength(1);
    expect(fourth.people).toEqual(fourth.appeared);
    expect(fourth.appeared[0]).toMatchObject({ confirmed: true, firstSeenMs: 0, lastSeenMs: 600 });
    expect(tracker.update(800, [person]).appeared).toEqual([]);
  });

  it.each([
    ['a sure detection counts twice', [0.7, 0.5], 1],
    ['but one alone is not enough', [0.9, undefined, undefined, undefined, undefined], -1],
    ['nor with two weak ones', [0.9, 0.3, 0.3, undefined], -1],
    ['two good ones are somebody', [0.6, 0.6], 1],
    ['a weak one counts half', [0.5, 0.3, 0.3, 0.5], 3],
    ['weak ones alone are nobody', [0.4, 0.4, 0.4, 0.4, 0.4, 0.4], -1],
    ['two passing ones are nobody', [0.5, 0.55, undefined, undefined, undefined, undefined], -1],
  ] as readonly (readonly [string, readonly (number | undefined)[], number])[])('%s', (_, scores, look) => {
    expect(confirmedAt(scores)).toBe(look);
  });

  it('is not reached by one detection in three looks, again and again', () => {
    const tracker = new PersonTracker();
    for (let i = 0; i < 60; i++) expect(tracker.update(i * 200, i % 3 === 0 ? [person] : []).people).toEqual([]);
  });

  it('is not reached by detections at unlike places', () => {
    const tracker = new PersonTracker();
    for (let i = 0; i < 5; i++) expect(tracker.update(i * 200, [at(i * 300)]).people).toEqual([]);
  });

  it('can be set to the first detection', () => {
    expect(confirmedAt([0.5], new PersonTracker({ confirmCount: 1, windowCount: 1 }))).toBe(0);
    expect(() => new PersonTracker({ confirmCount: 4, windowCount: 3 })).toThrow(RangeError);
  });
});

describe('what moves', () => {
  /** Walks in from the left in 40 pixels a frame, stands at 200 from 1000 ms on; the model sees somebody from 600 ms. */
  function walkIn(tracker: PersonTracker, untilMs: number): void {
    for (let timeMs = 0; timeMs <= untilMs; timeMs += 200) {
      const x = Math.min(200, timeMs / 5);
      tracker.moved(timeMs, [{ x, y: 100, w: 40, h: 100 }]);
      tracker.update(timeMs, timeMs >= 600 ? [at(x)] : []);
    }
  }

  it('dates somebody back to where their way began', () => {
    const tracker = new PersonTracker();
    walkIn(tracker, 1000);
    expect(tracker.people(1000)).toMatchObject([{ firstSeenMs: 0, lastSeenMs: 1000 }]);
  });

  it('leads on from the last detection to where somebody was last seen', () => {
    const tracker = new PersonTracker();
    walkIn(tracker, 1000);
    for (let timeMs = 1200; timeMs <= 2000; timeMs += 200) {
      tracker.moved(timeMs, [{ x: timeMs / 5, y: 120, w: 30, h: 80 }]);
      const [gone] = tracker.update(timeMs, []).people;
      expect(gone).toMatchObject({ lastSeenMs: timeMs, score: 0, box: { x: timeMs / 5 } });
    }
    for (let timeMs = 2200; timeMs <= 2800; timeMs += 200) {
      tracker.moved(timeMs, []);
      expect(tracker.update(timeMs, []).people).toMatchObject([{ lastSeenMs: 2000 }]);
    }
    tracker.moved(3000, []);
    expect(tracker.update(3000, []).left).toMatchObject([{ lastSeenMs: 2000 }]);
  });

  it('never confirms what has not moved: a poster, a statue', () => {
    const tracker = new PersonTracker();
    let lookCount = 0;
    for (let timeMs = 0; timeMs <= 60_000; timeMs += 200) {
      tracker.moved(timeMs, []);
      const regions = timeMs === 0 ? [person.box] : tracker.recheckRegions(timeMs);
      if (regions.length === 0) continue;
      lookCount += 1;
      expect(tracker.update(timeMs, [scored(0.9)], regions).people).toEqual([]);
    }
    // It is not looked at for ever, five times a second.
    expect(lookCount).toBeLessThan(30);
    // Nor when somebody walks past it.
    for (let timeMs = 60_200; timeMs <= 90_000; timeMs += 200) {
      const passing = timeMs < 61_200 ? [{ x: (timeMs - 60_200) / 4, y: 100, w: 40, h: 100 }] : [];
      tracker.moved(timeMs, passing);
      expect(tracker.update(timeMs, [scored(0.9)]).people).toEqual([]);
    }
  });

  it('confirms somebody whom a lamp shows as soon as they move', () => {
    const tracker = new PersonTracker();
    const appeared: number[] = [];
    for (let timeMs = 0; timeMs <= 4000; timeMs += 200) {
      const x = timeMs < 2000 ? 100 : 100 + (timeMs - 2000) / 10;
      tracker.moved(timeMs, timeMs < 2000 ? [] : [{ x, y: 100, w: 40, h: 100 }]);
      if (tracker.update(timeMs, [at(x)]).appeared.length > 0) appeared.push(timeMs);
    }
    // As soon as no unsteady box explains it.
    expect(appeared).toEqual([2200]);
    expect(tracker.people(4000)).toMatchObject([{ firstSeenMs: 0 }]);
  });

  it('never confirms what stands where it was first found, however the light moves over it', () => {
    const tracker = new PersonTracker();
    for (let timeMs = 0; timeMs <= 8000; timeMs += 200) {
      // Headlights sweep over a statue; its box is unsteady.
      tracker.moved(timeMs, timeMs < 400 ? [] : [{ x: (timeMs / 10) % 400, y: 60, w: 200, h: 180 }]);
      const statue = at(100 + (timeMs % 600) / 100, 100 - (timeMs % 400) / 40, 40, 100, 0.8);
      expect(tracker.update(timeMs, [statue]).people).toEqual([]);
    }
  });

  it('keeps somebody whom the model loses for a while, as long as something stands there', () => {
    const tracker = new PersonTracker();
    walkIn(tracker, 2000);
    const box = { x: 200, y: 100, w: 40, h: 100 };
    for (let timeMs = 2200; timeMs <= 8000; timeMs += 200) {
      tracker.moved(timeMs, [box]);
      expect(tracker.update(timeMs, []).left).toEqual([]);
    }
    tracker.moved(8200, [box]);
    expect(tracker.update(8200, [at(200)]).people).toMatchObject([{ id: 1, lastSeenMs: 8200 }]);
  });
});

describe('tracking', () => {
  it('keeps one identity for somebody who walks, and two for two who pass each other apart', () => {
    const tracker = new PersonTracker();
    for (let i = 0; i < 20; i++) {
      const { people } = tracker.update(i * 200, [at(20 * i), at(600 - 20 * i, 250)]);
      if (i > 1) expect(people.map((p) => p.id)).toEqual([1, 2]);
    }
  });

  it('says that somebody left after the time to forget, once', () => {
    const tracker = new PersonTracker();
    tracker.update(0, [scored(0.7)]);
    tracker.update(200, [person]);
    let leftAtMs = -1;
    for (let timeMs = 400; timeMs < 10_000; timeMs += 200) {
      const { left } = tracker.update(timeMs, []);
      if (left.length === 0) continue;
      expect(leftAtMs).toBe(-1);
      leftAtMs = timeMs;
    }
    expect(leftAtMs).toBe(2200);
    expect(tracker.people(10_000)).toEqual([]);
  });

  it('counts a miss only where somebody looked', () => {
    const tracker = new PersonTracker();
    tracker.update(0, [scored(0.7)]);
    tracker.update(200, [person]);
    const elsewhere: Box = { x: 400, y: 0, w: 100, h: 100 };
    for (let timeMs = 400; timeMs < 20_000; timeMs += 200) tracker.update(timeMs, [], [elsewhere]);
    expect(tracker.people(20_000)).toHaveLength(1);
  });
});

describe('somebody who stands still', () => {
  it('is looked at again although nothing moves, less and less often, and stays', () => {
    const tracker = new PersonTracker();
    tracker.update(0, [person]);
    expect(tracker.recheckRegions(200)).toEqual([person.box]);
    const lookedMs: number[] = [];
    for (let timeMs = 200; timeMs <= 60_000; timeMs += 200) {
      const regions = tracker.recheckRegions(timeMs);
      if (regions.length === 0) continue;
      lookedMs.push(timeMs);
      tracker.update(timeMs, [person], regions);
      expect(tracker.people(timeMs)).toHaveLength(timeMs < 400 ? 0 : 1);
    }
    const pauses = lookedMs.slice(1).map((timeMs, i) => timeMs - (lookedMs[i] ?? 0));
    expect(pauses.every((pause, i) => pause >= (pauses[i - 1] ?? 0))).toBe(true);
    expect([pauses[1], pauses.at(-1)]).toEqual([1000, 4000]);
  });

  it('is looked at again at once after a miss, and stays although one look in four misses', () => {
    const tracker = new PersonTracker();
    let lookCount = 0;
    for (let timeMs = 0; timeMs <= 60_000; timeMs += 200) {
      const regions = tracker.recheckRegions(timeMs);
      if (timeMs > 0 && regions.length === 0) continue;
      lookCount += 1;
      const isMissed = lookCount % 4 === 0;
      tracker.update(timeMs, isMissed ? [] : [person], regions);
      if (lookCount >= 3) expect(tracker.people(timeMs)).toHaveLength(1);
      if (isMissed) expect(tracker.recheckRegions(timeMs + 200)).toEqual([person.box]);
    }
  });

  it('is given up after ten minutes without moving, until it moves', () => {
    const tracker = new PersonTracker();
    let timeMs = 0;
    for (; timeMs < 599_000; timeMs += 1000) tracker.update(timeMs, [person]);
    expect(tracker.people(timeMs)).toHaveLength(1);
    tracker.update(601_000, [person]);
    expect(tracker.people(601_000)).toEqual([]);
    expect(tracker.recheckRegions(700_000)).toEqual([]);
    const again = [701_000, 701_200, 701_400].map((ms) => tracker.update(ms, [at(150)]));
    expect(again.map(({ appeared }) => appeared.length)).toEqual([0, 0, 1]);
    expect(again[2]?.people).toMatchObject([{ firstSeenMs: 701_000 }]);
  });
});

it('forgets everybody on reset', () => {
  const tracker = new PersonTracker();
  tracker.update(0, [scored(0.7)]);
  expect(tracker.update(200, [person]).people).toHaveLength(1);
  tracker.reset();
  expect(tracker.people(300)).toEqual([]);
  expect(tracker.recheckRegions(5000)).toEqual([]);
});

it('never doubles an identity and never forgets a confirmed person early, whatever is detected', () => {
  const look = fc.array(fc.record({ x: fc.integer({ min: 0, max: 600 }), y: fc.integer({ min: 0, max: 260 }) }), {
    maxLength: 5,
  });
  fc.assert(
    fc.property(fc.array(look, { maxLength: 40 }), (looks) => {
      const tracker = new PersonTracker();
      const seenMs = new Map<number, number>();
      for (const [i, found] of looks.entries()) {
        const timeMs = i * 200;
        const detections = found.map(({ x, y }) => at(x, y));
        const { people, left, appeared } = tracker.update(timeMs, detections);
        expect(new Set(people.map((p) => p.id)).size).toBe(people.length);
        for (const p of appeared) expect(people.map((q) => q.id)).toContain(p.id);
        for (const p of people) seenMs.set(p.id, p.lastSeenMs);
        for (const p of left) expect(timeMs - (seenMs.get(p.id) ?? -1)).toBeGreaterThanOrEqual(2000);
      }
    }),
    { numRuns: 100 },
  );
});
