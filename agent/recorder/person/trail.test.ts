// Ways followed back and on through what moved, and where they end.
import { describe, expect, it } from 'vitest';
import type { Box } from '../stages.ts';
import { MotionTrail } from './trail.ts';

const at = (x: number, w = 40): Box => ({ x, y: 100, w, h: 100 });

/** From `fromMs` to `untilMs` something moves 20 pixels a frame; `x` is 0 at time 0. */
function walk(trail: MotionTrail, fromMs: number, untilMs: number, more: readonly Box[] = []): void {
  for (let timeMs = fromMs; timeMs <= untilMs; timeMs += 200) trail.add(timeMs, [at(timeMs / 10), ...more]);
}

describe('MotionTrail', () => {
  it('follows a way back to its beginning, and no further than it is asked to', () => {
    const trail = new MotionTrail();
    walk(trail, 0, 2000, [at(500)]);
    expect(trail.before(at(200), 2000, 5000)).toEqual({ timeMs: 0, box: at(0) });
    expect(trail.before(at(200), 2000, 900)).toEqual({ timeMs: 1200, box: at(120) });
    expect(trail.before(at(350), 2000, 5000)).toEqual({ timeMs: 2000, box: at(350) });
  });

  it('follows a way on to its end, over short pauses only', () => {
    const trail = new MotionTrail();
    walk(trail, 0, 1000);
    trail.add(1200, []);
    trail.add(1400, [at(110)]);
    for (let timeMs = 1600; timeMs <= 2400; timeMs += 200) trail.add(timeMs, []);
    trail.add(2600, [at(120)]);
    expect(trail.after({ timeMs: 0, box: at(0) }, 3000)).toEqual({ timeMs: 1400, box: at(110) });
    expect(trail.after({ timeMs: 0, box: at(0) }, 500)).toEqual({ timeMs: 400, box: at(40) });
  });

  it('takes something much larger for something else', () => {
    const trail = new MotionTrail();
    trail.add(0, [at(0)]);
    trail.add(200, [{ x: 0, y: 0, w: 640, h: 360 }]);
    expect(trail.after({ timeMs: 0, box: at(0) }, 1000).timeMs).toBe(0);
  });

  it('goes on from a part of somebody to the whole of them, and stops where nothing changes any more', () => {
    const trail = new MotionTrail();
    const whole = { x: 20, y: 0, w: 80, h: 200 };
    trail.add(0, [{ x: 40, y: 150, w: 10, h: 30 }]);
    trail.add(200, [whole]);
    expect(trail.after({ timeMs: -200, box: { ...whole, x: 0 } }, 1000)).toEqual({ timeMs: 200, box: whole });
    for (let timeMs = 400; timeMs <= 2000; timeMs += 200) trail.add(timeMs, [whole]);
    expect(trail.after({ timeMs: -200, box: { ...whole, x: 0 } }, 2000)).toEqual({ timeMs: 200, box: whole });
  });

  it('says how much of a place moved lately, forgets after seconds and on demand', () => {
    const trail = new MotionTrail();
    expect([trail.isKnown, trail.coveredRatio(at(0), 0, 1000)]).toEqual([false, 0]);
    trail.add(0, [at(0, 20)]);
    expect(trail.isKnown).toBe(true);
    expect(trail.coveredRatio(at(0), 500, 1000)).toBeCloseTo(0.5);
    expect(trail.coveredRatio(at(0), 2000, 1000)).toBe(0);
    expect(trail.coveredRatio(at(300), 500, 1000)).toBe(0);
    trail.add(6000, []);
    expect(trail.coveredRatio(at(0), 6000, 10_000)).toBe(0);
    trail.add(6200, [at(0)]);
    trail.clear();
    expect(trail.coveredRatio(at(0), 6200, 10_000)).toBe(0);
  });
});
