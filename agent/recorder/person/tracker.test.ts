// Confirmation, standing still, leaving, and the regions that keep being looked at.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Box, Detection } from '../stages.ts';
import { PersonTracker } from './tracker.ts';

function at(x: number, y = 100, w = 40, h = 100): Detection {
  return { box: { x, y, w, h }, score: 0.8, label: 'person' };
}
const person = at(100);

describe('confirmation', () => {
  it('takes two detections among three looks', () => {
    const tracker = new PersonTracker();
    expect(tracker.update(0, [person])).toEqual({ people: [], appeared: [], left: [] });
    expect(tracker.update(200, []).appeared).toEqual([]);
    const third = tracker.update(400, [person]);
    expect(third.appeared).toHaveLength(1);
    expect(third.people).toEqual(third.appeared);
    expect(third.appeared[0]).toMatchObject({ confirmed: true, firstSeenMs: 0, lastSeenMs: 400 });
  });

  it('is not reached by one detection in three looks, again and again', () => {
    const tracker = new PersonTracker();
    for (let i = 0; i < 60; i++) expect(tracker.update(i * 200, i % 3 === 0 ? [person] : []).people).toEqual([]);
  });

  it('is not reached by detections at unlike places', () => {
    const tracker = new PersonTracker();
    for (let i = 0; i < 20; i++)
      expect(tracker.update(i * 200, [at((i % 2) * 500)].slice(0, 1)).appeared.length).toBe(i === 2 || i === 3 ? 1 : 0);
    const other = new PersonTracker();
    for (let i = 0; i < 5; i++) expect(other.update(i * 200, [at(i * 300)]).people).toEqual([]);
  });

  it('can be set to the first detection', () => {
    const tracker = new PersonTracker({ confirmCount: 1, windowCount: 1 });
    expect(tracker.update(0, [person]).appeared).toHaveLength(1);
    expect(() => new PersonTracker({ confirmCount: 4, windowCount: 3 })).toThrow(RangeError);
  });
});

describe('tracking', () => {
  it('keeps one identity for somebody who walks, and two for two who pass each other apart', () => {
    const tracker = new PersonTracker();
    for (let i = 0; i < 20; i++) {
      const { people } = tracker.update(i * 200, [at(20 * i), at(600 - 20 * i, 250)]);
      if (i > 0) expect(people.map((p) => p.id)).toEqual([1, 2]);
    }
  });

  it('says that somebody left after the time to forget, once', () => {
    const tracker = new PersonTracker();
    tracker.update(0, [person]);
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
    tracker.update(0, [person]);
    tracker.update(200, [person]);
    const elsewhere: Box = { x: 400, y: 0, w: 100, h: 100 };
    for (let timeMs = 400; timeMs < 20_000; timeMs += 200) tracker.update(timeMs, [], [elsewhere]);
    expect(tracker.people(20_000)).toHaveLength(1);
  });
});

describe('somebody who stands still', () => {
  it('is looked at again every second although nothing moves, and stays', () => {
    const tracker = new PersonTracker();
    tracker.update(0, [person]);
    expect(tracker.recheckRegions(200)).toEqual([person.box]);
    tracker.update(200, [person], tracker.recheckRegions(200));
    let lookCount = 0;
    for (let timeMs = 400; timeMs <= 60_000; timeMs += 200) {
      const regions = tracker.recheckRegions(timeMs);
      if (regions.length === 0) continue;
      lookCount += 1;
      // One look in four misses, as models do.
      tracker.update(timeMs, lookCount % 4 === 0 ? [] : [person], regions);
      expect(tracker.people(timeMs)).toHaveLength(1);
    }
    // Four looks take 3.2 s: one a second, and one more in the frame after a miss.
    expect(lookCount).toBeGreaterThanOrEqual(73);
    expect(lookCount).toBeLessThanOrEqual(76);
  });

  it('is given up after ten minutes without moving, until it moves', () => {
    const tracker = new PersonTracker();
    let timeMs = 0;
    for (; timeMs < 599_000; timeMs += 1000) tracker.update(timeMs, [person]);
    expect(tracker.people(timeMs)).toHaveLength(1);
    tracker.update(601_000, [person]);
    expect(tracker.people(601_000)).toEqual([]);
    expect(tracker.recheckRegions(700_000)).toEqual([]);
    expect(tracker.update(701_000, [at(150)]).people).toHaveLength(1);
  });
});

it('forgets everybody on reset', () => {
  const tracker = new PersonTracker();
  tracker.update(0, [person]);
  tracker.update(200, [person]);
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
