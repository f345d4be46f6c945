// What stays as it is is looked at less often; what is new, or has changed little by little, at once.
import { describe, expect, it } from 'vitest';
import type { Box } from '../stages.ts';
import { Attention } from './attention.ts';

const parcel: Box = { x: 300, y: 300, w: 40, h: 40 };

function looks(boxesAt: (timeMs: number) => readonly Box[], untilMs: number): number[] {
  const attention = new Attention();
  const lookedMs: number[] = [];
  for (let timeMs = 0; timeMs <= untilMs; timeMs += 200) {
    const chosen = attention.select(timeMs, boxesAt(timeMs));
    attention.looked(timeMs, chosen);
    if (chosen.length > 0) lookedMs.push(timeMs);
  }
  return lookedMs;
}

describe('Attention', () => {
  it('looks at a parcel five times, then once a second', () => {
    expect(looks(() => [parcel], 4000)).toEqual([0, 200, 400, 600, 800, 1800, 2800, 3800]);
  });

  it('never tires of what moves', () => {
    expect(looks((timeMs) => [{ ...parcel, x: timeMs / 10 }], 4000)).toHaveLength(21);
  });

  it('notices somebody who comes closer slowly', () => {
    // Three pixels a frame: no frame differs much from the last.
    const lookedMs = looks((timeMs) => [{ x: 300, y: 100, w: 60 + timeMs / 70, h: 120 + timeMs / 35 }], 20_000);
    expect(lookedMs.length).toBeGreaterThan(35);
  });

  it('notices somebody new beside what is known', () => {
    const attention = new Attention();
    for (let timeMs = 0; timeMs <= 1000; timeMs += 200) attention.looked(timeMs, attention.select(timeMs, [parcel]));
    const visitor: Box = { x: 100, y: 100, w: 80, h: 200 };
    expect(attention.select(1200, [visitor, parcel])).toEqual([visitor]);
  });

  it('forgets what has been away, and everything on demand', () => {
    expect(looks((timeMs) => (timeMs > 1000 && timeMs < 5000 ? [] : [parcel]), 5200)).toContain(5200);
    const attention = new Attention();
    for (let i = 0; i < 6; i++) attention.looked(i * 200, [parcel]);
    attention.clear();
    expect(attention.select(1200, [parcel])).toEqual([parcel]);
  });
});
